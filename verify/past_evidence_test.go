package verify_test

import (
	"testing"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// Whatever came out at an instant of the past, its record alone brings it out again.
func TestPastEvidence(t *testing.T) {
	w := newPastWorld(t)
	der, _ := w.signatureOf(t, w.card)
	recorder := &evidence.Recorder{Verifier: w.verifier}
	policy := verify.Config{Scheme: w.scheme(t)}
	w.believe(&policy)
	judge, err := evidence.NewJudge(evidence.JudgeConfig{Config: policy})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range pastCases() {
		t.Run(c.name, func(t *testing.T) {
			opts := &verify.Options{ReceivedAt: noon().Add(c.at)}
			for _, known := range c.evidence {
				opts.Evidence = append(opts.Evidence, known(t, w))
			}
			rec, res, err := recorder.Ask(t.Context(), evidence.Question{Method: evidence.SignedData, Signature: der, Options: opts}, nil)
			if rec == nil {
				t.Fatal(err)
			}
			c.check(t, res, err, verify.InstantReceipt)
			again, err := judge.Judge(t.Context(), rec, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !again.Same() {
				t.Errorf("got %v", again)
			}
		})
	}
}
