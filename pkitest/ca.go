package pkitest

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"
)

// CA is a certification authority: it issues certificates, remembers which of
// them it has revoked, and says so by OCSP and CRL.
type CA struct {
	Name string // "GRCA G2", "MOICA G3"; for others the first part of their URLs
	Cert *x509.Certificate
	Key  crypto.Signer

	// URLs is where the CA publishes. Certificates that it issues say so.
	URLs Endpoints

	pki             *PKI
	issuer          *CA // itself if self-signed
	newResponderKey func() (crypto.Signer, error)

	mu      sync.Mutex
	issued  map[string]bool // by serialKey
	revoked map[string]revocation
	edition edition // the CRL in force

	responderMu  sync.Mutex
	responderKey crypto.Signer
	responder    *Issued // certificate of responderKey in force
}

// Endpoints are the addresses at which a CA publishes.
type Endpoints struct {
	OCSP      string
	CRL       string // the complete list
	Partition string // the list of one partition; empty for a root
	Issuers   string // caIssuers: the CA's certificates
}

// under returns the same endpoints below a base URL.
func (e Endpoints) under(base string) Endpoints {
	e.OCSP, e.CRL, e.Issuers = base+e.OCSP, base+e.CRL, base+e.Issuers
	if e.Partition != "" {
		e.Partition = base + e.Partition
	}
	return e
}

// lists returns the CRLs in the order in which certificates name them.
func (e Endpoints) lists() []string {
	if e.Partition == "" {
		return []string{e.CRL}
	}
	return []string{e.Partition, e.CRL}
}

// revocation is what the CA knows about a certificate that is not good.
type revocation struct {
	serial *big.Int
	at     time.Time
	reason int
}

// Reasons of revocation (RFC 5280, Section 5.3.1).
const (
	ReasonUnspecified          = 0
	ReasonKeyCompromise        = 1
	ReasonCACompromise         = 2
	ReasonAffiliationChanged   = 3
	ReasonSuperseded           = 4
	ReasonCessationOfOperation = 5
	ReasonCertificateHold      = 6
	ReasonRemoveFromCRL        = 8
	ReasonPrivilegeWithdrawn   = 9
	ReasonAACompromise         = 10
)

// Issued is a certificate as a CA hands it out.
type Issued struct {
	// Cert is nil if crypto/x509 refuses to parse DER, as it does with some
	// of the shapes that a Template can ask for. Where this package only
	// embeds a certificate, &x509.Certificate{Raw: DER} will do.
	Cert *x509.Certificate
	DER  []byte
	Key  crypto.Signer // nil if the template gave a public key only
}

// prepareCA returns a CA that has all but its certificate.
func (p *PKI) prepareCA(name string, key crypto.Signer, urls Endpoints) *CA {
	return &CA{
		Name:            name,
		Key:             key,
		URLs:            urls,
		pki:             p,
		newResponderKey: p.keys.next,
		issued:          map[string]bool{},
		revoked:         map[string]revocation{},
	}
}

// certify gives the CA its certificate and lets it answer.
func (ca *CA) certify(issuer *CA, t Template) (*CA, error) {
	ca.issuer = issuer
	t.Key = ca.Key
	issued, err := issuer.Issue(t)
	if err != nil {
		return nil, err
	}
	// A certificate that does not parse is no CA to the rest of the package.
	if ca.Cert, err = x509.ParseCertificate(issued.DER); err != nil {
		return nil, fmt.Errorf("pkitest: parsing the CA certificate: %w", err)
	}
	ca.pki.server.add(ca)
	return ca, nil
}

// Issue issues a certificate, hostile ones too: the zero Template is a
// citizen's signature certificate.
func (ca *CA) Issue(t Template) (*Issued, error) {
	t = t.withDefaults(ca)
	key, spki, err := t.keyPair(&ca.pki.keys)
	if err != nil {
		return nil, fmt.Errorf("pkitest: preparing the holder's key: %w", err)
	}
	der, err := t.encode(ca, spki)
	if err != nil {
		return nil, err
	}
	issued := &Issued{DER: der, Key: key}
	if cert, err := x509.ParseCertificate(der); err == nil {
		issued.Cert = cert
		ca.mu.Lock()
		ca.issued[serialKey(cert.SerialNumber)] = true
		ca.mu.Unlock()
	}
	return issued, nil
}

