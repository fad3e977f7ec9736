package certpath_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
)

// Known CAs are linked once, and their algorithms judged at the instant of each
// path, whether the CAs are known or came with the certificate.
func TestTaiwanHistorical(t *testing.T) {
	g1, link := readCA(t, "GRCA-G1"), readCA(t, "GRCA-G1-to-G2-link")
	moicaG1, moicaG2 := readCA(t, "MOICA-G1"), readCA(t, "MOICA-G2")
	end := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	roots, others := []*x509.Certificate{g1}, []*x509.Certificate{link, moicaG1, moicaG2}

	if _, err := certpath.NewSet(roots, others, algorithm.Policy{}); err == nil {
		t.Error("strict: got no error for CAs signed with SHA-1")
	} else {
		wantKind(t, err, certpath.Algorithm)
	}
	for name, known := range map[string][]*x509.Certificate{"known": others, "hints": nil} {
		set, err := certpath.NewSet(roots, known, algorithm.Historical(end))
		if err != nil {
			t.Fatal(err)
		}
		for _, cert := range others {
			path, err := set.Find(cert, others, certpath.Inputs{At: end.Add(-time.Second)})
			if err != nil || path[len(path)-1] != g1 {
				t.Errorf("%s, the last second: got %d certificates, %v, want a path to G1", name, len(path), err)
			}
			_, err = set.Find(cert, others, certpath.Inputs{At: end})
			wantKind(t, err, certpath.Algorithm)
		}
	}
}
