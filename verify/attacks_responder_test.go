package verify_test

import (
	"context"
	"crypto/x509"
	"net/http"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A responder without ocsp-nocheck is believed when lists say that it is good.
func attackUncheckedResponder(t *testing.T) {
	down := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(http.StatusInternalServerError) })
	for _, tt := range []struct {
		name    string
		noCheck bool
		prepare func(w *world, responder *x509.Certificate, script func(pkitest.OCSPOptions))
		want    verify.Reason
		kind    verify.EvidenceKind
	}{
		{"good by the lists", false, func(*world, *x509.Certificate, func(pkitest.OCSPOptions)) {}, "", verify.OCSPEvidence},
		{"revoked by the lists", false, func(w *world, responder *x509.Certificate, _ func(pkitest.OCSPOptions)) {
			w.G3.MOICA.Revoke(responder, noon(), pkitest.ReasonKeyCompromise)
		}, "", verify.CRLEvidence},
		{"revoked by the lists, says revoked", false, func(w *world, responder *x509.Certificate, script func(pkitest.OCSPOptions)) {
			w.G3.MOICA.Revoke(responder, noon(), pkitest.ReasonKeyCompromise)
			script(pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{{Status: pkitest.OCSPRevoked, Serial: w.card.Cert.SerialNumber}}})
		}, "", verify.CRLEvidence},
		{"lists down", false, func(w *world, _ *x509.Certificate, _ func(pkitest.OCSPOptions)) {
			w.Script(w.G3.MOICA.URLs.CRL, down)
			w.Script(w.G3.MOICA.URLs.Partition, down)
		}, verify.ReasonStatusUnavailable, ""},
		{"lists down, ocsp-nocheck", true, func(w *world, _ *x509.Certificate, _ func(pkitest.OCSPOptions)) {
			w.Script(w.G3.MOICA.URLs.CRL, down)
			w.Script(w.G3.MOICA.URLs.Partition, down)
		}, "", verify.OCSPEvidence},
		{"lists down, says revoked", false, func(w *world, _ *x509.Certificate, _ func(pkitest.OCSPOptions)) {
			w.Script(w.G3.MOICA.URLs.CRL, down)
			w.Script(w.G3.MOICA.URLs.Partition, down)
			w.G3.MOICA.Revoke(w.card.Cert, noon(), pkitest.ReasonKeyCompromise)
		}, verify.ReasonRevoked, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			issued, err := w.G3.MOICA.IssueResponder(func(tm *pkitest.Template) {
				tm.CRLDistributionPoints = nil // as citizens have them
				if !tt.noCheck {
					tm.Extensions = nil
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			script := func(o pkitest.OCSPOptions) {
				o.Signer = &pkitest.Signer{Cert: issued.Cert, Key: issued.Key}
				w.Script(w.G3.MOICA.URLs.OCSP, w.G3.MOICA.OCSPHandler(o))
			}
			script(pkitest.OCSPOptions{})
			tt.prepare(w, issued.Cert, script)
			res, err := w.verifier.Certificate(t.Context(), w.card.Cert.Raw, nil)
			wantReason(t, res, err, tt.want)
			if err != nil {
				return
			}
			fact := res.Signers[0].Revocation[0]
			if fact.Report.Kind != tt.kind {
				t.Errorf("got %v (%v), want %v", fact.Report.Kind, fact.Failed, tt.kind)
			}
			if tt.kind != verify.OCSPEvidence {
				return
			}
			if a := fact.Authorities; len(a) != 1 || a[0].NoCheck != tt.noCheck || len(a[0].Revocation) != 1 && !tt.noCheck {
				t.Errorf("got authorities %+v, want the responder with its status", a)
			}
		})
	}
}

// selfish answers every question with an answer that one responder has signed.
type selfish struct {
	signer *x509.Certificate
	asked  int
}

func (s *selfish) Status(_ context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	s.asked++
	return []verify.StatusReport{{
		Rung: verify.RungOCSP, Kind: verify.OCSPEvidence, Signer: s.signer, Says: verify.Good,
		ThisUpdate: q.Now, NextUpdate: q.Now.Add(time.Hour), ProducedAt: q.Now,
	}}, nil
}

// byIssuer asks one source about what a CA has issued and another about the CA.
type byIssuer struct {
	root, ca *selfish
	cert     *x509.Certificate
}

func (b byIssuer) Status(ctx context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	if q.Issuer.Equal(b.cert) {
		return b.ca.Status(ctx, q)
	}
	return b.root.Status(ctx, q)
}

func attackResponderRecursion(t *testing.T) {
	w := newWorld(t)
	// The same CA under another certificate is no delegate.
	again, err := w.G3.Root.IssueCA(pkitest.Template{RawSubject: w.G3.MOICA.Cert.RawSubject, Key: w.G3.MOICA.Key})
	if err != nil {
		t.Fatal(err)
	}
	root, moica := &selfish{signer: w.G3.Root.Cert}, &selfish{signer: again.Cert}
	v := w.newVerifier(t, func(cfg *verify.Config) { cfg.Status = []verify.StatusSource{byIssuer{root, moica, w.G3.MOICA.Cert}} })
	res, err := v.Certificate(t.Context(), w.card.Cert.Raw, nil)
	wantReason(t, res, err, "")

	for noCheck, want := range map[bool]verify.Reason{true: "", false: verify.ReasonStatusUnavailable} {
		issued, err := w.G3.MOICA.IssueResponder(func(tm *pkitest.Template) {
			if !noCheck {
				tm.Extensions = nil
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		source := &selfish{signer: issued.Cert}
		v := w.newVerifier(t, func(cfg *verify.Config) { cfg.Status = []verify.StatusSource{source} })
		res, err := v.Certificate(t.Context(), w.card.Cert.Raw, nil)
		wantReason(t, res, err, want)
		if source.asked > 8 {
			t.Errorf("source was asked %d times", source.asked)
		}
	}
}
