package signin_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A register keeps the verdicts of a service, as evidence.
type register struct {
	*world
	judge  *evidence.Judge
	kept   []*evidence.Record
	log    bytes.Buffer
	unkept error // what the next are answered with
}

func newRegister(t *testing.T) *register {
	t.Helper()
	g := &register{world: newWorld(t)}
	policy := verify.Config{Scheme: testbed.Scheme(t, g.PKI)}
	policy.Scheme.Environment = verify.Custom
	live := policy
	live.Status, live.Clock = testbed.Sources(t, g.clock.Now), g.clock.Now
	cfg := g.cfg
	var err error
	if cfg.Verifier, err = verify.New(live); err != nil {
		t.Fatal(err)
	}
	if g.judge, err = evidence.NewJudge(evidence.JudgeConfig{Config: policy}); err != nil {
		t.Fatal(err)
	}
	recorder := &evidence.Recorder{Verifier: cfg.Verifier}
	cfg.OnVerdict = func(ctx context.Context, v *signin.Verdict) error {
		slog.New(slog.NewTextHandler(&g.log, nil)).Info("verdict", "v", v)
		if (v.Session != nil) != (v.Type == "") {
			t.Errorf("got type %q and session %v, want one of them", v.Type, v.Session)
		}
		rec, err := recorder.Record(ctx, question(v), v.Clock, v.Result, v.Refusal)
		if err != nil {
			return err
		}
		g.kept = append(g.kept, rec)
		return g.unkept
	}
	g.auth, g.site = g.newSite(t, cfg)
	return g
}

// question is what the comment of Verdict says.
func question(v *signin.Verdict) evidence.Question {
	q := evidence.Question{Signature: v.Signature, Certificate: v.Certificate, Options: v.Options}
	switch {
	case v.Type == "":
		q.Method = evidence.Certificate
	case v.Type == signin.PKCS1:
		q.Method, q.Signed = evidence.Signature, []byte(v.Line)
	case v.Detached:
		sum := sha256.Sum256([]byte(v.Line))
		q.Method, q.Sums = evidence.Detached, map[crypto.Hash][]byte{crypto.SHA256: sum[:]}
	default:
		q.Method = evidence.SignedData
	}
	return q
}

