package verify_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// revocationAttacks are the attacks on who signs evidence, each with the neighbours
// that pass. What one list or answer says is for packages crl and ocspclient.
var revocationAttacks = map[string]func(*testing.T){
	"C01 key of another generation":      attackForeignList,
	"C01 key of its own for lists":       attackListKey,
	"C01 key for lists, revoked later":   attackListKeyLater,
	"C01 indirect list":                  attackIndirectList,
	"O03 responder that may be revoked":  attackUncheckedResponder,
	"O03 responder vouching for another": attackResponderRecursion,
}

// A listWorld judges one certificate by lists that somebody has brought.
type listWorld struct {
	*world
	scheme     verify.Scheme
	cert       *x509.Certificate
	receivedAt time.Time
}

// newListWorld trusts the root of G3, and knows its MOICA, without the rules of
// MOICA's profile.
func newListWorld(t *testing.T) *listWorld {
	t.Helper()
	w := newWorld(t)
	return &listWorld{world: w, cert: w.card.Cert, scheme: verify.Scheme{
		Name: "custom", Environment: verify.Custom,
		Anchors: []*x509.Certificate{w.G3.Root.Cert}, Intermediates: []*x509.Certificate{w.G3.MOICA.Cert},
		SeparateCRLKeys: true,
	}}
}

