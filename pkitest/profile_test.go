package pkitest_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
)

// extensions names the extensions of a certificate in their order, those that
// are critical with an exclamation mark.
func extensions(cert *x509.Certificate) string {
	names := map[string]string{
		"2.5.29.9": "SDA", "2.5.29.14": "SKI", "2.5.29.15": "KU", "2.5.29.19": "BC", "2.5.29.31": "CRLDP",
		"2.5.29.32": "CP", "2.5.29.35": "AKI", "1.3.6.1.5.5.7.1.1": "AIA",
	}
	var list []string
	for _, e := range cert.Extensions {
		name := names[e.Id.String()]
		if e.Critical {
			name += "!"
		}
		list = append(list, name)
	}
	return strings.Join(list, " ")
}

func extension(t *testing.T, cert *x509.Certificate, oid asn1.ObjectIdentifier) []byte {
	t.Helper()
	i := slices.IndexFunc(cert.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oid) })
	if i < 0 {
		t.Fatalf("no extension %v", oid)
	}
	return cert.Extensions[i].Value
}

// The order and criticality found in the certificates that GRCA and MOICA
// have issued.
func TestExtensionOrder(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G2)
	const endEntity = "AKI SKI KU! CP SDA CRLDP AIA"
	for _, tc := range []struct {
		name string
		cert *x509.Certificate
		want string
	}{
		{"GRCA G2", pki.G2.Root.Cert, "BC! SKI KU!"},
		{"GRCA G3", pki.G3.Root.Cert, "BC! SKI KU!"},
		{"MOICA G2", pki.G2.MOICA.Cert, "AKI SKI KU! CP BC! CRLDP AIA"},
		{"MOICA G3", pki.G3.MOICA.Cert, "AKI SKI KU! CRLDP AIA BC! CP"},
		{"signature", card.Cert, endEntity},
		{"encryption", card.EncryptionCert, endEntity},
	} {
		if got := extensions(tc.cert); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestExtensionBytes(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	mobile, err := pki.G3.IssueMobile(pkitest.Person{Name: "陳測試", LastFour: "9945", Foreign: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		cert *x509.Certificate
		oid  asn1.ObjectIdentifier
		want string
	}{
		{"signature", mobile.Cert, pkitest.OIDKeyUsage, "03020780"},
		{"encryption", mobile.EncryptionCert, pkitest.OIDKeyUsage, "03020430"},
		{"GRCA G2", pki.G2.Root.Cert, pkitest.OIDKeyUsage, "03020106"},
		{"MOICA G3", pki.G3.MOICA.Cert, pkitest.OIDKeyUsage, "03020186"},
		{"MOICA G3", pki.G3.MOICA.Cert, pkitest.OIDBasicConstraints, "30060101ff020100"},
		{"GRCA G3", pki.G3.Root.Cert, pkitest.OIDBasicConstraints, "30030101ff"},
		{"policy", mobile.Cert, pkitest.OIDCertificatePolicies, "300b3009" + "0607" + "60867665000300"},
		{
			"directory attributes", mobile.Cert, pkitest.OIDSubjectDirectoryAttributes, "303f" +
				"3015" + "0607" + "60867601640201" + "310a" + "0608" + "6086760164030109" +
				"3013" + "0607" + "60867601640202" + "3108" + "1306" + hex.EncodeToString([]byte("mobile")) +
				"3011" + "0607" + "60867601640233" + "3106" + "0c04" + hex.EncodeToString([]byte("9945")),
		},
	} {
		if got := hex.EncodeToString(extension(t, tc.cert, tc.oid)); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G3)

	// The real MOICA name with the mark of a test CA in the OU.
	const ou = "(測試用) 內政部憑證管理中心"
	want := "3053" + "310b3009" + "0603550406" + "13025457" +
		"31123010" + "060355040a" + "0c09e8a18ce694bfe999a2" +
		"3130302e" + "060355040b" + "0c27" + hex.EncodeToString([]byte(ou))
	if got := hex.EncodeToString(pki.G2.MOICA.Cert.RawSubject); got != want {
		t.Errorf("got MOICA name\n%s, want\n%s", got, want)
	}
	if !bytes.Equal(card.Cert.RawIssuer, pki.G3.MOICA.Cert.RawSubject) {
		t.Error("issuer of the card is not the subject of MOICA")
	}

	subject := "SERIALNUMBER=" + card.Person.Number + ",CN=王測試,C=TW"
	if got := card.Cert.Subject.String(); got != subject {
		t.Errorf("got subject %s, want %s", got, subject)
	}
	if len(card.Person.Number) != 16 {
		t.Errorf("got number %s, want 16 digits", card.Person.Number)
	}
}

func TestValidity(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G3)
	mobile, err := pki.G3.IssueMobile(pkitest.Person{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		cert *x509.Certificate
		want time.Time
	}{
		{"card", card.Cert, time.Date(2031, 3, 2, 15, 59, 59, 0, time.UTC)},
		{"mobile", mobile.EncryptionCert, time.Date(2027, 3, 2, 15, 59, 59, 0, time.UTC)},
	} {
		if got := tc.cert.NotAfter; !got.Equal(tc.want) {
			t.Errorf("%s: got notAfter %v, want %v", tc.name, got, tc.want)
		}
		if utcTime := []byte("\x17\x0d" + tc.want.Format("060102150405Z")); !bytes.Contains(tc.cert.Raw, utcTime) {
			t.Errorf("%s: notAfter is not a UTCTime", tc.name)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G3)
	urls := pki.G3.MOICA.URLs
	if got, want := card.Cert.CRLDistributionPoints, []string{urls.Partition, urls.CRL}; !slices.Equal(got, want) {
		t.Errorf("got CRL points %v, want %v", got, want)
	}
	if got := pki.G2.MOICA.Cert.OCSPServer; len(got) != 0 {
		t.Errorf("MOICA G2 names responders %v, want none", got)
	}
	if got, want := pki.G3.MOICA.Cert.OCSPServer, []string{pki.G3.Root.URLs.OCSP}; !slices.Equal(got, want) {
		t.Errorf("got responders %v, want %v", got, want)
	}
	issuers := append(card.Cert.IssuingCertificateURL, pki.G3.MOICA.Cert.IssuingCertificateURL...)
	if len(issuers) != 2 {
		t.Errorf("got addresses of issuers %v, want one in each certificate", issuers)
	}
	for _, address := range issuers {
		if status, body := fetch(t, "GET", address, nil); status != 200 || len(body) == 0 {
			t.Errorf("%s: got status %d and %d bytes", address, status, len(body))
		}
	}
}
