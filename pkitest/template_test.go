package pkitest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
)

// Each template asks for one thing that a verifier must notice.
func TestTemplates(t *testing.T) {
	t.Parallel()
	pki, clock := newPKI(t)
	moica := pki.G3.MOICA
	huge := new(big.Int).SetBit(big.NewInt(1), 16383, 1)
	ski := []byte("not the key identifier")
	for _, tc := range []struct {
		name     string
		template pkitest.Template
		check    func(c *x509.Certificate) bool
	}{
		{"expired", pkitest.Template{NotAfter: clock.Now().Add(-time.Second)}, func(c *x509.Certificate) bool {
			_, err := verifyPath(pki, c, pki.G3.Root.Cert, clock.Now())
			return err != nil
		}},
		{"after 2049", pkitest.Template{NotAfter: time.Date(2055, 1, 1, 0, 0, 0, 0, time.UTC)}, func(c *x509.Certificate) bool {
			return c.NotAfter.Year() == 2055
		}},
		{"serial", pkitest.Template{Serial: big.NewInt(300)}, func(c *x509.Certificate) bool { return c.SerialNumber.Int64() == 300 }},
		{"version 1", pkitest.Template{Version: 1}, func(c *x509.Certificate) bool { return c.Version == 1 }},
		{"another policy", pkitest.Template{Policies: []asn1.ObjectIdentifier{pkitest.OIDClass3Policy}}, func(c *x509.Certificate) bool {
			return c.PolicyIdentifiers[0].Equal(pkitest.OIDClass3Policy)
		}},
		{"no policy", pkitest.Template{Policies: []asn1.ObjectIdentifier{}}, func(c *x509.Certificate) bool { return len(c.PolicyIdentifiers) == 0 }},
		{"no key usage", pkitest.Template{Omit: []asn1.ObjectIdentifier{pkitest.OIDKeyUsage}}, func(c *x509.Certificate) bool { return c.KeyUsage == 0 }},
		{"two key usage octets", pkitest.Template{KeyUsage: x509.KeyUsageDecipherOnly}, func(c *x509.Certificate) bool { return c.KeyUsage == x509.KeyUsageDecipherOnly }},
		{"TLS server", pkitest.Template{ExtKeyUsage: []asn1.ObjectIdentifier{pkitest.OIDServerAuth}}, func(c *x509.Certificate) bool {
			return slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth})
		}},
		{"CA", pkitest.Template{BasicConstraints: &pkitest.BasicConstraints{CA: true, PathLen: new(3)}}, func(c *x509.Certificate) bool {
			return c.IsCA && c.MaxPathLen == 3 && c.KeyUsage == x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		}},
		{"foreign key identifier", pkitest.Template{SubjectKeyID: ski}, func(c *x509.Certificate) bool { return bytes.Equal(c.SubjectKeyId, ski) }},
		{"issuer and serial as authority", pkitest.Template{AuthorityKeyID: &pkitest.AuthorityKeyID{
			RawIssuer: pki.G3.Root.Cert.RawSubject, Serial: moica.Cert.SerialNumber,
		}}, func(c *x509.Certificate) bool {
			value := extension(t, c, pkitest.OIDAuthorityKeyID)
			return len(c.AuthorityKeyId) == 0 && bytes.Contains(value, pki.G3.Root.Cert.RawSubject)
		}},
		{"policy machinery", pkitest.Template{
			PolicyMappings:    []pkitest.PolicyMapping{{Issuer: pkitest.OIDTestPolicy, Subject: pkitest.OIDClass3Policy}},
			PolicyConstraints: &pkitest.PolicyConstraints{RequireExplicitPolicy: new(0), InhibitPolicyMapping: new(1)},
			InhibitAnyPolicy:  new(0),
		}, func(c *x509.Certificate) bool {
			return len(c.PolicyMappings) == 1 && c.RequireExplicitPolicyZero && c.InhibitPolicyMapping == 1 && c.InhibitAnyPolicyZero
		}},
		{"unknown critical extension", pkitest.Template{Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true}}}, func(c *x509.Certificate) bool {
			return len(c.UnhandledCriticalExtensions) == 1
		}},
		{"huge modulus", pkitest.Template{PublicKey: &rsa.PublicKey{N: huge, E: 1<<31 - 1}}, func(c *x509.Certificate) bool {
			return c.PublicKey.(*rsa.PublicKey).N.Cmp(huge) == 0
		}},
		{"RSA-1024", pkitest.Template{RSABits: 1024}, func(c *x509.Certificate) bool { return c.PublicKey.(*rsa.PublicKey).Size() == 128 }},
		{"ECDSA key", pkitest.Template{KeyAlgorithm: x509.ECDSA}, func(c *x509.Certificate) bool { _, ok := c.PublicKey.(*ecdsa.PublicKey); return ok }},
		{"SHA-1", pkitest.Template{SignatureAlgorithm: x509.SHA1WithRSA}, func(c *x509.Certificate) bool { return c.SignatureAlgorithm == x509.SHA1WithRSA }},
		{"PSS", pkitest.Template{SignatureAlgorithm: x509.SHA384WithRSAPSS}, func(c *x509.Certificate) bool {
			return c.SignatureAlgorithm == x509.SHA384WithRSAPSS && c.CheckSignatureFrom(moica.Cert) == nil
		}},
		{"wrong key", pkitest.Template{SigningKey: pki.G2.MOICA.Key}, func(c *x509.Certificate) bool {
			return c.CheckSignatureFrom(moica.Cert) != nil && c.CheckSignatureFrom(pki.G2.MOICA.Cert) == nil
		}},
		{"broken signature", pkitest.Template{BreakSignature: true}, func(c *x509.Certificate) bool { return c.CheckSignatureFrom(moica.Cert) != nil }},
		{"number twice", pkitest.Template{RawSubject: pkitest.Name(
			pkitest.NameAttribute{Type: pkitest.OIDSerialNumber, Value: "1"}, pkitest.NameAttribute{Type: pkitest.OIDSerialNumber, Value: "2"},
		)}, func(c *x509.Certificate) bool { return len(c.Subject.Names) == 2 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			issued := issue(t, moica, tc.template)
			if issued.Cert == nil {
				_, err := x509.ParseCertificate(issued.DER)
				t.Fatal(err)
			}
			if !tc.check(issued.Cert) {
				t.Error("the certificate is not what the template asks for")
			}
		})
	}
}