// list returns a list of a CA.
func (w *listWorld) list(t *testing.T, ca *pkitest.CA, o pkitest.CRLOptions) []byte {
	t.Helper()
	der, err := ca.CRL(o)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// want judges the certificate by the list of the root and others.
func (w *listWorld) want(t *testing.T, name string, want verify.Reason, hints []*x509.Certificate, lists ...[]byte) *verify.Result {
	t.Helper()
	store, err := crl.New(crl.Config{Offline: true, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, list := range append(lists, w.list(t, w.G3.Root, pkitest.CRLOptions{})) {
		if err := store.Add(list, ""); err != nil {
			t.Fatal(err)
		}
	}
	v := w.newVerifier(t, func(cfg *verify.Config) { cfg.Scheme, cfg.Status = w.scheme, []verify.StatusSource{store} })
	opts := &verify.Options{Use: verify.UseFiling, ReceivedAt: w.receivedAt}
	for _, hint := range hints {
		opts.Certificates = append(opts.Certificates, hint.Raw)
	}
	res, err := v.Certificate(t.Context(), w.cert.Raw, opts)
	t.Run(name, func(t *testing.T) { wantReason(t, res, err, want) })
	return res
}

func by(ca *pkitest.CA) *pkitest.Signer { return &pkitest.Signer{Cert: ca.Cert, Key: ca.Key} }

// lists of another generation of MOICA never speak for a certificate, whether the
// scheme lets CAs have keys for lists or not.
func attackForeignList(t *testing.T) {
	w := newListWorld(t)
	g2, g3 := w.G2.MOICA, w.G3.MOICA
	own := w.list(t, g3, pkitest.CRLOptions{})
	foreign := w.list(t, g2, pkitest.CRLOptions{})
	disguised := w.list(t, g3, pkitest.CRLOptions{Signer: by(g2), Omit: []asn1.ObjectIdentifier{pkitest.OIDAuthorityKeyID}})
	hints := []*x509.Certificate{g2.Cert, w.G2.Root.Cert}

	separate := w.scheme
	separate.Anchors = []*x509.Certificate{w.G2.Root.Cert, w.G3.Root.Cert}
	strict := w.world.scheme(t)
	for name, scheme := range map[string]verify.Scheme{"moica": strict, "separate keys": w.scheme, "separate keys, both roots": separate} {
		w.scheme = scheme
		w.want(t, name+", own list", "", hints, own)
		w.want(t, name+", other generation's", verify.ReasonStatusUnavailable, hints, foreign)
		w.want(t, name+", other generation's key", verify.ReasonStatusUnavailable, hints, disguised)
	}
	strict.SeparateCRLKeys = true
	for name, scheme := range map[string]verify.Scheme{"moica": strict, "two anchors": {
		Environment: verify.Custom, Anchors: []*x509.Certificate{g2.Cert, g3.Cert}, SeparateCRLKeys: true,
	}} {
		if _, err := verify.New(verify.Config{Scheme: scheme, Status: w.sources(t)}); err == nil {
			t.Errorf("%s: got a verifier for separate keys, want an error", name)
		}
		scheme.SeparateCRLKeys = false
		if _, err := verify.New(verify.Config{Scheme: scheme, Status: w.sources(t)}); err != nil {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

// A key for lists is certified under the CA's name, below the same anchor.
func attackListKey(t *testing.T) {
	w := newListWorld(t)
	moica := w.G3.MOICA
	certify := func(ca *pkitest.CA, usage x509.KeyUsage, change func(*pkitest.Template)) *pkitest.CA {
		tm := pkitest.Template{RawSubject: moica.Cert.RawSubject, KeyUsage: usage, BasicConstraints: &pkitest.BasicConstraints{}}
		if change != nil {
			change(&tm)
		}
		return subCA(t, ca, tm)
	}
	signed := func(key *pkitest.CA, entries ...pkitest.CRLEntry) []byte {
		return w.list(t, moica, pkitest.CRLOptions{Signer: by(key), AuthorityKeyID: key.Cert.SubjectKeyId, Entries: entries})
	}
	hint := func(cas ...*pkitest.CA) (certs []*x509.Certificate) {
		for _, ca := range cas {
			certs = append(certs, ca.Cert)
		}
		return certs
	}
	revoked := pkitest.CRLEntry{Serial: w.cert.SerialNumber, RevocationDate: noon().Add(-time.Hour), Reason: pkitest.ReasonKeyCompromise}

	key := certify(w.G3.Root, x509.KeyUsageCRLSign, nil)
	res := w.want(t, "key for lists", "", hint(key), signed(key))
	if res != nil {
		fact := res.Signers[0].Revocation[0]
		if len(fact.Authorities) != 1 || !fact.Authorities[0].Path[0].Equal(key.Cert) || len(fact.Authorities[0].Revocation) != 1 {
			t.Errorf("got authorities %v, want the key for lists with its status", fact.Authorities)
		}
	}
	w.want(t, "key for lists, revoked", verify.ReasonRevoked, hint(key), signed(key, revoked))
	w.want(t, "key for lists, unknown", verify.ReasonStatusUnavailable, nil, signed(key))

	noSign := certify(w.G3.Root, x509.KeyUsageDigitalSignature, nil)
	w.want(t, "without cRLSign", verify.ReasonStatusUnavailable, hint(noSign), signed(noSign))
	noUsage := certify(w.G3.Root, 0, func(tm *pkitest.Template) { tm.Omit = []asn1.ObjectIdentifier{pkitest.OIDKeyUsage} })
	w.want(t, "without keyUsage", verify.ReasonStatusUnavailable, hint(noUsage), signed(noUsage))
	renamed := certify(w.G3.Root, x509.KeyUsageCRLSign, func(tm *pkitest.Template) { tm.RawSubject = w.G3.Root.Cert.RawSubject })
	w.want(t, "another name", verify.ReasonStatusUnavailable, hint(renamed), signed(renamed))
	expired := certify(w.G3.Root, x509.KeyUsageCRLSign, func(tm *pkitest.Template) { tm.NotAfter = noon().Add(-time.Second) })
	w.want(t, "expired", verify.ReasonStatusUnavailable, hint(expired), signed(expired))
	foreign := certify(w.G2.Root, x509.KeyUsageCRLSign, nil)
	w.scheme.Anchors = append(w.scheme.Anchors, w.G2.Root.Cert)
	foreignRoot := w.list(t, w.G2.Root, pkitest.CRLOptions{})
	w.want(t, "below another anchor", verify.ReasonStatusUnavailable, hint(foreign), signed(foreign), foreignRoot)
	w.want(t, "key for lists, with another anchor", "", hint(key), signed(key))
	citizen := subCA(t, moica, pkitest.Template{KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraints: &pkitest.BasicConstraints{}})
	below := certify(citizen, x509.KeyUsageCRLSign, nil)
	w.want(t, "certified by a citizen", verify.ReasonStatusUnavailable, hint(citizen, below), signed(below))

	// Nobody vouches for itself: MOICA's own certificate for the key is on no list
	// but those signed with the key.
	self := certify(moica, x509.KeyUsageCRLSign, nil)
	w.want(t, "vouching for itself", verify.ReasonStatusUnavailable, hint(self), signed(self))
	other := certify(moica, x509.KeyUsageCRLSign, nil)
	w.want(t, "vouching for each other", verify.ReasonStatusUnavailable, hint(self, other), signed(self), signed(other))
	w.want(t, "one of them vouched for", "", hint(self, other, key), signed(self), signed(key))

	// Decoys use up what is looked at of a message, but not what the scheme knows.
	var decoys []*pkitest.CA
	for range 9 {
		decoys = append(decoys, certify(moica, x509.KeyUsageCRLSign, nil))
	}
	w.want(t, "among decoys", verify.ReasonStatusUnavailable, hint(append(decoys, key)...), signed(key))
	w.want(t, "before decoys", "", hint(append([]*pkitest.CA{key}, decoys[1:]...)...), signed(key))
	w.scheme.Intermediates = append(w.scheme.Intermediates, key.Cert)
	w.want(t, "known, among decoys", "", hint(decoys...), signed(key))

	strict := *w
	strict.scheme.SeparateCRLKeys = false
	strict.want(t, "not admitted", verify.ReasonStatusUnavailable, hint(key), signed(key))
	list := signed(key)
	w.G3.Root.Revoke(key.Cert, noon(), pkitest.ReasonKeyCompromise)
	w.want(t, "key for lists has been revoked", verify.ReasonStatusUnavailable, hint(key), list)
}

// At an instant in the past, a list made with a key counts if it was made before
// the key was revoked.
func attackListKeyLater(t *testing.T) {
	w := newListWorld(t)
	moica := w.G3.MOICA
	key := subCA(t, w.G3.Root, pkitest.Template{
		RawSubject: moica.Cert.RawSubject, KeyUsage: x509.KeyUsageCRLSign, BasicConstraints: &pkitest.BasicConstraints{},
		NotAfter: noon().Add(24 * time.Hour),
	})
	hints := []*x509.Certificate{key.Cert}
	w.receivedAt = noon()
	w.clock.Advance(48 * time.Hour)
	made := func(after time.Duration) []byte {
		return w.list(t, moica, pkitest.CRLOptions{
			Signer: by(key), AuthorityKeyID: key.Cert.SubjectKeyId,
			ThisUpdate: noon().Add(after), NextUpdate: noon().Add(72 * time.Hour),
		})
	}
	current := w.list(t, w.G3.Root, pkitest.CRLOptions{ThisUpdate: noon(), NextUpdate: noon().Add(time.Hour)})
	w.want(t, "as its certificate ends", "", hints, made(24*time.Hour), current)
	w.want(t, "after its certificate ended", verify.ReasonStatusUnavailable, hints, made(24*time.Hour+time.Second), current)
	w.G3.Root.Revoke(key.Cert, noon().Add(time.Hour), pkitest.ReasonKeyCompromise)
	w.want(t, "before it was revoked", "", hints, made(time.Hour-time.Second), current)
	w.want(t, "when it was revoked", verify.ReasonStatusUnavailable, hints, made(time.Hour), current)
}

// An indirect list speaks for whom names its issuer in the certificate.
func attackIndirectList(t *testing.T) {
	w := newListWorld(t)
	ca := subCA(t, w.G3.Root, pkitest.Template{RawSubject: pkitest.Name(
		pkitest.NameAttribute{Type: pkitest.OIDCountry, Value: "TW"}, pkitest.NameAttribute{Type: pkitest.OIDCommonName, Value: "(測試用) lists"})})
	point := dertest.TLV(0x30, dertest.TLV(0x30, dertest.TLV(0xa2, dertest.TLV(0xa4, ca.Cert.RawSubject))))
	names := pkitest.Template{
		CRLDistributionPoints: []string{},
		Extensions:            []pkix.Extension{{Id: pkitest.OIDCRLDistributionPoints, Value: point}},
	}
	w.cert = issueUnder(t, w.G3.MOICA, names).Cert
	indirect := &pkitest.IssuingDistributionPoint{Indirect: true}
	issuer := func(name []byte) []pkix.Extension {
		return []pkix.Extension{{Id: pkitest.OIDCertificateIssuer, Critical: true, Value: dertest.TLV(0x30, dertest.TLV(0xa4, name))}}
	}
	entry := pkitest.CRLEntry{Serial: w.cert.SerialNumber, RevocationDate: noon().Add(-time.Hour), Reason: pkitest.ReasonKeyCompromise}
	ours := entry
	ours.Extensions = issuer(w.G3.MOICA.Cert.RawSubject)
	hints := []*x509.Certificate{ca.Cert}
	good := w.list(t, ca, pkitest.CRLOptions{IssuingDistributionPoint: indirect})

	w.want(t, "named", "", hints, good)
	w.want(t, "named, of the CA's own", "", hints, w.list(t, ca, pkitest.CRLOptions{IssuingDistributionPoint: indirect, Entries: []pkitest.CRLEntry{entry}}))
	w.want(t, "named, revoked", verify.ReasonRevoked, hints, w.list(t, ca, pkitest.CRLOptions{IssuingDistributionPoint: indirect, Entries: []pkitest.CRLEntry{ours}}))
	w.want(t, "named, certificate not at hand", verify.ReasonStatusUnavailable, nil, good)
	w.want(t, "not an indirect list", verify.ReasonStatusUnavailable, hints, w.list(t, ca, pkitest.CRLOptions{}))
	strict := *w
	strict.scheme.SeparateCRLKeys = false
	strict.want(t, "not admitted", verify.ReasonStatusUnavailable, hints, good)
	w.cert = issueUnder(t, w.G3.MOICA, pkitest.Template{}).Cert
	w.want(t, "not named", verify.ReasonStatusUnavailable, hints, good)
	w.want(t, "not named, list of its CA", "", hints, w.list(t, w.G3.MOICA, pkitest.CRLOptions{}))
}
