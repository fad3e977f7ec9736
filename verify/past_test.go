package verify_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A past world judges a filing whose certificate has expired since: it was valid
// until a hundred hours after noon, and it is two hundred hours later. The CA has
// gone silent, so that nothing counts but the evidence that is supplied.
type pastWorld struct {
	*stampedWorld
	ca *pkitest.CA
}

const expiry = 100 * time.Hour // after noon, like all durations here

func newPastWorld(t *testing.T) *pastWorld {
	w := &pastWorld{stampedWorld: newStampedWorld(t)}
	w.ca = w.G3.MOICA
	w.card = w.issue(t, w.G3, func(tm *pkitest.Template) { tm.NotBefore, tm.NotAfter = noon().Add(-24*time.Hour), noon().Add(expiry) })
	for _, url := range []string{w.ca.URLs.OCSP, w.ca.URLs.Partition, w.ca.URLs.CRL} {
		w.Script(url, http.NotFoundHandler())
	}
	w.clock.Set(noon().Add(200 * time.Hour))
	return w
}

// A pastEvidence is made when a case needs it.
type pastEvidence func(t *testing.T, w *pastWorld) verify.Evidence

// A pastEntry is what a list says of the certificate. Without invalid there is no
// invalidityDate.
type pastEntry struct {
	revoked time.Duration
	invalid *time.Duration
	reason  int
}

func invalidFrom(d time.Duration) *time.Duration { return &d }

// pastList is a revocation list from this to next, which retains certificates that
// expired at or after retains, if there is that.
func pastList(this, next time.Duration, e *pastEntry, retains ...time.Duration) pastEvidence {
	return func(t *testing.T, w *pastWorld) verify.Evidence {
		o := pkitest.CRLOptions{Partition: true, OnlyEntries: true, ThisUpdate: noon().Add(this), NextUpdate: noon().Add(next)}
		if e != nil {
			listed := pkitest.CRLEntry{Serial: w.card.Cert.SerialNumber, RevocationDate: noon().Add(e.revoked), Reason: e.reason}
			if e.invalid != nil {
				listed.InvalidityDate = noon().Add(*e.invalid)
			}
			o.Entries = []pkitest.CRLEntry{listed}
		}
		for _, d := range retains {
			o.ExpiredCertsOnCRL = noon().Add(d)
		}
		der, err := w.ca.CRL(o)
		if err != nil {
			t.Fatal(err)
		}
		return verify.Evidence{Kind: verify.CRLEvidence, DER: der}
	}
}

// pastAnswer is an OCSP answer that says good.
func pastAnswer(this, next time.Duration, cutoff ...time.Duration) pastEvidence {
	return func(t *testing.T, w *pastWorld) verify.Evidence {
		single := pkitest.SingleResponse{Status: pkitest.OCSPGood, ThisUpdate: noon().Add(this), NextUpdate: noon().Add(next)}
		for _, d := range cutoff {
			single.ArchiveCutoff = noon().Add(d)
		}
		der, err := w.ca.OCSP(w.card.Cert, pkitest.OCSPOptions{SignByCA: true, ProducedAt: single.ThisUpdate, Responses: []pkitest.SingleResponse{single}})
		if err != nil {
			t.Fatal(err)
		}
		return verify.Evidence{Kind: verify.OCSPEvidence, DER: der}
	}
}

// A pastCase is a filing that existed at an instant, and what was known of its
// certificate.
type pastCase struct {
	name     string
	at       time.Duration
	evidence []pastEvidence
	want     verify.Reason

	excluded bool          // a suspension at the instant
	after    time.Duration // when it was revoked or suspended later, or 0
}

