package verify

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
)

var oidCRLDistributionPoints = asn1.ObjectIdentifier{2, 5, 29, 31}

// maxListIssuers bounds the names of listIssuers.
const maxListIssuers = 16

// listIssuers returns the DER of the Names by which the signers of lists about a
// certificate may go: that of its issuer, and those that cRLIssuer names.
//
//	CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint
//	DistributionPoint ::= SEQUENCE {
//	    distributionPoint  [0] DistributionPointName OPTIONAL,
//	    reasons            [1] ReasonFlags OPTIONAL,
//	    cRLIssuer          [2] GeneralNames OPTIONAL }
//
// (RFC 5280, Section 4.2.1.13.)
func listIssuers(cert *x509.Certificate) ([][]byte, error) {
	names := [][]byte{cert.RawIssuer}
	ext, ok := certpath.Extension(cert, oidCRLDistributionPoints)
	if !ok {
		return names, nil
	}
	doc, err := der.Strict(ext.Value, der.Limits{})
	if err != nil {
		return nil, err
	}
	for _, point := range fields(doc.Root(), der.Sequence) {
		for _, general := range fields(point, der.ContextConstructed(2)) {
			for _, name := range fields(general, der.ContextConstructed(4)) { // directoryName
				names = append(names, name.Body)
			}
		}
	}
	if len(names) > maxListIssuers {
		return nil, &der.LimitError{What: "names in cRLIssuer", Limit: maxListIssuers}
	}
	return names, nil
}

// fields returns the elements with a tag inside another.
func fields(e der.Element, tag der.Tag) (found []der.Element) {
	r := e.Reader()
	for field := range r.All() {
		if field.Tag == tag {
			found = append(found, field)
		}
	}
	return found
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
