package ocspclient_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// TestMethod has short questions without nonce asked by GET.
func TestMethod(t *testing.T) {
	w := newWorld(t)
	for policy, want := range map[ocspclient.NoncePolicy]string{
		ocspclient.NonceRequired: http.MethodPost,
		ocspclient.NonceNever:    http.MethodGet,
	} {
		w.Script(w.ca.URLs.OCSP, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method != want {
				t.Errorf("nonce policy %v: got %s, want %s", policy, r.Method, want)
			}
			w.ca.OCSPHandler(pkitest.OCSPOptions{}).ServeHTTP(rw, r)
		}))
		w.wantAsked(want, w.client(ocspclient.Config{Nonce: policy}), verify.Good, "")
	}
}

func TestSharedQuestion(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{})
	release := make(chan struct{})
	truth := w.ca.OCSPHandler(pkitest.OCSPOptions{})
	w.Script(w.ca.URLs.OCSP, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		<-release
		truth.ServeHTTP(rw, r)
	}))

	// The one who starts it gives up, and so does one who waits with the others.
	impatient, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := client.Status(impatient, w.query())
			gaveUp <- err
		}()
	}
	for w.asked() == 0 {
		time.Sleep(time.Millisecond)
	}
	w.together(1000, func() {
		cancel()
		for range 2 {
			if err := <-gaveUp; reasonOf(err) != verify.ReasonCanceled || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want %s", err, verify.ReasonCanceled)
			}
		}
		close(release)
	}, func() { w.wantAsked("one of many", client, verify.Good, "") })
	if got := w.asked(); got != 1 {
		t.Errorf("1000 callers asked %d times, want once", got)
	}
}

func TestHeld(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{})
	q := w.query()
	q.HeldOnly = true
	if reports, err := client.Status(t.Context(), q); len(reports) != 0 || err != nil {
		t.Errorf("nothing held: got %v, %v, want nothing", reports, err)
	}
	w.wantAsked("asked", client, verify.Good, "")
	w.Script(w.ca.URLs.OCSP, status(http.StatusNotFound))
	w.clock.Advance(12*time.Hour - time.Second)
	w.wantAsked("a second before nextUpdate", client, verify.Good, "")
	reports, err := client.Status(t.Context(), q)
	if err != nil || len(reports) != 1 || reports[0].Rung != verify.RungHeld || reports[0].Source != w.ca.URLs.OCSP {
		t.Errorf("held: got %v, %v, want one report from %s", reports, err, w.ca.URLs.OCSP)
	}
	w.clock.Advance(2 * time.Second)
	w.wantAsked("a second after nextUpdate", client, verify.Unknown, verify.ReasonStatusStale)
	if _, err := client.Status(t.Context(), w.query()); reasonOf(err) != verify.ReasonStatusUnavailable {
		t.Errorf("a second after nextUpdate: got %v, want %s", err, verify.ReasonStatusUnavailable)
	}
}

// A maximum age makes the Client ask again though nextUpdate has not passed.
func TestMaximumAge(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{})
	for i, advance := range []time.Duration{0, 10 * time.Minute, time.Second} {
		w.clock.Advance(advance)
		q := w.query()
		q.Fresh.OCSP = 10 * time.Minute
		if got, err := w.ask(client, q); got != verify.Good {
			t.Errorf("step %d: got %v (%v), want good", i, got, err)
		}
		if want := []int{1, 1, 2}[i]; w.asked() != want {
			t.Errorf("step %d: asked %d times, want %d", i, w.asked(), want)
		}
	}
}

func TestSupplied(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{Offline: true})
	good := verify.Evidence{Kind: verify.OCSPEvidence, DER: w.answer(pkitest.OCSPOptions{})}
	forged := verify.Evidence{Kind: verify.OCSPEvidence, DER: w.answer(pkitest.OCSPOptions{BreakSignature: true})}
	list := verify.Evidence{Kind: verify.CRLEvidence, DER: []byte("not ours")}

	q := w.query()
	q.Supplied = []verify.Evidence{list, forged, good}
	reports, err := client.Status(t.Context(), q)
	if len(reports) != 1 || reports[0].Source != "supplied" || reasonOf(err) != verify.ReasonBadSignature {
		t.Errorf("got %v, %v, want one report and %s", reports, err, verify.ReasonBadSignature)
	}
	q.Supplied = slices.Repeat([]verify.Evidence{good}, 17)
	if reports, err := client.Status(t.Context(), q); len(reports) != 16 || reasonOf(err) != verify.ReasonLimit {
		t.Errorf("17 answers: got %d reports, %v, want 16 and %s", len(reports), err, verify.ReasonLimit)
	}
	w.wantAsked("not remembered", client, verify.Unknown, verify.ReasonStatusUnavailable)
	if w.asked() != 0 {
		t.Error("asked though offline")
	}
}

func TestClosed(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{})
	hanging := make(chan struct{})
	w.Script(w.ca.URLs.OCSP, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // without which the server does not notice who has left
		close(hanging)
		<-r.Context().Done()
	}))
	go func() {
		<-hanging
		client.Close()
	}()
	w.wantAsked("during Close", client, verify.Unknown, verify.ReasonStatusUnavailable)
	w.wantAsked("after Close", client, verify.Unknown, verify.ReasonStatusUnavailable)
}

