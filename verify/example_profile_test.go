package verify_test

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A card of another country, shaped like the Digital Signature certificate of a
// PIV card (FIPS 201-3, NIST SP 800-73): the holder is the UUID of the card in
// the subjectAltName, the subject has a name and no number, and signature
// certificates are told apart by policy and extended key usage. The policy is
// made up, below the arc for examples.
const (
	pivSignaturePolicy = "2.999.1.6"
	pivEmailProtection = "1.3.6.1.5.5.7.3.4"
)

// pivProfile is what the certificate of a signer must be.
func pivProfile() verify.Profile {
	return verify.Profile{
		Name:                 "piv-signature",
		AllKeyUsages:         x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		Policies:             []string{pivSignaturePolicy},
		ExtKeyUsages:         []string{pivEmailProtection},
		RequireExtKeyUsage:   true,
		RequireKeyIdentifier: true,
		Identify:             pivIdentity,
	}
}

// pivIdentity reads the holder out of a certificate. It refuses what it does not
// understand, and puts nothing about the holder into its errors.
func pivIdentity(cert *x509.Certificate) (verify.Identity, error) {
	if len(cert.URIs) != 1 {
		return verify.Identity{}, fmt.Errorf("%d URIs in the subjectAltName, want the UUID of the card", len(cert.URIs))
	}
	uuid, ok := strings.CutPrefix(cert.URIs[0].String(), "urn:uuid:")
	if !ok || len(uuid) != 36 {
		return verify.Identity{}, errors.New("the URI in the subjectAltName is not a UUID")
	}
	if cert.Subject.CommonName == "" {
		return verify.Identity{}, errors.New("the subject has no commonName")
	}
	return verify.Identity{
		SerialNumber: strings.ToLower(uuid), // RFC 9562, Section 4: in either case
		Name:         cert.Subject.CommonName,
		Kind:         "employee",
		Carrier:      verify.Card,
	}, nil
}

// A relying party writes the profile of another card as a value, and verifies
// with it what that card has signed.
func ExampleProfile() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	agency, err := newAgency(pki)
	if err != nil {
		log.Fatal(err)
	}
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: []string{"127.0.0.1"}})
	if err != nil {
		log.Fatal(err)
	}
	v, err := verify.New(verify.Config{
		Scheme: verify.Scheme{
			Name:          "example-piv",
			Environment:   verify.Custom,
			Anchors:       []*x509.Certificate{agency.root.Cert},
			Intermediates: []*x509.Certificate{agency.ca.Cert},
			Profile:       pivProfile(),
			Hosts:         []string{"127.0.0.1"},
		},
		Status: []verify.StatusSource{responders},
	})
	if err != nil {
		log.Fatal(err)
	}

	for _, purpose := range []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 4}, pkitest.OIDClientAuth} {
		card, err := agency.issue(purpose)
		if err != nil {
			log.Fatal(err)
		}
		signature, err := card.SignPKCS7([]byte("a filing"), nil)
		if err != nil {
			log.Fatal(err)
		}
		res, err := v.SignedData(context.Background(), signature, nil)
		if e, ok := errors.AsType[*verify.Error](err); ok {
			fmt.Println("refused:", e.Reason)
			continue
		}
		holder := res.Signers[0].Identity
		fmt.Println(res.Profile, holder.Kind, holder.SerialNumber)
	}
	// Output:
	// piv-signature employee f81d4fae-7dec-11d0-a765-00a0c91e6bf6
	// refused: profile
}

// An agency is a PKI of its own on the server of the look-alike.
type agency struct{ root, ca *pkitest.CA }

func newAgency(pki *pkitest.PKI) (agency, error) {
	policy := []asn1.ObjectIdentifier{{2, 999, 1, 6}}
	name := func(cn string) []byte {
		return pkitest.Name(
			pkitest.NameAttribute{Type: pkitest.OIDCountry, Value: "US"},
			pkitest.NameAttribute{Type: pkitest.OIDOrganization, Value: "Example Agency"},
			pkitest.NameAttribute{Type: pkitest.OIDCommonName, Value: cn},
		)
	}
	root, err := pki.SelfSigned(pkitest.Template{RawSubject: name("Example Root"), Policies: policy})
	if err != nil {
		return agency{}, err
	}
	ca, err := root.IssueCA(pkitest.Template{RawSubject: name("Example Issuing CA"), Policies: policy})
	return agency{root, ca}, err
}

// issue gives an employee a card whose certificate is for one purpose.
func (a agency) issue(purpose asn1.ObjectIdentifier) (*pkitest.Card, error) {
	// GeneralName ::= CHOICE { ..., uniformResourceIdentifier [6] IA5String, ... }
	altName, err := asn1.Marshal([]asn1.RawValue{{
		Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
	}})
	if err != nil {
		return nil, err
	}
	issued, err := a.ca.Issue(pkitest.Template{
		RawSubject: pkitest.Name(
			pkitest.NameAttribute{Type: pkitest.OIDCountry, Value: "US"},
			pkitest.NameAttribute{Type: pkitest.OIDOrganization, Value: "Example Agency"},
			pkitest.NameAttribute{Type: pkitest.OIDCommonName, Value: "測試"},
		),
		SubjectDirectory: []pkitest.Attribute{},
		KeyUsage:         x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		ExtKeyUsage:      []asn1.ObjectIdentifier{purpose},
		Policies:         []asn1.ObjectIdentifier{{2, 999, 1, 6}},
		Extensions:       []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: altName}},
	})
	if err != nil {
		return nil, err
	}
	return &pkitest.Card{Cert: issued.Cert, Key: issued.Key, Issuer: a.ca}, nil
}
