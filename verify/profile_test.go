package verify_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// Each rule of a profile refuses what differs from a certificate that passes in
// that one thing.
func TestPIVStyleProfile(t *testing.T) {
	w := newWorld(t)
	agency, err := newAgency(w.PKI)
	if err != nil {
		t.Fatal(err)
	}
	card, err := agency.issue(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4})
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(verify.Config{
		Scheme: verify.Scheme{
			Name: "example-piv", Environment: verify.Custom, Profile: pivProfile(),
			Anchors: []*x509.Certificate{agency.root.Cert}, Intermediates: []*x509.Certificate{agency.ca.Cert},
		},
		InsecureSkipRevocation: true,
		Clock:                  w.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	var altName pkix.Extension
	for _, ext := range card.Cert.Extensions {
		if ext.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			altName = ext
		}
	}
	uri := func(text string) pkix.Extension {
		value, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		return pkix.Extension{Id: altName.Id, Value: value}
	}
	for _, tt := range []struct {
		name   string
		change func(*pkitest.Template)
		want   verify.Reason
	}{
		{"as it should be", func(*pkitest.Template) {}, ""},
		{"one more purpose", func(tm *pkitest.Template) {
			tm.ExtKeyUsage = append(tm.ExtKeyUsage, pkitest.OIDClientAuth)
		}, ""},
		{"another purpose", func(tm *pkitest.Template) {
			tm.ExtKeyUsage = []asn1.ObjectIdentifier{pkitest.OIDClientAuth}
		}, verify.ReasonProfile},
		{"no purpose", func(tm *pkitest.Template) { tm.ExtKeyUsage = nil }, verify.ReasonProfile},
		{"without contentCommitment", func(tm *pkitest.Template) { tm.KeyUsage = x509.KeyUsageDigitalSignature }, verify.ReasonProfile},
		{"without digitalSignature", func(tm *pkitest.Template) { tm.KeyUsage = x509.KeyUsageContentCommitment }, verify.ReasonProfile},
		{"without keyUsage", func(tm *pkitest.Template) { tm.Omit = []asn1.ObjectIdentifier{pkitest.OIDKeyUsage} }, verify.ReasonProfile},
		{"one more bit", func(tm *pkitest.Template) { tm.KeyUsage |= x509.KeyUsageKeyEncipherment }, ""},
		{"a policy that begins like it", func(tm *pkitest.Template) {
			tm.Policies = []asn1.ObjectIdentifier{{2, 999, 1, 66}}
		}, verify.ReasonPolicy},
		{"without key identifier", func(tm *pkitest.Template) { tm.Omit = []asn1.ObjectIdentifier{pkitest.OIDAuthorityKeyID} }, verify.ReasonProfile},
		{"without subjectAltName", func(tm *pkitest.Template) { tm.Extensions = nil }, verify.ReasonProfile},
		{"another URI", func(tm *pkitest.Template) {
			tm.Extensions = []pkix.Extension{uri("https://agency.example/f81d4fae")}
		}, verify.ReasonProfile},
		{"a UUID cut short", func(tm *pkitest.Template) { tm.Extensions = []pkix.Extension{uri("urn:uuid:f81d4fae")} }, verify.ReasonProfile},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tm := pkitest.Template{
				RawSubject:       card.Cert.RawSubject,
				SubjectDirectory: []pkitest.Attribute{},
				KeyUsage:         card.Cert.KeyUsage,
				ExtKeyUsage:      []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 4}},
				Policies:         []asn1.ObjectIdentifier{{2, 999, 1, 6}},
				Extensions:       []pkix.Extension{altName},
			}
			tt.change(&tm)
			res, err := v.Certificate(t.Context(), issueUnder(t, agency.ca, tm).DER, nil)
			wantReason(t, res, err, tt.want)
		})
	}
}

// A root that certifies many CAs vouches for none of them as one of the scheme's:
// what a certificate says of its holder counts if its CA is known beforehand.
func TestKnownIssuer(t *testing.T) {
	w := newWorld(t)
	like := pkitest.Template{RawSubject: w.G3.MOICA.Cert.RawSubject, SubjectKeyID: w.G3.MOICA.Cert.SubjectKeyId}
	beside, disguised := subCA(t, w.G3.Root, pkitest.Template{}), subCA(t, w.G3.Root, like)
	known := w.newVerifier(t, func(cfg *verify.Config) { cfg.Scheme.Intermediates = append(cfg.Scheme.Intermediates, beside.Cert) })
	anyIssuer := w.newVerifier(t, func(cfg *verify.Config) { cfg.Scheme.Profile.RequireKnownIssuer = false })
	for _, tt := range []struct {
		name   string
		issuer *pkitest.CA
		v      *verify.Verifier
		want   verify.Reason
	}{
		{"MOICA", w.G3.MOICA, w.verifier, ""},
		{"a CA beside it", beside, w.verifier, verify.ReasonUntrusted},
		{"a CA beside it, known", beside, known, ""},
		{"a CA beside it, under another profile", beside, anyIssuer, ""},
		{"a CA of its name and key identifier", disguised, w.verifier, verify.ReasonUntrusted},
		{"the root", w.G3.Root, w.verifier, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			issued := issueUnder(t, tt.issuer, pkitest.Template{})
			card := &pkitest.Card{Cert: issued.Cert, Key: issued.Key, Issuer: tt.issuer}
			message := w.sign(t, card, filing, &pkitest.CMSOptions{Certificates: []*x509.Certificate{tt.issuer.Cert, card.Cert}})
			for range 2 { // what is remembered changes nothing
				res, err := tt.v.SignedData(t.Context(), message, nil)
				wantReason(t, res, err, tt.want)
				res, err = tt.v.Certificate(t.Context(), issued.DER, &verify.Options{Certificates: [][]byte{tt.issuer.Cert.Raw}})
				wantReason(t, res, err, tt.want)
			}
		})
	}
}
