package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/verify"
)

// What -explain adds to a verdict, in both forms, and nothing without it.
func TestExplain(t *testing.T) {
	w := newWorld(t)
	file := writeTemp(t, "filing.p7m", w.attached)
	detached := writeTemp(t, "filing.p7s", w.detached)
	other := writeTemp(t, "other.txt", []byte("另一份"))
	full := w.trustFlags(t)
	for _, test := range []struct {
		name           string
		args           []string
		main           verify.Indication
		sub            verify.SubIndication
		refused        verify.Check // empty if valid
		sentence, line string
	}{
		{"valid", with(full, file), verify.TotalPassed, "", "", "The signature has been verified.", "passed: "},
		{"other content", with(full, "-content", other, detached), verify.TotalFailed, "HASH_FAILURE", verify.CheckContent,
			verify.ReasonDigestMismatch.Sentence("en"), "refused: the content is what was signed"},
		{"no evidence", with(w.pathFlags(t), file), verify.Indeterminate, "TRY_LATER", verify.CheckStatus,
			verify.ReasonStatusUnavailable.Sentence("en"), "refused: not revoked or suspended"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var v struct {
				Indication    verify.Indication
				SubIndication verify.SubIndication
				Explanation   *explanation
			}
			call(t, with([]string{"verify"}, test.args...)...).decodeJSON(t, &v)
			if v.Explanation != nil || v.Indication != test.main || v.SubIndication != test.sub {
				t.Errorf("without -explain: got %s, %s, %v, want %s, %s and nothing more", v.Indication, v.SubIndication, v.Explanation, test.main, test.sub)
			}
			call(t, with([]string{"verify", "-explain"}, test.args...)...).decodeJSON(t, &v)
			if v.Explanation == nil {
				t.Fatal("got no explanation")
			}
			if got := v.Explanation.Sentence["en"]; got != test.sentence {
				t.Errorf("got sentence %q, want %q", got, test.sentence)
			}
			refused := verify.Check("")
			for _, step := range v.Explanation.Trace {
				if step.Outcome == verify.Refused {
					refused = step.Check
				}
			}
			if refused != test.refused || len(v.Explanation.Trace) < 11 {
				t.Errorf("got check %q refused, want %q: %v", refused, test.refused, v.Explanation.Trace)
			}
			last := len(test.args) - 1
			asText := slices.Insert(slices.Clone(test.args), last, "-explain", "-json=false")
			text := call(t, with([]string{"verify"}, asText...)...).stdout
			for _, want := range []string{test.sentence, "\nchecks\n", "\n  " + test.line} {
				if !strings.Contains(text, want) {
					t.Errorf("got no %q in\n%s", want, text)
				}
			}
		})
	}
}
