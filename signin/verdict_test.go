package signin_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// What a sign-in rested on is kept, and judged again: by the card's signature of
// either form, and where it was refused.
func TestOnVerdict(t *testing.T) {
	w := newWorld(t)
	hosts := []string{"127.0.0.1"}
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: hosts, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer responders.Close()
	lists, err := crl.New(crl.Config{AllowedHosts: hosts, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer lists.Close()
	var policy verify.Config
	w.verifier(t, verify.Custom, func(s *verify.Scheme) { policy.Scheme = *s })
	live := policy
	live.Scheme.Environment, policy.Scheme.Environment = verify.Custom, verify.Custom
	live.Status, live.Clock = []verify.StatusSource{responders, lists}, w.clock.Now
	cfg := w.cfg
	if cfg.Verifier, err = verify.New(live); err != nil {
		t.Fatal(err)
	}
	recorder := &evidence.Recorder{Verifier: cfg.Verifier}
	judge, err := evidence.NewJudge(evidence.JudgeConfig{Config: policy})
	if err != nil {
		t.Fatal(err)
	}
	var kept []*evidence.Record
	var log bytes.Buffer
	var unkept error
	cfg.OnVerdict = func(ctx context.Context, v *signin.Verdict) error {
		slog.New(slog.NewTextHandler(&log, nil)).Info("verdict", "v", v)
		q := evidence.Question{Method: evidence.SignedData, Signature: v.Signature, Options: v.Options}
		switch sum := sha256.Sum256([]byte(v.Line)); {
		case v.Type == signin.PKCS1:
			q.Method, q.Certificate, q.Signed = evidence.Signature, v.Certificate, []byte(v.Line)
		case v.Detached:
			q.Method, q.Sums = evidence.Detached, map[crypto.Hash][]byte{crypto.SHA256: sum[:]}
		}
		rec, err := recorder.Record(ctx, q, v.Clock, v.Result, v.Refusal)
		if err != nil {
			return err
		}
		kept = append(kept, rec)
		return unkept
	}
	w.auth, w.site = w.newSite(t, cfg)

	wantKept := func(purpose signin.Purpose, reason verify.Reason) {
		t.Helper()
		if len(kept) == 0 {
			t.Fatal("nothing was kept")
		}
		rec := kept[len(kept)-1]
		kept = nil
		if line, err := signin.ParseLine(rec.Asked.Line); err != nil || line.Purpose != purpose || rec.Asked.Use != "sign-in" {
			t.Errorf("got line %q for %s (%v), want purpose %v", rec.Asked.Line, rec.Asked.Use, err, purpose)
		}
		if refusal := rec.Verdict.Refusal; (refusal == nil) != (reason == "") || refusal != nil && refusal.Reason != reason {
			t.Errorf("got %+v, want reason %q", refusal, reason)
		}
		again, err := judge.Judge(t.Context(), rec, &evidence.Given{Content: strings.NewReader(rec.Asked.Line)})
		if err != nil {
			t.Fatal(err)
		}
		if !again.Same() || len(again.Context) > 0 {
			t.Errorf("got %v", again)
		}
	}
	b := w.browser(t)
	for _, kind := range []signin.SignatureType{signin.PKCS1, signin.PKCS7} {
		c := b.beginWith(kind)
		b.accepted(b.finish(c, sign(t, w.card, c)))
		wantKept(signin.SignIn, "")
	}
	c := b.begin()
	b.finish(c, signText(t, w.card, signin.PKCS1, "something else"))
	wantKept(signin.SignIn, verify.ReasonBadSignature)

	unkept = errors.New("the disk is full")
	c = b.begin()
	w.refused(t, b.finish(c, sign(t, w.card, c)), signin.CodeInternal, signin.ReasonInternal)
	c = b.begin()
	w.refused(t, b.finish(c, signText(t, w.card, signin.PKCS1, "something else")), signin.CodeSignature, signin.Reason(verify.ReasonBadSignature))
	if strings.Count(w.log.String(), unkept.Error()) != 2 {
		t.Errorf("the operator is not told twice of the full disk: %s", w.log)
	}
	unkept = nil

	// What a phone has signed is kept alike.
	phone := w.issue(t, w.G3.IssueMobile)
	finish := func(line string, sign func(text []byte) ([]byte, error), answer signin.RemoteAnswer) error {
		t.Helper()
		b := w.browser(t)
		at := w.beginRemote(t, b, signin.RemoteRequest{})
		text := []byte(cmp.Or(line, at.Line))
		if answer.Signature, err = sign(text); err != nil {
			t.Fatal(err)
		}
		answer.Carrier = verify.Mobile
		_, err = w.auth.FinishRemote(httptest.NewRecorder(), b.request(), at, answer)
		return err
	}
	pkcs7 := func(detached bool) func([]byte) ([]byte, error) {
		return func(text []byte) ([]byte, error) {
			return phone.SignPKCS7(text, &pkitest.CMSOptions{Detached: detached})
		}
	}
	bare := signin.RemoteAnswer{Certificate: phone.Cert.Raw}
	wantReason(t, finish("", phone.SignPKCS1, bare), "")
	wantKept(signin.SignIn, "")
	for _, detached := range []bool{false, true} {
		wantReason(t, finish("", pkcs7(detached), signin.RemoteAnswer{SignedData: true}), "")
		wantKept(signin.SignIn, "")
	}
	wantReason(t, finish("something else", phone.SignPKCS1, bare), signin.Reason(verify.ReasonBadSignature))
	wantKept(signin.SignIn, verify.ReasonBadSignature)
	unkept = errors.New("the disk is full")
	wantReason(t, finish("", phone.SignPKCS1, bare), signin.ReasonInternal)
	unkept = nil

	w.G3.MOICA.Revoke(w.card.Cert, noon(), pkitest.ReasonKeyCompromise)
	w.clock.Advance(verify.SignInOCSPAge + 1)
	c = b.begin()
	b.finish(c, sign(t, w.card, c))
	wantKept(signin.SignIn, verify.ReasonRevoked)

	for _, personal := range []string{"王測試", "6789", fmt.Sprintf("%X", w.card.Cert.SerialNumber)} {
		if strings.Contains(log.String(), personal) {
			t.Errorf("%q is in the log: %s", personal, &log)
		}
	}
}
