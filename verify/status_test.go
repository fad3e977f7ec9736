package verify_test

import (
	"context"
	"crypto/x509"
	"errors"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// What a report proves at an instant, by the rules of StatusQuery.Judge.
func TestJudge(t *testing.T) {
	at := noon()
	ago := func(d time.Duration) time.Time { return at.Add(-d) }
	const h, s = time.Hour, time.Second
	notAfter := at.Add(100 * h)
	q := verify.StatusQuery{Cert: &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: notAfter}, At: at, Now: at.Add(1000 * h)}
	for _, tt := range []struct {
		name   string
		report verify.StatusReport
		fresh  verify.Freshness
		want   verify.Status
		stale  bool
	}{
		{"current", verify.StatusReport{Says: verify.Good, ThisUpdate: ago(h), NextUpdate: at.Add(s)}, verify.Freshness{}, verify.Good, false},
		{"nextUpdate reached", verify.StatusReport{Says: verify.Good, ThisUpdate: ago(h), NextUpdate: at}, verify.Freshness{}, verify.Unknown, true},
		{"no nextUpdate", verify.StatusReport{Says: verify.Good, ThisUpdate: ago(h)}, verify.Freshness{}, verify.Unknown, true},
		{"no nextUpdate, of maximum age", verify.StatusReport{Says: verify.Good, ThisUpdate: ago(h)}, verify.Freshness{CRL: h}, verify.Good, false},
		{"of maximum age", verify.StatusReport{Says: verify.Good, ThisUpdate: ago(h), NextUpdate: at.Add(h)}, verify.Freshness{CRL: h}, verify.Good, false},
		{"a second older", verify.StatusReport{Says: verify.Good, ThisUpdate: ago(h + s), NextUpdate: at.Add(h)}, verify.Freshness{CRL: h}, verify.Unknown, true},
		{"the age of the other kind", verify.StatusReport{Says: verify.Good, ThisUpdate: ago(h + s), NextUpdate: at.Add(h)}, verify.Freshness{OCSP: h}, verify.Good, false},
		{"an answer a second older", verify.StatusReport{Kind: verify.OCSPEvidence, Says: verify.Good, ThisUpdate: ago(h + s), NextUpdate: at.Add(h)}, verify.Freshness{OCSP: h}, verify.Unknown, true},
		{"later, certificate in force", verify.StatusReport{Says: verify.Good, ThisUpdate: notAfter, NextUpdate: notAfter.Add(h)}, verify.Freshness{}, verify.Good, false},
		{"later, a second after it expired", verify.StatusReport{Says: verify.Good, ThisUpdate: notAfter.Add(s), NextUpdate: notAfter.Add(h)}, verify.Freshness{}, verify.Unknown, true},
		{"later, expired but retained", verify.StatusReport{Says: verify.Good, ThisUpdate: notAfter.Add(s), NextUpdate: notAfter.Add(h), RetainsFrom: notAfter}, verify.Freshness{}, verify.Good, false},
		{"later, retained from a second later", verify.StatusReport{Says: verify.Good, ThisUpdate: notAfter.Add(s), NextUpdate: notAfter.Add(h), RetainsFrom: notAfter.Add(s)}, verify.Freshness{}, verify.Unknown, true},
		{"later, without nextUpdate", verify.StatusReport{Says: verify.Good, ThisUpdate: notAfter}, verify.Freshness{}, verify.Unknown, true},
		{"from the future", verify.StatusReport{Says: verify.Revoked, ThisUpdate: at.Add(1000*h + verify.DefaultSkew + s)}, verify.Freshness{}, verify.Unknown, true},

		{"revoked at the instant", verify.StatusReport{Says: verify.Revoked, RevokedAt: at, ThisUpdate: at, NextUpdate: at.Add(h)}, verify.Freshness{}, verify.Revoked, false},
		{"revoked a second later", verify.StatusReport{Says: verify.Revoked, RevokedAt: at.Add(s), ThisUpdate: at.Add(h), NextUpdate: at.Add(2 * h)}, verify.Freshness{}, verify.Good, false},
		{"revoked later, invalid before", verify.StatusReport{Says: verify.Revoked, RevokedAt: at.Add(s), InvalidityDate: ago(s), ThisUpdate: at.Add(h)}, verify.Freshness{}, verify.Revoked, false},
		{"revoked, says an old list", verify.StatusReport{Says: verify.Revoked, RevokedAt: ago(9 * h), ThisUpdate: ago(8 * h), NextUpdate: ago(7 * h)}, verify.Freshness{}, verify.Revoked, false},
		{"suspended", verify.StatusReport{Says: verify.Suspended, RevokedAt: at, ThisUpdate: at, NextUpdate: at.Add(h)}, verify.Freshness{}, verify.Suspended, false},
		{"suspended a second later", verify.StatusReport{Says: verify.Suspended, RevokedAt: at.Add(s), ThisUpdate: at.Add(h), NextUpdate: at.Add(2 * h)}, verify.Freshness{}, verify.Good, false},
		{"suspended, says an old list", verify.StatusReport{Says: verify.Suspended, RevokedAt: ago(9 * h), ThisUpdate: ago(8 * h), NextUpdate: ago(7 * h)}, verify.Freshness{}, verify.Unknown, true},
		{"unknown to the authority", verify.StatusReport{Says: verify.Unknown, ThisUpdate: at, NextUpdate: at.Add(h)}, verify.Freshness{}, verify.Unknown, false},
		{"nothing said", verify.StatusReport{}, verify.Freshness{}, verify.Unknown, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := q
			q.Fresh = tt.fresh
			got, err := q.Judge(&tt.report)
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			e, _ := errors.AsType[*verify.Error](err)
			if tt.stale != (e != nil && e.Reason == verify.ReasonStatusStale) {
				t.Errorf("got error %v, want stale: %v", err, tt.stale)
			}
		})
	}
}