func pastCases() []pastCase {
	const h, s = time.Hour, time.Second
	key, hold := pkitest.ReasonKeyCompromise, pkitest.ReasonCertificateHold
	return []pastCase{
		{"nothing known", 0, nil, verify.ReasonStatusUnavailable, false, 0},
		{"current, ended a second later", 0, []pastEvidence{pastList(-h, s, nil)}, "", true, 0},
		{"ended just then", 0, []pastEvidence{pastList(-h, 0, nil)}, verify.ReasonStatusStale, false, 0},
		{"from just then", 0, []pastEvidence{pastList(0, h, nil)}, "", true, 0},
		{"later", 0, []pastEvidence{pastList(h, 2*h, nil)}, "", false, 0},
		{"from the future", 0, []pastEvidence{pastList(200*h+verify.DefaultSkew+s, 300*h, nil, 0)}, verify.ReasonStatusStale, false, 0},
		{"as far ahead as clocks may be", 0, []pastEvidence{pastList(200*h+verify.DefaultSkew, 300*h, nil, 0)}, "", false, 0},

		{"revoked a second before", 0, []pastEvidence{pastList(h, 2*h, &pastEntry{-s, nil, key})}, verify.ReasonRevoked, false, 0},
		{"revoked just then", 0, []pastEvidence{pastList(h, 2*h, &pastEntry{0, nil, key})}, verify.ReasonRevoked, false, 0},
		{"revoked a second after", 0, []pastEvidence{pastList(h, 2*h, &pastEntry{s, nil, key})}, "", false, s},
		{"revoked, says a list that had ended", 0, []pastEvidence{pastList(-3*h, -2*h, &pastEntry{-4 * h, nil, key})}, verify.ReasonRevoked, false, 0},
		{"revoked, good on a later list", 0, []pastEvidence{pastList(-3*h, -2*h, &pastEntry{-4 * h, nil, key}), pastList(h, 2*h, nil)}, verify.ReasonRevoked, false, 0},
		{"revoked after, good on a list of then", 0, []pastEvidence{pastList(-h, h, nil), pastList(2*h, 3*h, &pastEntry{h, nil, key})}, "", true, h},

		{"invalid since just then, revoked later", 0, []pastEvidence{pastList(h, 2*h, &pastEntry{h, invalidFrom(0), key})}, verify.ReasonRevoked, false, 0},
		{"invalid since a second after, revoked later", 0, []pastEvidence{pastList(h, 2*h, &pastEntry{h, invalidFrom(s), key})}, "", false, s},
		{"revoked just then, invalid since later", 0, []pastEvidence{pastList(h, 2*h, &pastEntry{0, invalidFrom(h), key})}, verify.ReasonRevoked, false, 0},
		{"revoked a second after, invalid since later", 0, []pastEvidence{pastList(h, 2*h, &pastEntry{s, invalidFrom(h), key})}, "", false, s},

		{"suspended just then", 0, []pastEvidence{pastList(0, h, &pastEntry{0, nil, hold})}, verify.ReasonSuspended, false, 0},
		{"suspended a second after", 0, []pastEvidence{pastList(h, 2*h, &pastEntry{s, nil, hold})}, "", false, s},
		{"still suspended later", 0, []pastEvidence{pastList(h, 2*h, &pastEntry{-h, nil, hold})}, verify.ReasonSuspended, false, 0},
		{"suspended then, resumed later", 0, []pastEvidence{pastList(-h, s, &pastEntry{-2 * h, nil, hold}), pastList(2*h, 3*h, nil)}, verify.ReasonSuspended, false, 0},
		{"suspended on a list that had ended, resumed later", 0, []pastEvidence{pastList(-h, 0, &pastEntry{-2 * h, nil, hold}), pastList(2*h, 3*h, nil)}, "", false, 0},
		{"suspended on a list that had ended", 0, []pastEvidence{pastList(-h, 0, &pastEntry{-2 * h, nil, hold})}, verify.ReasonStatusStale, false, 0},
		{"suspended before, resumed before", 0, []pastEvidence{pastList(-2*h, 0, &pastEntry{-3 * h, nil, hold}), pastList(0, h, nil)}, "", true, 0},
		{"suspended after, good on a list of then", 0, []pastEvidence{pastList(-h, h, nil), pastList(2*h, 3*h, &pastEntry{h, nil, hold})}, "", true, h},

		{"known as it expired", 0, []pastEvidence{pastList(expiry, expiry+h, nil)}, "", false, 0},
		{"known a second after it expired", 0, []pastEvidence{pastList(expiry+s, expiry+h, nil)}, verify.ReasonStatusStale, false, 0},
		{"revoked before, dropped after it expired", 0, []pastEvidence{pastList(expiry+s, 300*h, nil)}, verify.ReasonStatusStale, false, 0},
		{"revoked before, listed after it expired", 0, []pastEvidence{pastList(expiry+s, 300*h, &pastEntry{-s, nil, key})}, verify.ReasonRevoked, false, 0},
		{"expiredCertsOnCRL from its expiry", 0, []pastEvidence{pastList(expiry+s, 300*h, nil, expiry)}, "", false, 0},
		{"expiredCertsOnCRL from a second later", 0, []pastEvidence{pastList(expiry+s, 300*h, nil, expiry+s)}, verify.ReasonStatusStale, false, 0},
		{"an answer as it expired", 0, []pastEvidence{pastAnswer(expiry, expiry+h)}, "", false, 0},
		{"an answer a second after it expired", 0, []pastEvidence{pastAnswer(expiry+s, 300*h)}, verify.ReasonStatusStale, false, 0},
		{"archiveCutoff at its expiry", 0, []pastEvidence{pastAnswer(expiry+s, 300*h, expiry)}, "", false, 0},
		{"archiveCutoff a second later", 0, []pastEvidence{pastAnswer(expiry+s, 300*h, expiry+s)}, verify.ReasonStatusStale, false, 0},

		// Clocks may differ, but not so that a list from after the end counts as one of then.
		{"a second before it expired, known as it expired", expiry - s, []pastEvidence{pastList(expiry, expiry+h, nil)}, "", true, 0},
		{"a second before it expired, known a second after", expiry - s, []pastEvidence{pastList(expiry+s, expiry+h, nil)}, verify.ReasonStatusStale, false, 0},
		{"as it expired", expiry, []pastEvidence{pastList(expiry-h, expiry+h, nil)}, "", true, 0},
		{"a second after it expired", expiry + s, []pastEvidence{pastList(expiry-h, expiry+h, nil)}, verify.ReasonExpired, false, 0},
	}
}

