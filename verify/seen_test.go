package verify_test

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// A refusal tells by which statements it was reached, those about the CAs too, and
// the path it had found.
func TestRefusalRestsOn(t *testing.T) {
	w := newWorld(t)
	der := w.sign(t, w.card, filing, nil)
	w.G3.MOICA.Revoke(w.card.Cert, noon().Add(-time.Hour), pkitest.ReasonKeyCompromise)
	_, err := w.verifier.SignedData(t.Context(), der, nil)
	wantReason(t, nil, err, verify.ReasonRevoked)
	e, _ := errors.AsType[*verify.Error](err)
	if len(e.Path()) != 3 || !e.Path()[0].Equal(w.card.Cert) {
		t.Errorf("got a path of %d certificates, want that of the card", len(e.Path()))
	}
	revoked, good := 0, 0
	for _, r := range e.Reports {
		switch {
		case r.Says == verify.Revoked && len(r.DER) > 0:
			revoked++
		case r.Says == verify.Good:
			good++
		}
	}
	if revoked != 1 || good != 1 {
		t.Errorf("got %d reports that say revoked and %d good, want one about the card and one about its CA", revoked, good)
	}

	// What came with the refusal brings it about again, without a network.
	var opts verify.Options
	for _, r := range e.Reports {
		opts.Evidence = append(opts.Evidence, verify.Evidence{Kind: r.Kind, DER: r.DER})
	}
	for _, url := range []string{w.G3.MOICA.URLs.OCSP, w.G3.MOICA.URLs.Partition, w.G3.MOICA.URLs.CRL, w.G3.Root.URLs.OCSP, w.G3.Root.URLs.CRL} {
		w.Script(url, http.NotFoundHandler())
	}
	_, err = w.newVerifier(t, nil).SignedData(t.Context(), der, &opts)
	wantReason(t, nil, err, verify.ReasonRevoked)

	other := w.sign(t, w.card, filing, &pkitest.CMSOptions{BreakSignature: true})
	_, err = w.verifier.SignedData(t.Context(), other, nil)
	if e, _ := errors.AsType[*verify.Error](err); len(e.Reports) != 0 {
		t.Errorf("a bad signature rests on %d reports, want none", len(e.Reports))
	}
}

// The document of a statement may be given by its digest, but not both ways.
func TestDocumentDigest(t *testing.T) {
	w := newWorld(t)
	l := signin.Line{Purpose: signin.File, Host: "localhost:8080", Service: "tax", Expiry: noon().Add(time.Minute), Challenge: [signin.ChallengeSize]byte{1}}
	l.Digest = sha256.Sum256([]byte(filing))
	line, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	signature, err := w.card.SignPKCS1([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	right, wrong := sha256.Sum256([]byte(filing)), sha256.Sum256([]byte("another filing"))
	for _, tt := range []struct {
		name   string
		digest []byte
		want   verify.Reason
	}{
		{"right", right[:], ""},
		{"wrong", wrong[:], verify.ReasonDigestMismatch},
		{"cut short", right[:31], verify.ReasonDigestMismatch},
		{"empty", []byte{}, verify.ReasonDigestMismatch},
		{"none", nil, verify.ReasonContentMissing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := &verify.StatementOptions{Host: "localhost:8080", Service: "tax", DocumentDigest: tt.digest}
			res, err := w.verifier.Statement(t.Context(), line, signature, w.card.Cert.Raw, nil, opts)
			wantReason(t, res, err, tt.want)
			signedData := w.sign(t, w.card, line, nil)
			res, err = w.verifier.Statement(t.Context(), line, signedData, nil, nil, opts)
			wantReason(t, res, err, tt.want)
		})
	}
	both := &verify.StatementOptions{Host: "localhost:8080", Service: "tax", DocumentDigest: right[:]}
	res, err := w.verifier.Statement(t.Context(), line, signature, w.card.Cert.Raw, strings.NewReader(filing), both)
	wantReason(t, res, err, verify.ReasonPurpose)
}

// A Basis names what a verifier judges by.
func TestBasis(t *testing.T) {
	w := newWorld(t)
	v := w.newVerifier(t, func(cfg *verify.Config) {
		cfg.InsecureAllowUTF16Line, cfg.InsecureAllowMixedHashes = true, true
	})
	b := v.Basis()
	if b.Scheme != "tw-moica" || b.Environment != verify.Test || b.Policy != "citizencert-strict" || b.PolicyVersion == "" || b.Profile != "moica-test" ||
		b.RevocationSkipped || len(b.Tolerated) != 2 || b.Tolerated[0] != verify.DeviationMixedHashes || b.Tolerated[1] != verify.DeviationUTF16Line {
		t.Errorf("got %+v", b)
	}
	if !v.Now().Equal(noon()) {
		t.Errorf("got %v, want the clock of the verifier", v.Now())
	}
}