// An authority whose clock is ahead of ours has revoked what it says it has revoked.
func TestJudgeRevocationToCome(t *testing.T) {
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	for _, says := range []verify.Status{verify.Revoked, verify.Suspended} {
		report := verify.StatusReport{Says: says, RevokedAt: now.Add(time.Minute), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}
		q := verify.StatusQuery{Cert: &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: now.Add(time.Hour)}, Now: now}
		for at, want := range map[time.Time]verify.Status{now: says, now.Add(-time.Second): verify.Good} {
			q.At = at
			if got, err := q.Judge(&report); got != want || err != nil {
				t.Errorf("%v, %v before now: got %v and %v, want %v", says, now.Sub(at), got, err, want)
			}
		}
	}
}

func TestRevocation(t *testing.T) {
	down := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) })
	for _, tt := range []struct {
		name    string
		prepare func(w *world)
		want    verify.Reason
		rung    verify.Rung
	}{
		{"good", func(w *world) {}, "", verify.RungOCSP},
		{"revoked now", func(w *world) { w.G3.MOICA.Revoke(w.card.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise) }, verify.ReasonRevoked, 0},
		{"suspended", func(w *world) { w.G3.MOICA.Suspend(w.card.Cert, w.clock.Now()) }, verify.ReasonSuspended, 0},
		{"resumed", func(w *world) {
			w.G3.MOICA.Suspend(w.card.Cert, w.clock.Now().Add(-time.Hour))
			w.G3.MOICA.Resume(w.card.Cert)
		}, "", verify.RungOCSP},
		{"CA revoked", func(w *world) { w.G3.Root.Revoke(w.G3.MOICA.Cert, w.clock.Now(), pkitest.ReasonCACompromise) }, verify.ReasonRevoked, 0},
		{"other generation's CA revoked", func(w *world) { w.G2.Root.Revoke(w.G2.MOICA.Cert, w.clock.Now(), pkitest.ReasonCACompromise) }, "", verify.RungOCSP},
		{"unknown to the responder", func(w *world) {
			w.Script(w.G3.MOICA.URLs.OCSP, w.G3.MOICA.OCSPHandler(pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{{Status: pkitest.OCSPUnknown}}}))
		}, verify.ReasonStatusUnknown, 0},
		{"responder down", func(w *world) { w.Script(w.G3.MOICA.URLs.OCSP, down) }, "", verify.RungPartitionCRL},
		{"responder and partition down", func(w *world) {
			w.Script(w.G3.MOICA.URLs.OCSP, down)
			w.Script(w.G3.MOICA.URLs.Partition, down)
		}, "", verify.RungCompleteCRL},
		{"responder down, revoked on the list", func(w *world) {
			w.Script(w.G3.MOICA.URLs.OCSP, down)
			w.G3.MOICA.Revoke(w.card.Cert, w.clock.Now(), pkitest.ReasonSuperseded)
		}, verify.ReasonRevoked, 0},
		{"all down", func(w *world) {
			for _, url := range []string{w.G3.MOICA.URLs.OCSP, w.G3.MOICA.URLs.Partition, w.G3.MOICA.URLs.CRL} {
				w.Script(url, down)
			}
		}, verify.ReasonStatusUnavailable, 0},
		{"all stale", func(w *world) {
			old := w.clock.Now().AddDate(0, 0, -9)
			w.Script(w.G3.MOICA.URLs.OCSP, down)
			w.Script(w.G3.MOICA.URLs.Partition, down)
			w.Script(w.G3.MOICA.URLs.CRL, w.G3.MOICA.CRLHandler(pkitest.CRLOptions{ThisUpdate: old, NextUpdate: old.AddDate(0, 0, 1)}))
		}, verify.ReasonStatusStale, 0},
		{"root's list down", func(w *world) { w.Script(w.G3.Root.URLs.CRL, down); w.Script(w.G3.Root.URLs.OCSP, down) }, verify.ReasonStatusUnavailable, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.prepare(w)
			res, err := w.verifier.SignedData(t.Context(), w.sign(t, w.card, filing, nil), nil)
			wantReason(t, res, err, tt.want)
			if err == nil && res.Signers[0].Revocation[0].Report.Rung != tt.rung {
				t.Errorf("got rung %v, want %v", res.Signers[0].Revocation[0].Report.Rung, tt.rung)
			}
			if e, ok := errors.AsType[*verify.Error](err); ok {
				if retry := tt.want == verify.ReasonStatusUnavailable || tt.want == verify.ReasonStatusStale; e.Retryable() != retry {
					t.Errorf("got retryable %v, want %v", e.Retryable(), retry)
				}
			}
		})
	}
}

