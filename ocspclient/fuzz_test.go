package ocspclient_test

import (
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// Whatever is made of an answer, it says what was signed, or nothing at all and
// why.
func FuzzJudge(f *testing.F) {
	w := newWorld(f)
	seeds := []pkitest.OCSPOptions{
		{},
		{ResponderByName: true, Nonce: make([]byte, 32)},
		{SignByCA: true},
		{ResponseStatus: pkitest.OCSPTryLater},
		singles(pkitest.SingleResponse{ArchiveCutoff: noon.AddDate(-1, 0, 0)}, pkitest.SingleResponse{NoNextUpdate: true}),
	}
	for _, o := range seeds {
		f.Add(w.answer(o))
	}
	for _, seed := range dertest.Seeds(f, "ocsp-response", "ocsp-parts") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		answer, err := ocspclient.Judge(data, w.cert, w.ca.Cert, ocspclient.JudgeOptions{Now: noon})
		if (answer == nil) == (err == nil) {
			t.Fatalf("got %v and error %v, want one of them", answer, err)
		}
		if err != nil {
			if reason := reasonOf(err); reason == "not a *verify.Error" {
				t.Errorf("got %T, want *verify.Error: %v", err, err)
			}
			return
		}
		if answer.Says != verify.Good || !answer.ThisUpdate.Equal(noon) || !answer.ProducedAt.Equal(noon) {
			t.Errorf("got %v as of %v, produced at %v, which nobody has signed", answer.Says, answer.ThisUpdate, answer.ProducedAt)
		}
	})
}

func TestParseUnverified(t *testing.T) {
	w := newWorld(t)
	hold := pkitest.SingleResponse{Status: pkitest.OCSPRevoked, RevokedAt: noon.Add(-time.Hour), Reason: pkitest.ReasonCertificateHold}
	for _, byName := range []bool{false, true} {
		o := singles(hold, pkitest.SingleResponse{NoNextUpdate: true})
		o.BreakSignature, o.ResponderByName = true, byName
		got, err := ocspclient.ParseUnverified(w.answer(o))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Singles) != 2 || len(got.Certificates) != 1 || !got.ProducedAt.Equal(noon) || byName != (len(got.Responder) > 20) {
			t.Fatalf("got %+v, want two single responses of noon and a certificate", got)
		}
		if s := got.Singles[0]; s.Says != verify.Suspended || s.ReasonCode != hold.Reason || !s.RevokedAt.Equal(hold.RevokedAt) ||
			s.SerialNumber.Cmp(w.cert.SerialNumber) != 0 || !s.ThisUpdate.Equal(noon) || s.NextUpdate.IsZero() {
			t.Errorf("got %+v, want a hold", s)
		}
		if s := got.Singles[1]; s.Says != verify.Good || !s.NextUpdate.IsZero() {
			t.Errorf("got %+v, want good without nextUpdate", s)
		}
	}
	if _, err := ocspclient.ParseUnverified(w.answer(pkitest.OCSPOptions{ResponseStatus: pkitest.OCSPTryLater})); responseStatusOf(err) != ocspclient.TryLater {
		t.Errorf("got %v, want tryLater", err)
	}
}

// A flipped bit is refused, or lies outside what is signed and changes nothing.
func TestMangled(t *testing.T) {
	w := newWorld(t)
	der := w.answer(pkitest.OCSPOptions{})
	want, err := ocspclient.Judge(der, w.cert, w.ca.Cert, ocspclient.JudgeOptions{Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	for i := range der {
		der[i] ^= 1
		got, err := ocspclient.Judge(der, w.cert, w.ca.Cert, ocspclient.JudgeOptions{Now: noon})
		if err == nil && (got.Says != want.Says || !got.ThisUpdate.Equal(want.ThisUpdate) || !got.NextUpdate.Equal(want.NextUpdate)) {
			t.Errorf("byte %d flipped: got %v, want %v or an error", i, got, want)
		}
		der[i] ^= 1
	}
	for i := range der {
		if _, err := ocspclient.Judge(der[:i], w.cert, w.ca.Cert, ocspclient.JudgeOptions{Now: noon}); err == nil {
			t.Errorf("cut to %d bytes: got no error", i)
		}
	}
}

func TestHostile(t *testing.T) {
	w := newWorld(t)
	for _, input := range dertest.Hostile(1 << 16) {
		if _, err := ocspclient.Judge(input.Data, w.cert, w.ca.Cert, ocspclient.JudgeOptions{Now: noon}); err == nil {
			t.Errorf("%s: got no error", input.Name)
		}
	}
}

// Inputs made for all kinds of parsers lead to an error of ours or to none.
func TestSeeds(t *testing.T) {
	w := newWorld(t)
	for _, data := range dertest.AllSeeds(t) {
		if _, err := ocspclient.Judge(data, w.cert, w.ca.Cert, ocspclient.JudgeOptions{Now: noon}); err != nil && reasonOf(err) == "not a *verify.Error" {
			t.Errorf("got %T, want *verify.Error: %v", err, err)
		}
	}
}
