package verify_test

import (
	"errors"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// Whatever the bytes, the outcome is a result or a *verify.Error, never both, and
// a result has the content that was signed.
func FuzzSignedData(f *testing.F) {
	w := newWorld(f)
	for _, opts := range []*pkitest.CMSOptions{nil, {Chunks: 3}, {ByKeyID: true}, {Detached: true}, {NoSignedAttributes: true}, {Repeat: 1}} {
		f.Add(w.sign(f, w.card, filing, opts))
	}
	v := w.newVerifier(f, func(cfg *verify.Config) { cfg.Status, cfg.InsecureSkipRevocation = nil, true })
	f.Fuzz(func(t *testing.T, der []byte) {
		res, err := v.SignedData(t.Context(), der, nil)
		checkOutcome(t, res, err)
		if err == nil && string(res.Content) != filing {
			t.Errorf("got content %q, want what was signed", res.Content)
		}
	})
}

// FuzzCertificate does the same for a certificate.
func FuzzCertificate(f *testing.F) {
	w := newWorld(f)
	for _, tm := range []pkitest.Template{{}, {Carrier: "mobile"}, {Encryption: true}, {SubjectDirectory: []pkitest.Attribute{}}} {
		issued, err := w.G3.MOICA.Issue(tm)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(issued.DER)
	}
	v := w.newVerifier(f, func(cfg *verify.Config) { cfg.Status, cfg.InsecureSkipRevocation = nil, true })
	f.Fuzz(func(t *testing.T, der []byte) {
		res, err := v.Certificate(t.Context(), der, nil)
		checkOutcome(t, res, err)
	})
}

func checkOutcome(t *testing.T, res *verify.Result, err error) {
	t.Helper()
	if (res == nil) == (err == nil) {
		t.Errorf("got result %v and error %v, want one of the two", res, err)
	}
	if e, ok := errors.AsType[*verify.Error](err); err != nil && (!ok || e.Reason == "") {
		t.Errorf("got %T %v, want a *verify.Error with a reason", err, err)
	}
}