// want checks the last verdict, and that it is the same when judged again. A purpose
// goes with a signature, and none with a renewal.
func (g *register) want(t *testing.T, method evidence.Method, purpose signin.Purpose, reason verify.Reason) {
	t.Helper()
	if len(g.kept) == 0 {
		t.Fatal("nothing was kept")
	}
	rec := g.kept[len(g.kept)-1]
	g.kept = nil
	line, err := signin.ParseLine(rec.Asked.Line)
	if (err == nil) != (purpose != "") || line.Purpose != purpose || rec.Asked.Method != method || rec.Asked.Use != "sign-in" {
		t.Errorf("got %s of line %q for %s, want %s for purpose %q", rec.Asked.Method, rec.Asked.Line, rec.Asked.Use, method, purpose)
	}
	if refusal := rec.Verdict.Refusal; (refusal == nil) != (reason == "") || refusal != nil && refusal.Reason != reason {
		t.Errorf("got %+v, want reason %q", refusal, reason)
	}
	again, err := g.judge.Judge(t.Context(), rec, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Same() || len(again.Context) > 0 {
		t.Errorf("got %v", again)
	}
}

// What a sign-in rested on is kept, and judged again: by the card's signature of
// either form, and where it was refused.
func TestOnVerdict(t *testing.T) {
	g := newRegister(t)
	b := g.browser(t)
	for kind, method := range map[signin.SignatureType]evidence.Method{signin.PKCS1: evidence.Signature, signin.PKCS7: evidence.SignedData} {
		c := b.beginWith(kind)
		b.accepted(b.finish(c, sign(t, g.card, c)))
		g.want(t, method, signin.SignIn, "")
	}
	c := b.begin()
	b.finish(c, signText(t, g.card, signin.PKCS1, "something else"))
	g.want(t, evidence.Signature, signin.SignIn, verify.ReasonBadSignature)

	g.unkept = errors.New("the disk is full")
	c = b.begin()
	g.refused(t, b.finish(c, sign(t, g.card, c)), signin.CodeInternal, signin.ReasonInternal)
	c = b.begin()
	g.refused(t, b.finish(c, signText(t, g.card, signin.PKCS1, "something else")), signin.CodeSignature, signin.Reason(verify.ReasonBadSignature))
	if strings.Count(g.world.log.String(), g.unkept.Error()) != 2 {
		t.Errorf("the operator is not told twice of the full disk: %s", g.world.log)
	}
	g.unkept = nil

	g.G3.MOICA.Revoke(g.card.Cert, noon(), pkitest.ReasonKeyCompromise)
	g.clock.Advance(verify.SignInOCSPAge + 1)
	c = b.begin()
	b.finish(c, sign(t, g.card, c))
	g.want(t, evidence.Signature, signin.SignIn, verify.ReasonRevoked)
	g.logged(t)
}

// logged checks that answers are in the log, and nobody's name.
func (g *register) logged(t *testing.T) {
	t.Helper()
	log := g.log.String()
	testbed.Nameless(t, g.card, log)
	if strings.Contains(log, "panic") || !strings.Contains(log, "v.result.signers=1") || !strings.Contains(log, `v.refusal="verify:`) {
		t.Errorf("got %s, want results and refusals", log)
	}
}

// The renewal of a session asks about its certificate, and that is a verdict too. One
// that cannot be kept renews nothing, and says nothing against the certificate.
func TestOnVerdictOfRenewal(t *testing.T) {
	g := newRegister(t)
	b := g.browser(t)
	b.signIn(g.card)
	g.want(t, evidence.Signature, signin.SignIn, "")
	b.accepted(b.do("GET", "/account", nil))
	if len(g.kept) != 0 {
		t.Errorf("got %d verdicts of a request that asked nobody", len(g.kept))
	}
	g.clock.Advance(signin.MaxTokenLife / 2)
	token := b.cookies[sessionCookie]
	b.accepted(b.do("GET", "/account", nil))
	g.want(t, evidence.Certificate, "", "")
	if b.cookies[sessionCookie] == token {
		t.Error("the session was not renewed")
	}

	g.unkept = errors.New("the disk is full")
	token = b.cookies[sessionCookie]
	g.clock.Advance(signin.MaxTokenLife / 2)
	b.accepted(b.do("GET", "/account", nil)) // until the token expires
	if b.cookies[sessionCookie] != token || !strings.Contains(g.world.log.String(), "the disk is full") {
		t.Errorf("renewed without a record, or the operator is not told: %s", g.world.log)
	}
	g.clock.Advance(signin.MaxTokenLife / 2)
	g.refused(t, b.do("GET", "/account", nil), signin.CodeUnavailable, signin.ReasonStore)
	g.unkept = nil
	b.accepted(b.do("GET", "/account", nil))
	g.want(t, evidence.Certificate, "", "")

	g.G3.MOICA.Suspend(g.card.Cert, g.clock.Now())
	g.clock.Advance(signin.MaxTokenLife)
	g.unkept = errors.New("the disk is full") // a refusal stands, kept or not
	g.refused(t, b.do("GET", "/account", nil), signin.CodeSuspended, signin.Reason(verify.ReasonSuspended))
	g.want(t, evidence.Certificate, "", verify.ReasonSuspended)
	g.logged(t)
}

// What a phone has signed is kept like what a card has.
func TestOnVerdictOfPhone(t *testing.T) {
	g := newRegister(t)
	phone := g.issue(t, g.G3.IssueMobile)
	sign := func(line string, signedData bool) signin.RemoteAnswer {
		answer := signin.RemoteAnswer{Carrier: verify.Mobile, Certificate: phone.Cert.Raw, SignedData: signedData}
		var err error
		if signedData {
			answer.Signature, err = phone.SignPKCS7([]byte(line), nil)
		} else {
			answer.Signature, err = phone.SignPKCS1([]byte(line))
		}
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	for signedData, method := range map[bool]evidence.Method{false: evidence.Signature, true: evidence.Detached} {
		b := g.browser(t)
		at := g.beginRemote(t, b, signin.RemoteRequest{})
		_, err := g.auth.FinishRemote(httptest.NewRecorder(), b.request(), at, sign("something else", signedData))
		if err == nil {
			t.Error("another text was accepted")
		}
		at = g.beginRemote(t, b, signin.RemoteRequest{})
		if _, err := g.auth.FinishRemote(httptest.NewRecorder(), b.request(), at, sign(at.Line, signedData)); err != nil {
			t.Fatal(err)
		}
		if len(g.kept) != 2 {
			t.Errorf("got %d verdicts, want two", len(g.kept))
		}
		g.want(t, method, signin.SignIn, "")
		g.unkept = errors.New("the disk is full")
		at = g.beginRemote(t, b, signin.RemoteRequest{})
		_, err = g.auth.FinishRemote(httptest.NewRecorder(), b.request(), at, sign(at.Line, signedData))
		wantReason(t, err, signin.ReasonInternal)
		g.unkept, g.kept = nil, nil
	}
}
