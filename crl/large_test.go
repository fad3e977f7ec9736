//go:build !race

// Left out under the race detector: it is merely large, and one goroutine reads it.

package crl_test

import (
	"bytes"
	"testing"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A list of the size of a nation is read whole, and its entries are found.
func TestLarge(t *testing.T) {
	w := newWorld(t)
	const entries = 1_000_000
	var buf bytes.Buffer
	if err := w.ca.WriteCRL(&buf, pkitest.CRLOptions{Filler: entries}); err != nil {
		t.Fatal(err)
	}
	list, err := crl.Parse(buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if list.Len() != entries {
		t.Errorf("got %d entries, want %d", list.Len(), entries)
	}
	for _, i := range []int{0, entries / 2, entries - 1} {
		about := w.about(w.issue(pkitest.Template{Serial: pkitest.FillerSerial(i)}))
		report, err := crl.Judge(list, about.cert, w.ca.Cert, crl.JudgeOptions{})
		if err != nil || report.Says != verify.Revoked || report.ReasonCode != pkitest.ReasonSuperseded {
			t.Errorf("entry %d: got %v, %v, want revoked as superseded", i, report, err)
		}
	}
	w.wantDER("not listed", buf.Bytes(), crl.JudgeOptions{Complete: true}, verify.Good, "")
}
