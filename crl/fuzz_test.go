package crl_test

import (
	"testing"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// Whatever is made of a list, it says what was signed, or nothing at all and why.
func FuzzJudge(f *testing.F) {
	w := newWorld(f)
	for _, o := range []pkitest.CRLOptions{
		{},
		{Partition: true},
		{Filler: 3, ExpiredCertsOnCRL: noon},
		{DeltaBase: w.cert.SerialNumber, Version: 1},
		{IssuingDistributionPoint: &pkitest.IssuingDistributionPoint{OnlyUserCerts: true, OnlySomeReasons: 2}},
	} {
		f.Add(w.list(o))
	}
	for _, seed := range dertest.Seeds(f, "crl") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := crl.Parse(data)
		if (list == nil) == (err == nil) {
			t.Fatalf("got %v and error %v, want one of them", list, err)
		}
		var report *verify.StatusReport
		if err == nil {
			report, err = crl.Judge(list, w.cert, w.ca.Cert, crl.JudgeOptions{Complete: true})
			if (report == nil) == (err == nil) {
				t.Fatalf("got %v and error %v, want one of them", report, err)
			}
		}
		if err != nil {
			if reasonOf(err) == "not a *verify.Error" {
				t.Errorf("got %T, want *verify.Error: %v", err, err)
			}
			return
		}
		if report.Says != verify.Good || !report.ThisUpdate.Equal(noon) {
			t.Errorf("got %v as of %v, which nobody has signed", report.Says, report.ThisUpdate)
		}
	})
}

// A flipped bit is refused: all of a list is signed, or is the signature.
func TestMangled(t *testing.T) {
	w := newWorld(t)
	der := w.list(pkitest.CRLOptions{Partition: true, Filler: 2})
	if got, err := judge(w.query(), der, crl.JudgeOptions{}); got != verify.Good {
		t.Fatalf("as it is: got %v (%v), want good", got, err)
	}
	for i := range der {
		der[i] ^= 1
		if got, err := judge(w.query(), der, crl.JudgeOptions{}); err == nil {
			t.Errorf("byte %d flipped: got %v, want an error", i, got)
		}
		der[i] ^= 1
	}
	for i := range der {
		if _, err := crl.Parse(der[:i]); err == nil {
			t.Errorf("cut to %d bytes: got no error", i)
		}
	}
}

func TestHostile(t *testing.T) {
	for _, input := range dertest.Hostile(1 << 20) {
		if _, err := crl.Parse(input.Data); err == nil {
			t.Errorf("%s: got no error", input.Name)
		}
	}
}

// Inputs made for all kinds of parsers lead to an error of ours or to none.
func TestSeeds(t *testing.T) {
	for _, data := range dertest.AllSeeds(t) {
		if _, err := crl.Parse(data); err != nil && reasonOf(err) == "not a *verify.Error" {
			t.Errorf("got %T, want *verify.Error: %v", err, err)
		}
	}
}
