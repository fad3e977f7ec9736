package verify_test

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/outside"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// pathAttacks are the attacks on paths and profiles, each with the neighbours
// that pass.
var pathAttacks = map[string]func(*testing.T, *world){
	"P01 roots of nobody":         attackOwnRoot,
	"P02 the other generation":    attackOtherGeneration,
	"P03 certificates for others": attackWrongProfile,
	"P04 policies":                attackPolicies,
	"P05 weak keys":               attackWeakKeys,
	"P06 constraints":             attackConstraints,
	"P07 a test CA in production": attackTestInProduction,
	"P08 many certificates":       attackManyCertificates,
	"P09 subjects":                attackSubjects,
}

// issueUnder issues a certificate, which may come out as one that crypto/x509
// refuses.
func issueUnder(t testing.TB, ca *pkitest.CA, tm pkitest.Template) *pkitest.Issued {
	t.Helper()
	issued, err := ca.Issue(tm)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// subCA issues a CA certificate and sets the CA up.
func subCA(t testing.TB, ca *pkitest.CA, tm pkitest.Template) *pkitest.CA {
	t.Helper()
	sub, err := ca.IssueCA(tm)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// wantCertificate checks what becomes of a certificate with hints beside it.
func (w *world) wantCertificate(t *testing.T, name string, der []byte, want verify.Reason, hints ...*x509.Certificate) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Helper()
		opts := &verify.Options{}
		for _, h := range hints {
			opts.Certificates = append(opts.Certificates, h.Raw)
		}
		res, err := w.verifier.Certificate(t.Context(), der, opts)
		wantReason(t, res, err, want)
	})
}

func attackOwnRoot(t *testing.T, w *world) {
	root, err := w.SelfSigned(pkitest.Template{RawSubject: w.G3.Root.Cert.RawSubject})
	if err != nil {
		t.Fatal(err)
	}
	moicaLike := subCA(t, root, pkitest.Template{RawSubject: w.G3.MOICA.Cert.RawSubject, SubjectKeyID: w.G3.MOICA.Cert.SubjectKeyId})
	forged := issueUnder(t, moicaLike, pkitest.Template{})
	w.wantCertificate(t, "a root with the name of the real one", forged.DER, verify.ReasonUntrusted, moicaLike.Cert, root.Cert)
	w.wantCertificate(t, "its CA alone", forged.DER, verify.ReasonUntrusted, moicaLike.Cert)
	w.wantCertificate(t, "a real certificate beside them", w.card.Cert.Raw, "", moicaLike.Cert, root.Cert)
}

func attackOtherGeneration(t *testing.T, w *world) {
	serial := big.NewInt(0x1234567890)
	g2 := issueUnder(t, w.G2.MOICA, pkitest.Template{Serial: serial})
	g3 := issueUnder(t, w.G3.MOICA, pkitest.Template{Serial: serial})
	w.wantCertificate(t, "G2, with G3's CA", g2.DER, "", w.G3.MOICA.Cert)
	w.wantCertificate(t, "G3, with G2's CA", g3.DER, "", w.G2.MOICA.Cert)
	card := &pkitest.Card{Cert: g2.Cert, Key: g2.Key, Issuer: w.G2.MOICA}
	der := w.sign(t, card, filing, &pkitest.CMSOptions{Certificates: []*x509.Certificate{g3.Cert, g2.Cert}})
	res, err := w.verifier.SignedData(t.Context(), der, nil)
	wantReason(t, res, err, "")
	if err == nil && res.Signers[0].Identity.Generation != "G2" {
		t.Errorf("got generation %s, want that of the key", res.Signers[0].Identity.Generation)
	}
	der = w.sign(t, card, filing, &pkitest.CMSOptions{Certificates: []*x509.Certificate{g3.Cert}})
	res, err = w.verifier.SignedData(t.Context(), der, nil)
	wantReason(t, res, err, verify.ReasonBadSignature)
}