// What crypto/x509 does not parse comes as DER.
func TestTemplatesBeyondX509(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	keyUsage := pkix.Extension{Id: pkitest.OIDKeyUsage, Critical: true, Value: []byte{3, 2, 7, 0x80}}
	for name, template := range map[string]pkitest.Template{
		"extension twice":      {Extensions: []pkix.Extension{keyUsage}},
		"negative serial":      {Serial: big.NewInt(-1)},
		"padded serial":        {RawSerial: []byte{0, 0, 1}},
		"unequal algorithms":   {InnerAlgorithm: x509.SHA512WithRSA},
		"no public key at all": {RawPublicKey: []byte{0x30, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issued := issue(t, pki.G2.MOICA, template)
			if issued.Cert != nil || len(issued.DER) == 0 {
				t.Errorf("got a parsed certificate %t and %d bytes, want bytes only", issued.Cert != nil, len(issued.DER))
			}
		})
	}
}

func TestOtherCAs(t *testing.T) {
	t.Parallel()
	pki, clock := newPKI(t)
	impostor, err := pki.SelfSigned(pkitest.Template{RawSubject: pki.G3.Root.Cert.RawSubject})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := impostor.IssueCA(pkitest.Template{RawSubject: pki.G3.MOICA.Cert.RawSubject, KeyAlgorithm: x509.ECDSA})
	if err != nil {
		t.Fatal(err)
	}
	cert := issue(t, sub, pkitest.Template{}).Cert
	if _, err := verifyPath(pki, cert, pki.G3.Root.Cert, clock.Now()); err == nil {
		t.Error("a certificate of the impostor verifies below the real root")
	}
	if _, err := cert.Verify(x509.VerifyOptions{
		Roots: pool(impostor.Cert), Intermediates: pool(sub.Cert), CurrentTime: clock.Now(),
	}); err != nil {
		t.Error(err)
	}
	sub.Revoke(cert, clock.Now(), pkitest.ReasonSuperseded)
	if got := askOCSP(t, cert, sub).RevocationReason; got != pkitest.ReasonSuperseded {
		t.Errorf("got reason %d, want superseded", got)
	}
	if err := fetchCRL(t, cert.CRLDistributionPoints[0]).CheckSignatureFrom(sub.Cert); err != nil {
		t.Error(err)
	}
}
