package verify

import (
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/distribution"
)

// maxListIssuers bounds the names of listIssuers.
const maxListIssuers = 16

// listIssuers returns the DER of the Names by which the signers of lists about a
// certificate may go: that of its issuer, and those that the cRLIssuer of a distribution
// point names (RFC 5280, Section 4.2.1.13).
func listIssuers(cert *x509.Certificate) ([][]byte, error) {
	points, err := distribution.Of(cert)
	if err != nil {
		return nil, err
	}
	names := [][]byte{cert.RawIssuer}
	for _, point := range points {
		for _, name := range point.CRLIssuer {
			if name.Form == distribution.FormDirectory {
				names = append(names, name.Value)
			}
		}
	}
	if len(names) > maxListIssuers {
		return nil, &der.LimitError{What: "names in cRLIssuer", Limit: maxListIssuers}
	}
	return names, nil
}

// checkNames refuses a scheme in which a name may stand for several CAs, so that
// one could speak for another's certificates. A CA that changes its key, and one
// with a key for lists, is certified twice by the same issuer, or by itself.
func checkNames(s *Scheme) error {
	cas := slices.Concat(s.Anchors, s.Intermediates)
	for i, a := range cas {
		for j, b := range cas[:i] {
			switch {
			case !certpath.SameName(a.RawSubject, b.RawSubject) || sameKey(a, b):
				continue
			case j >= len(s.Anchors) && (certpath.SameName(a.RawIssuer, b.RawIssuer) || selfIssued(a) || selfIssued(b)):
				continue
			}
			return fmt.Errorf("verify: Config.Scheme.SeparateCRLKeys is set, and two CAs are called %s", a.Subject)
		}
	}
	return nil
}

func selfIssued(cert *x509.Certificate) bool {
	return certpath.SameName(cert.RawSubject, cert.RawIssuer)
}
