package evidence_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A verdict for any use is judged again for that use.
func TestUses(t *testing.T) {
	w := newWorld(t)
	for use, name := range map[verify.Use]string{
		verify.UseSignIn: "sign-in", verify.UseFiling: "filing", verify.UseHistorical: "historical",
	} {
		q := evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, name, nil), Options: &verify.Options{Use: use}}
		f := reread(t, ask(t, w.recorder(t), q, nil, ""))
		if f.Record.Asked.Use != name {
			t.Errorf("use is recorded as %q, want %q", f.Record.Asked.Use, name)
		}
		wantSame(t, w.judge(t, nil), f, nil)
	}
}

// A verdict that rests on evidence of both kinds has both, so that who asks for both
// later finds them.
func TestRequireBoth(t *testing.T) {
	w := newWorld(t)
	both := verify.Ladder{Filing: verify.Rungs{RequireBoth: true}}
	recorder := &evidence.Recorder{Verifier: w.verifier(t, func(cfg *verify.Config) { cfg.Ladder = both })}
	judge := w.judge(t, func(cfg *evidence.JudgeConfig) { cfg.Ladder = both })
	q := evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", nil)}
	f := reread(t, ask(t, recorder, q, nil, ""))
	facts := f.Record.Verdict.Signers[0].Revocation
	if len(facts) != 2 {
		t.Errorf("the record has the status of %d certificates, want 2", len(facts))
	}
	for i, fact := range facts {
		if fact.Other == nil || fact.Other.Evidence == fact.Evidence {
			t.Errorf("the record has no evidence of the other kind about certificate %d", i)
		}
	}
	wantSame(t, judge, f, nil)

	one := *f.Record
	one.Objects = nil
	for _, o := range f.Record.Objects {
		if o.Kind != evidence.KindCRL {
			one.Objects = append(one.Objects, o)
		}
	}
	j, err := judge.Judge(t.Context(), &one, nil)
	if err != nil {
		t.Fatal(err)
	}
	if j.Same() || j.Refusal == nil || j.Refusal.Reason != verify.ReasonStatusUnavailable {
		t.Errorf("without the lists: got %v, want status-unavailable", j)
	}
}

// What was accepted as the last that was known is so again, and only by name.
func TestLastKnownGood(t *testing.T) {
	w := newWorld(t)
	last := verify.Ladder{Filing: verify.Rungs{InsecureLastKnownGood: 72 * time.Hour}}
	v := w.verifier(t, func(cfg *verify.Config) { cfg.Ladder = last })
	w.Script(w.G3.MOICA.URLs.OCSP, http.NotFoundHandler())
	q := evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", nil)}
	ask(t, &evidence.Recorder{Verifier: v}, q, nil, "")
	w.silence()
	w.clock.Advance(60 * time.Hour)
	q.Signature = w.sign(t, "another filing", nil)
	f := reread(t, ask(t, &evidence.Recorder{Verifier: v}, q, nil, ""))
	wantSame(t, w.judge(t, func(cfg *evidence.JudgeConfig) { cfg.Ladder = last }), f, nil)
	j, err := w.judge(t, nil).Judge(t.Context(), f.Record, nil)
	if err != nil {
		t.Fatal(err)
	}
	if j.Refusal == nil || j.Refusal.Reason != verify.ReasonStatusStale {
		t.Errorf("under the strict ladder: got %v, want status-stale", j)
	}
}
