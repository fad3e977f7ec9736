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