// keyPair returns the holder's key, nil if there is none, and the DER of the
// SubjectPublicKeyInfo.
func (t *Template) keyPair(pool *keyPool) (crypto.Signer, []byte, error) {
	if t.RawPublicKey != nil {
		return nil, t.RawPublicKey, nil
	}
	if t.PublicKey != nil {
		spki, err := x509.MarshalPKIXPublicKey(t.PublicKey)
		return nil, spki, err
	}
	key := t.Key
	if key == nil {
		var err error
		if key, err = pool.generate(t.KeyAlgorithm, t.RSABits); err != nil {
			return nil, nil, err
		}
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	return key, spki, err
}

// IssueCA issues the certificate of another CA and sets that CA up: it can
// issue, revoke and answer below its own part of the server. The template's
// zero value is a CA without path length limit; Key is the CA's key.
func (ca *CA) IssueCA(t Template) (*CA, error) {
	return ca.pki.newOtherCA(t, ca)
}

// IssueResponder issues the certificate of a delegated OCSP responder: a month
// of id-kp-OCSPSigning, digitalSignature and ocsp-nocheck.
func (ca *CA) IssueResponder(opts ...func(*Template)) (*Issued, error) {
	now := ca.pki.now()
	t := Template{
		RawSubject: Name(
			NameAttribute{Type: OIDCountry, Value: "TW"},
			NameAttribute{Type: OIDOrganization, Value: "行政院"},
			NameAttribute{Type: OIDCommonName, Value: "(測試用) OCSP " + ca.Name},
		),
		SubjectDirectory:      []Attribute{},
		CRLDistributionPoints: []string{},
		AccessDescriptions:    []AccessDescription{},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(30 * 24 * time.Hour),
		ExtKeyUsage:           []asn1.ObjectIdentifier{OIDOCSPSigning},
		Extensions:            noCheck(),
	}
	for _, opt := range opts {
		opt(&t)
	}
	return ca.Issue(t)
}

// Revoke records that cert is revoked for a reason (RFC 5280, Section 5.3.1),
// from the instant at on. Answers dated earlier do not know of it.
func (ca *CA) Revoke(cert *x509.Certificate, at time.Time, reason int) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.revoked[serialKey(cert.SerialNumber)] = revocation{cert.SerialNumber, at, reason}
}

// Suspend puts cert on hold, from which Resume takes it back.
func (ca *CA) Suspend(cert *x509.Certificate, at time.Time) {
	ca.Revoke(cert, at, ReasonCertificateHold)
}

// Resume ends the suspension of cert. A certificate that is revoked for good
// stays so.
func (ca *CA) Resume(cert *x509.Certificate) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	key := serialKey(cert.SerialNumber)
	if ca.revoked[key].reason == ReasonCertificateHold {
		delete(ca.revoked, key)
	}
}

// revocations returns what is revoked at an instant, by serial number.
func (ca *CA) revocations(now time.Time) []revocation {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	var list []revocation
	for _, r := range ca.revoked {
		if !r.at.After(now) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b revocation) int { return a.serial.Cmp(b.serial) })
	return list
}

// subject returns the name under which the CA issues. A root that is about to
// sign itself takes it from its template.
func (ca *CA) subject(t Template) []byte {
	if ca.Cert == nil {
		return t.RawSubject
	}
	return ca.Cert.RawSubject
}

// chain returns the certificates of the CA and of those above it.
func (ca *CA) chain() []*x509.Certificate {
	chain := []*x509.Certificate{ca.Cert}
	for ; ca.issuer != ca; ca = ca.issuer {
		chain = append(chain, ca.issuer.Cert)
	}
	return chain
}

// serialKey makes a serial number a map key. Serial numbers are compared as
// integers, never by their octets.
func serialKey(serial *big.Int) string {
	return serial.Text(16)
}
