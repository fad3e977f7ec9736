package crl

import (
	"bytes"
	"crypto/x509"
	"math/big"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/distribution"
	"github.com/citizencert/citizencert/internal/revocation"
)

// Contents of the object identifiers of CRL extensions, id-ce 20 and so on (RFC
// 5280, Section 5.2; X.509, Section 9.5.2.8).
const (
	idCRLNumber                = "\x55\x1d\x14"
	idDeltaCRLIndicator        = "\x55\x1d\x1b"
	idIssuingDistributionPoint = "\x55\x1d\x1c"
	idAuthorityKeyIdentifier   = "\x55\x1d\x23"
	idFreshestCRL              = "\x55\x1d\x2e"
	idExpiredCertsOnCRL        = "\x55\x1d\x3c"
)

func (l *List) parseExtensions(s *stream, end int64) error {
	field, err := l.part(s, end, "crlExtensions")
	if err != nil {
		return err
	}
	return s.at(l.readExtensions(field))
}

func (l *List) readExtensions(field der.Element) error {
	r := field.Reader()
	e, err := r.Expect(der.Sequence, "crlExtensions")
	if err != nil {
		return err
	}
	if err := r.End("crlExtensions"); err != nil {
		return err
	}
	list, err := revocation.AppendExtensions(nil, e)
	if err != nil {
		return err
	}
	for i := range list {
		if err := l.parseExtension(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

// parseExtension reads one extension. The profile wants cRLNumber and
// authorityKeyIdentifier non-critical, deltaCRLIndicator and
// issuingDistributionPoint critical; only the former is held against a list,
// since a scope binds whether or not it is critical.
func (l *List) parseExtension(x *revocation.Extension) (err error) {
	switch string(x.ID) {
	case idCRLNumber:
		l.Number, err = l.parseNumber(x)
	case idDeltaCRLIndicator:
		l.DeltaBase, err = l.parseNumber(x)
		return err
	case idIssuingDistributionPoint:
		l.scope, err = parseScope(x)
		return err
	case idAuthorityKeyIdentifier:
		l.authority, err = parseAuthorityKey(x)
	case idFreshestCRL:
		l.HasFreshest = true
		l.freshest, err = distribution.ParsePoints(x.Value)
	case idExpiredCertsOnCRL:
		l.RetainsFrom, err = x.Time()
		return err
	default:
		if x.Critical {
			l.unhandled = x.Name()
		}
		return nil
	}
	if x.Critical {
		l.badProfile = "extension " + x.Name() + " is critical"
	}
	return err
}

// parseNumber reads CRLNumber ::= INTEGER (0..MAX), of up to 20 octets (Section
// 5.2.3).
func (l *List) parseNumber(x *revocation.Extension) (*big.Int, error) {
	e, err := x.Parse()
	if err != nil {
		return nil, err
	}
	n, err := e.Integer()
	if err != nil {
		return nil, err
	}
	if n.Sign() < 0 || n.BitLen() > 8*20 || e.Tag != der.Integer {
		return nil, e.Errorf("CRLNumber is negative or longer than 20 octets")
	}
	return n, nil
}

// An authorityKey is the authorityKeyIdentifier of the list. A nil field is
// absent.
type authorityKey struct {
	keyID   []byte
	issuers []distribution.GeneralName // authorityCertIssuer
	serial  *big.Int
}

//	AuthorityKeyIdentifier ::= SEQUENCE {
//	    keyIdentifier              [0] OCTET STRING OPTIONAL,
//	    authorityCertIssuer        [1] GeneralNames OPTIONAL,
//	    authorityCertSerialNumber  [2] INTEGER OPTIONAL }
func parseAuthorityKey(x *revocation.Extension) (authorityKey, error) {
	var a authorityKey
	e, err := x.Parse()
	if err != nil {
		return a, err
	}
	if e.Tag != der.Sequence {
		return a, e.Errorf("AuthorityKeyIdentifier has tag %v", e.Tag)
	}
	r := e.Reader()
	if id, ok := r.Optional(der.Context(0)); ok {
		a.keyID = id.Body
	}
	if names, ok := r.Optional(der.ContextConstructed(1)); ok {
		if a.issuers, err = distribution.ParseGeneralNames(names); err != nil {
			return a, err
		}
	}
	if serial, ok := r.Optional(der.Context(2)); ok {
		number, ok := serialOf(serial.Body)
		if !ok {
			return a, serial.Errorf("serial number of %d octets", len(serial.Body))
		}
		a.serial = integerFrom(number.contents())
	}
	return a, r.End("AuthorityKeyIdentifier")
}

// integerFrom is the inverse of integerOctets.
func integerFrom(octets []byte) *big.Int {
	n := new(big.Int).SetBytes(octets)
	if octets[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(octets))*8))
	}
	return n
}

// names reports whether the identifier, as far as it goes, is that of the
// issuer. It narrows down; only the signature decides.
func (a *authorityKey) names(issuer *x509.Certificate) bool {
	if a.keyID != nil && issuer.SubjectKeyId != nil && !bytes.Equal(a.keyID, issuer.SubjectKeyId) {
		return false
	}
	if a.issuers == nil || a.serial == nil {
		return true
	}
	if a.serial.Cmp(issuer.SerialNumber) != 0 {
		return false
	}
	for _, name := range a.issuers {
		if name.Form == distribution.FormDirectory && certpath.SameName(name.Value, issuer.RawIssuer) {
			return true
		}
	}
	return false
}