// TestPast judges each case at an instant known by receipt and by a time-stamp
// token, by the rules of StatusQuery.Judge. Without either, the certificate has
// expired.
func TestPast(t *testing.T) {
	w := newPastWorld(t)
	der, signature := w.signatureOf(t, w.card)
	for _, c := range pastCases() {
		t.Run(c.name, func(t *testing.T) {
			opts := verify.Options{}
			for _, known := range c.evidence {
				opts.Evidence = append(opts.Evidence, known(t, w))
			}
			res, err := w.verifier.SignedData(t.Context(), der, &opts)
			wantReason(t, res, err, verify.ReasonExpired)

			received := opts
			received.ReceivedAt = noon().Add(c.at)
			res, err = w.verifier.SignedData(t.Context(), der, &received)
			c.check(t, res, err, verify.InstantReceipt)

			stamped := opts
			stamped.Timestamps = [][]byte{w.token(t, signature, stampAt(c.at-2*time.Second))}
			res, err = w.verifier.SignedData(t.Context(), der, &stamped)
			c.check(t, res, err, verify.InstantTimestamp)
		})
	}
}

func (c *pastCase) check(t *testing.T, res *verify.Result, err error, kind verify.InstantKind) {
	t.Helper()
	wantReason(t, res, err, c.want)
	if err != nil {
		return
	}
	if !res.At.Equal(noon().Add(c.at)) || res.AtKind != kind {
		t.Errorf("judged at %v (%v), want %v after noon (%v)", res.At, res.AtKind, c.at, kind)
	}
	fact := res.Signers[0].Revocation[0]
	if fact.SuspensionExcluded != c.excluded {
		t.Errorf("got suspension excluded %v, want %v", fact.SuspensionExcluded, c.excluded)
	}
	if c.after == 0 != fact.RevokedAfter.IsZero() || c.after != 0 && !fact.RevokedAfter.Equal(noon().Add(c.after)) {
		t.Errorf("got revoked after at %v, want %v after noon", fact.RevokedAfter, c.after)
	}
}