func TestNew(t *testing.T) {
	for name, cfg := range map[string]ocspclient.Config{
		"host with a scheme": {AllowedHosts: []string{"http://moi.gov.tw"}},
		"empty host":         {AllowedHosts: []string{""}},
		"MD5":                {CertIDHash: crypto.MD5},
		"nonce policy":       {Nonce: 7},
		"negative timeout":   {Timeout: -1},
	} {
		if _, err := ocspclient.New(cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// What came with a signature does not go back behind what a responder has said by the
// instant of judgement: a signer chooses which answer to send.
func TestSuppliedRollback(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{})
	supplied := w.answer(singles(pkitest.SingleResponse{ThisUpdate: noon.Add(-time.Hour), NextUpdate: noon.Add(24 * time.Hour)}))
	w.serve(singles(pkitest.SingleResponse{Status: pkitest.OCSPRevoked, Reason: pkitest.ReasonCertificateHold,
		ThisUpdate: noon, NextUpdate: noon.Add(time.Minute)}))
	w.wantAsked("hold", client, verify.Suspended, "")
	w.Script(w.ca.URLs.OCSP, status(http.StatusNotFound))
	w.clock.Advance(time.Hour)
	for _, c := range []struct {
		name string
		at   time.Time
		good bool
	}{
		{"now", w.clock.Now(), false},
		{"when the responder had spoken", noon, false},
		{"before", noon.Add(-time.Second), true},
	} {
		q := w.query()
		q.At = c.at
		q.Supplied = []verify.Evidence{{Kind: verify.OCSPEvidence, DER: supplied}}
		reports, err := client.Status(t.Context(), q)
		good := slices.ContainsFunc(reports, func(r verify.StatusReport) bool { return r.Source == "supplied" })
		if good != c.good || errors.Is(err, ocspclient.ErrRollback) == c.good {
			t.Errorf("%s: got good %v (%v), want %v", c.name, good, err, c.good)
		}
	}
}

// The number of answers held is bounded, and good ones do not push out revoked
// ones.
func TestMaxEntries(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{MaxEntries: 2})
	revoked := *w
	w.ca.Revoke(w.cert, noon, pkitest.ReasonKeyCompromise)
	revoked.wantAsked("revoked", client, verify.Revoked, "")
	var certs []*world
	for range 3 {
		other := *w
		other.cert = w.issue(pkitest.Template{}).Cert
		other.wantAsked("good", client, verify.Good, "")
		certs = append(certs, &other)
	}
	w.Script(w.ca.URLs.OCSP, status(http.StatusNotFound))
	w.waitFor("making room", func() bool {
		held := 0
		for _, cert := range certs {
			if got, _ := cert.ask(client, cert.query()); got == verify.Good {
				held++
			}
		}
		return held <= 2
	})
	revoked.wantAsked("still revoked", client, verify.Revoked, "")
}

// What an authority does not know it may know a moment later: a Client does not hold
// against a certificate that it did not, nor a good answer from before.
func TestUnknownIsNotHeld(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{})
	q := w.query()
	q.HeldOnly = true
	wantHeld := func(name string, want int) {
		t.Helper()
		if reports, err := client.Status(t.Context(), q); len(reports) != want || err != nil {
			t.Errorf("%s: got %d reports, %v, want %d", name, len(reports), err, want)
		}
	}
	w.wantAsked("known", client, verify.Good, "")
	wantHeld("known", 1)
	w.clock.Advance(48 * time.Hour)
	q.At, q.Now = w.clock.Now(), w.clock.Now()
	w.serve(singles(pkitest.SingleResponse{Status: pkitest.OCSPUnknown}))
	w.wantAsked("not known", client, verify.Unknown, "")
	wantHeld("not known", 0)
	w.serve(pkitest.OCSPOptions{})
	w.wantAsked("known again", client, verify.Good, "")
	wantHeld("known again", 1)
}

// A revocation that had to make room for others guards against what was said before it.
func TestRollbackBeyondMaxEntries(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{MaxEntries: 1})
	var certs []*world
	for range 3 {
		other := *w
		other.cert = w.issue(pkitest.Template{}).Cert
		w.ca.Revoke(other.cert, noon.Add(-time.Minute), pkitest.ReasonKeyCompromise)
		other.wantAsked("revoked", client, verify.Revoked, "")
		certs = append(certs, &other)
	}
	var gone *world
	w.waitFor("making room", func() bool {
		held := 0
		for _, cert := range certs {
			q := cert.query()
			q.HeldOnly = true
			if reports, _ := client.Status(t.Context(), q); len(reports) > 0 {
				held++
			} else {
				gone = cert
			}
		}
		return held <= 1
	})
	good := pkitest.SingleResponse{Status: pkitest.OCSPGood, NextUpdate: noon.Add(time.Hour)}
	good.ThisUpdate = noon.Add(-time.Hour)
	w.serve(singles(good))
	gone.wantRollback("good, from before", client, verify.Unknown)
	w.serve(pkitest.OCSPOptions{})
	gone.wantAsked("revoked, as ever", client, verify.Revoked, "")
}
