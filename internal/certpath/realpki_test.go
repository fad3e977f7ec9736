package certpath_test

import (
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/outside"
)

func readCA(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(outside.RealPKI(t, name+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := parsePEM(data)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func wantKind(t *testing.T, err error, kind certpath.Kind) {
	t.Helper()
	if e, ok := errors.AsType[*certpath.Error](err); !ok || e.Kind != kind {
		t.Errorf("got %v, want an error of kind %v", err, kind)
	}
}

// All generations of MOICA share one name, and GRCA G1 and G2 another.
func TestTaiwan(t *testing.T) {
	g1, g2, g3 := readCA(t, "GRCA-G1"), readCA(t, "GRCA-G2"), readCA(t, "GRCA-G3")
	link, moicaG1 := readCA(t, "GRCA-G1-to-G2-link"), readCA(t, "MOICA-G1")
	roots := []*x509.Certificate{g1, g2, g3}
	in := certpath.Inputs{At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}

	for name, root := range map[string]*x509.Certificate{"MOICA-G2": g2, "MOEACA-G2": g2, "MOICA-G3": g3} {
		ca := readCA(t, name)
		for _, intermediates := range [][]*x509.Certificate{nil, {ca}} {
			set, err := certpath.NewSet(roots, intermediates, algorithm.Policy{})
			if err != nil {
				t.Fatal(err)
			}
			path, err := set.Find(ca, []*x509.Certificate{link, moicaG1}, in)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(path) != 2 || path[1] != root {
				t.Errorf("%s: path does not end at its own root", name)
			}
		}
		for _, other := range roots {
			if other == root {
				continue
			}
			wantKind(t, find([]*x509.Certificate{other}, nil, ca, in), certpath.Untrusted)
			_, err := certpath.NewSet([]*x509.Certificate{other}, []*x509.Certificate{ca}, algorithm.Policy{})
			wantKind(t, err, certpath.Untrusted)
		}
	}

	in.At = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, cert := range []*x509.Certificate{link, moicaG1} {
		err := find(roots[:1], nil, cert, in)
		wantKind(t, err, certpath.Algorithm)
		if err == nil || !strings.Contains(err.Error(), "SHA1") {
			t.Errorf("got %v, want SHA-1 by name", err)
		}
		_, err = certpath.NewSet(roots, []*x509.Certificate{cert}, algorithm.Policy{})
		wantKind(t, err, certpath.Algorithm)
		legacy, err := certpath.NewSet(roots[:1], []*x509.Certificate{cert}, algorithm.Policy{InsecureAllowSHA1: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := legacy.Find(cert, nil, in); err != nil {
			t.Errorf("with SHA-1 admitted: %v", err)
		}
	}
	// Under the link alone, MOICA G2 is refused for the link's SHA-1.
	err := find(roots[:1], []*x509.Certificate{link}, readCA(t, "MOICA-G2"), in)
	wantKind(t, err, certpath.Algorithm)
}

// Hongkong Post: an old CA without key identifiers, and roots of which each is
// trusted for its own.
func TestHongkong(t *testing.T) {
	root1, root2, root3 := readCA(t, "hk/hongkong-post-root-ca-1"), readCA(t, "hk/hongkong-post-root-ca-2"), readCA(t, "hk/hongkong-post-root-ca-3")
	ssl := readCA(t, "hk/hongkong-post-e-cert-ssl-ca-3-17")
	in := certpath.Inputs{At: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
	if err := find([]*x509.Certificate{root3}, nil, ssl, in); err != nil {
		t.Error(err)
	}
	wantKind(t, find([]*x509.Certificate{root2}, []*x509.Certificate{root3}, ssl, in), certpath.Untrusted)

	old := readCA(t, "hk/hongkong-post-e-cert-ca-1-10")
	wantKind(t, find([]*x509.Certificate{root1}, nil, old, in), certpath.Algorithm)
	legacy, err := certpath.NewSet([]*x509.Certificate{root1}, []*x509.Certificate{old}, algorithm.Policy{InsecureAllowSHA1: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := legacy.Find(old, nil, in); err != nil {
		t.Errorf("with SHA-1 admitted: %v", err)
	}
	in.At = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err = legacy.Find(old, nil, in)
	wantKind(t, err, certpath.Expired)
}
