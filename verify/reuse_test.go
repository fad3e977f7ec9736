package verify_test

import (
	"reflect"
	"sync"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// The memory of a judgement is used again. What came of it stays as it was, and
// nothing of one message is left for the next.
func TestVerdictsOutliveJudgements(t *testing.T) {
	w := newWorld(t)
	other := w.issue(t, w.G3)
	good := w.sign(t, w.card, filing, nil)
	tampered := w.sign(t, w.card, filing, &pkitest.CMSOptions{MessageDigest: make([]byte, 32)})
	messages := [][]byte{good, w.sign(t, other, "another", nil), tampered, good[:len(good)-1]}
	type verdict struct {
		trace  string
		signer string
		result *verify.Result
		err    error
	}
	judge := func(message []byte) (v verdict) {
		if v.result, v.err = w.verifier.SignedData(t.Context(), message, nil); v.err != nil {
			v.trace = v.err.Error()
			return v
		}
		v.trace, v.signer = v.result.Explain().String(), string(v.result.Signers[0].Path[0].Raw)
		return v
	}
	var want []verdict
	for _, message := range messages {
		judge(message) // from here on the status of every certificate is held
		want = append(want, judge(message))
	}
	if want[0].err != nil || want[1].err != nil || want[2].err == nil || want[3].err == nil || want[0].signer == want[1].signer {
		t.Fatalf("got %v, want two verdicts on two signers and two refusals", want)
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 40 {
				n := (i + worker) % len(messages)
				if got := judge(messages[n]); got.trace != want[n].trace || got.signer != want[n].signer {
					t.Errorf("message %d: got\n%s\nwant\n%s", n, got.trace, want[n].trace)
				}
			}
		})
	}
	group.Wait()
	for n, message := range messages {
		if v := want[n]; v.err == nil && (v.result.Explain().String() != v.trace || !reflect.DeepEqual(v.result, judge(message).result)) {
			t.Errorf("the verdict on message %d has changed", n)
		}
	}
}