func attackWrongProfile(t *testing.T, w *world) {
	responder, err := w.G3.MOICA.IssueResponder()
	if err != nil {
		t.Fatal(err)
	}
	w.wantCertificate(t, "a citizen's", w.card.Cert.Raw, "")
	w.wantCertificate(t, "for encryption", w.card.EncryptionCert.Raw, verify.ReasonProfile)
	w.wantCertificate(t, "MOICA's", w.G3.MOICA.Cert.Raw, verify.ReasonProfile)
	w.wantCertificate(t, "an OCSP responder's", responder.DER, verify.ReasonProfile)
	server := pkitest.Template{KeyUsage: x509.KeyUsageKeyEncipherment, ExtKeyUsage: []asn1.ObjectIdentifier{pkitest.OIDServerAuth}}
	w.wantCertificate(t, "a server's", issueUnder(t, w.G3.MOICA, server).DER, verify.ReasonProfile)
}

func attackPolicies(t *testing.T, w *world) {
	with := func(policies ...asn1.ObjectIdentifier) []byte {
		return issueUnder(t, w.G3.MOICA, pkitest.Template{Policies: policies}).DER
	}
	longer := append(pkitest.OIDClass3Policy[:6:6], 33)
	w.wantCertificate(t, "the policy", with(pkitest.OIDTestPolicy), "")
	w.wantCertificate(t, "the policy among others", with(longer, pkitest.OIDTestPolicy), "")
	w.wantCertificate(t, "none", issueUnder(t, w.G3.MOICA, pkitest.Template{Policies: []asn1.ObjectIdentifier{}}).DER, verify.ReasonPolicy)
	w.wantCertificate(t, "one that begins like it", with(longer), verify.ReasonPolicy)
	w.wantCertificate(t, "anyPolicy", with(asn1.ObjectIdentifier{2, 5, 29, 32, 0}), verify.ReasonPolicy)
}

func attackWeakKeys(t *testing.T, w *world) {
	key := w.card.Cert.PublicKey.(*rsa.PublicKey)
	withKey := func(n *big.Int, e int) []byte {
		return issueUnder(t, w.G3.MOICA, pkitest.Template{PublicKey: &rsa.PublicKey{N: n, E: e}}).DER
	}
	w.wantCertificate(t, "RSA-2048", withKey(key.N, key.E), "")
	w.wantCertificate(t, "RSA-2047", withKey(new(big.Int).Rsh(key.N, 1).SetBit(new(big.Int).Rsh(key.N, 1), 0, 1), key.E), verify.ReasonAlgorithm)
	w.wantCertificate(t, "exponent 1", withKey(key.N, 1), verify.ReasonAlgorithm)
	w.wantCertificate(t, "RSA-16384", withKey(new(big.Int).SetBit(key.N, 16383, 1), key.E), verify.ReasonAlgorithm)
	sha1 := pkitest.Template{SignatureAlgorithm: x509.SHA1WithRSA}
	w.wantCertificate(t, "signed with SHA-1", issueUnder(t, w.G3.MOICA, sha1).DER, verify.ReasonAlgorithm)
	link := subCA(t, w.G3.Root, pkitest.Template{SignatureAlgorithm: x509.SHA1WithRSA})
	w.wantCertificate(t, "under a CA signed with SHA-1", issueUnder(t, link, pkitest.Template{}).DER, verify.ReasonAlgorithm, link.Cert)
}

func attackConstraints(t *testing.T, w *world) {
	below := subCA(t, w.G3.MOICA, pkitest.Template{})
	w.wantCertificate(t, "a CA below MOICA", issueUnder(t, below, pkitest.Template{}).DER, verify.ReasonConstraints, below.Cert)
	beside := subCA(t, w.G3.Root, pkitest.Template{})
	w.wantCertificate(t, "a CA beside MOICA", issueUnder(t, beside, pkitest.Template{}).DER, verify.ReasonUntrusted, beside.Cert)
	citizen := subCA(t, w.G3.MOICA, pkitest.Template{BasicConstraints: &pkitest.BasicConstraints{}, KeyUsage: x509.KeyUsageDigitalSignature})
	w.wantCertificate(t, "issued by a citizen", issueUnder(t, citizen, pkitest.Template{}).DER, verify.ReasonConstraints, citizen.Cert)
	unknown := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}
	critical := pkitest.Template{Extensions: []pkix.Extension{unknown}}
	w.wantCertificate(t, "an unknown critical extension", issueUnder(t, w.G3.MOICA, critical).DER, verify.ReasonConstraints)
	unknown.Critical = false
	harmless := pkitest.Template{Extensions: []pkix.Extension{unknown}}
	w.wantCertificate(t, "an unknown extension", issueUnder(t, w.G3.MOICA, harmless).DER, "")
	for name, tt := range map[string]struct {
		notAfter time.Time
		want     verify.Reason
	}{
		"notAfter":              {noon(), ""},
		"a second after it":     {noon().Add(-time.Second), verify.ReasonExpired},
		"a second before it":    {noon().Add(time.Second), ""},
		"a nanosecond after it": {noon().Add(-time.Nanosecond), verify.ReasonExpired},
	} {
		w.wantCertificate(t, name, issueUnder(t, w.G3.MOICA, pkitest.Template{NotAfter: tt.notAfter}).DER, tt.want)
	}
}