// A filing is judged at the instant of its receipt: a later revocation leaves it
// good and is reported, an earlier one does not.
func TestReceiptTime(t *testing.T) {
	w := newWorld(t)
	der := w.sign(t, w.card, filing, nil)
	received := w.clock.Now()
	w.clock.Advance(48 * time.Hour)
	revoked := received.Add(time.Hour)
	w.G3.MOICA.Revoke(w.card.Cert, revoked, pkitest.ReasonKeyCompromise)

	res, err := w.verifier.SignedData(t.Context(), der, &verify.Options{ReceivedAt: received})
	if err != nil {
		t.Fatal(err)
	}
	fact := res.Signers[0].Revocation[0]
	if !fact.RevokedAfter.Equal(revoked) || fact.SuspensionExcluded || res.AtKind != verify.InstantReceipt {
		t.Errorf("got %+v judged at %v, want revocation at %v reported, suspension not excluded", fact, res.AtKind, revoked)
	}
	res, err = w.verifier.SignedData(t.Context(), der, &verify.Options{ReceivedAt: revoked})
	wantReason(t, res, err, verify.ReasonRevoked)
	res, err = w.verifier.SignedData(t.Context(), der, &verify.Options{ReceivedAt: revoked.Add(-time.Second)})
	wantReason(t, res, err, "")
}

// Evidence that was kept with a filing decides without any network.
func TestSuppliedEvidence(t *testing.T) {
	w := newWorld(t)
	der := w.sign(t, w.card, filing, nil)
	res, err := w.verifier.SignedData(t.Context(), der, nil)
	if err != nil {
		t.Fatal(err)
	}
	received := w.clock.Now()
	w.clock.Advance(13 * time.Hour)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	fresh := w.newVerifier(t, nil)
	opts := &verify.Options{ReceivedAt: received, Evidence: res.Evidence}
	again, err := fresh.SignedData(t.Context(), der, opts)
	wantReason(t, again, err, "")
	if err == nil && again.Signers[0].Revocation[0].Report.Rung != verify.RungHeld {
		t.Errorf("got rung %v, want held", again.Signers[0].Revocation[0].Report.Rung)
	}
	again, err = fresh.SignedData(t.Context(), der, &verify.Options{ReceivedAt: received})
	wantReason(t, again, err, verify.ReasonStatusUnavailable)
	again, err = fresh.SignedData(t.Context(), der, &verify.Options{Evidence: res.Evidence})
	wantReason(t, again, err, verify.ReasonStatusStale)
}

// A source that only counts how often it is asked.
type countingSource struct{ asked int }

func (c *countingSource) Status(context.Context, verify.StatusQuery) ([]verify.StatusReport, error) {
	c.asked++
	return nil, errors.New("knows nothing")
}

// What has failed anyway never causes a question.
func TestNetworkLast(t *testing.T) {
	w := newWorld(t)
	stranger, err := w.SelfSigned(pkitest.Template{})
	if err != nil {
		t.Fatal(err)
	}
	forged, err := stranger.Issue(pkitest.Template{})
	if err != nil {
		t.Fatal(err)
	}
	source := &countingSource{}
	v := w.newVerifier(t, func(cfg *verify.Config) { cfg.Status = []verify.StatusSource{source} })
	for name, opts := range map[string]*pkitest.CMSOptions{
		"bad signature": {BreakSignature: true}, "another content": {Content: []byte("another")}, "SHA-1": {Hash: 3},
	} {
		if _, err := v.SignedData(t.Context(), w.sign(t, w.card, filing, opts), nil); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if _, err := v.Certificate(t.Context(), forged.DER, nil); err == nil {
		t.Error("a forged certificate: got no error")
	}
	if source.asked != 0 {
		t.Errorf("a source was asked %d times, want never", source.asked)
	}
	if _, err := v.SignedData(t.Context(), w.sign(t, w.card, filing, nil), nil); err == nil || source.asked == 0 {
		t.Errorf("got error %v after %d questions, want one after asking", err, source.asked)
	}
}