func attackTestInProduction(t *testing.T, w *world) {
	anchors, err := moica.LoadAnchors(os.DirFS(outside.RealPKI(t)))
	if err != nil {
		t.Fatal(err)
	}
	production := w.newVerifier(t, func(cfg *verify.Config) { cfg.Scheme = moica.Production(anchors) })
	opts := &verify.Options{Certificates: [][]byte{w.G3.MOICA.Cert.Raw, w.G3.Root.Cert.Raw}}
	res, err := production.Certificate(t.Context(), w.card.Cert.Raw, opts)
	wantReason(t, res, err, verify.ReasonUntrusted)
	// Even trusted by a relying party's own pin, its policy is the test's.
	var pins []moica.Pin
	for _, p := range w.Pins() {
		pins = append(pins, moica.Pin(p))
	}
	if anchors, err = moica.LoadAnchors(w.FS(), pins...); err != nil {
		t.Fatal(err)
	}
	pinned := w.newVerifier(t, func(cfg *verify.Config) { cfg.Scheme = moica.Production(anchors) })
	res, err = pinned.Certificate(t.Context(), w.card.Cert.Raw, nil)
	wantReason(t, res, err, verify.ReasonPolicy)
}

// 500 cross certificates cost at most 16 signature checks.
func attackManyCertificates(t *testing.T, w *world) {
	root, err := w.SelfSigned(pkitest.Template{RawSubject: w.G3.MOICA.Cert.RawSubject, SubjectKeyID: w.G3.MOICA.Cert.SubjectKeyId})
	if err != nil {
		t.Fatal(err)
	}
	var crosses []*x509.Certificate
	for range 500 {
		cross := issueUnder(t, root, pkitest.Template{
			RawSubject: root.Cert.RawSubject, Key: root.Key, SubjectKeyID: root.Cert.SubjectKeyId, BasicConstraints: &pkitest.BasicConstraints{CA: true},
			KeyUsage: x509.KeyUsageCertSign,
		})
		crosses = append(crosses, cross.Cert)
	}
	forged := issueUnder(t, root, pkitest.Template{})
	w.wantCertificate(t, "forged", forged.DER, verify.ReasonLimit, crosses...)
	w.wantCertificate(t, "genuine", w.card.Cert.Raw, "", crosses...)
}

func attackSubjects(t *testing.T, w *world) {
	cn := pkitest.NameAttribute{Type: pkitest.OIDCommonName, Value: "王測試"}
	serial := pkitest.NameAttribute{Type: pkitest.OIDSerialNumber, Value: "0000000012345678"}
	subject := func(attributes ...pkitest.NameAttribute) []byte {
		return issueUnder(t, w.G3.MOICA, pkitest.Template{RawSubject: pkitest.Name(attributes...)}).DER
	}
	w.wantCertificate(t, "once", subject(cn, serial), "")
	w.wantCertificate(t, "no serialNumber", subject(cn), verify.ReasonProfile)
	w.wantCertificate(t, "serialNumber twice", subject(cn, serial, serial), verify.ReasonProfile)
	serial.Tag = 12
	w.wantCertificate(t, "serialNumber as UTF8String", subject(cn, serial), verify.ReasonProfile)
	broken := pkitest.Template{SubjectDirectory: []pkitest.Attribute{{Type: pkitest.OIDSubjectType, Values: [][]byte{{6, 127, 1}}}}}
	w.wantCertificate(t, "directory attribute with a wrong length", issueUnder(t, w.G3.MOICA, broken).DER, verify.ReasonProfile)
}
