package verify_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

var unavailable = http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) })

// ladder returns a verifier with a ladder for every use.
func (w *world) ladder(t *testing.T, rungs verify.Rungs) *verify.Verifier {
	return w.newVerifier(t, func(cfg *verify.Config) {
		cfg.Ladder = verify.Ladder{SignIn: rungs, Filing: rungs, Historical: rungs}
	})
}

func (w *world) listsDown() {
	w.Script(w.G3.MOICA.URLs.Partition, unavailable)
	w.Script(w.G3.MOICA.URLs.CRL, unavailable)
}

func (w *world) certificate(t *testing.T, v *verify.Verifier, use verify.Use) (*verify.Result, error) {
	t.Helper()
	return v.Certificate(t.Context(), w.card.Cert.Raw, &verify.Options{Use: use})
}

// The order of the sources decides which rung answers, for intermediates too.
func TestRungOrder(t *testing.T) {
	for order, want := range map[verify.RungOrder][]verify.Rung{
		verify.AsConfigured: {verify.RungOCSP, verify.RungOCSP},
		verify.OCSPFirst:    {verify.RungOCSP, verify.RungOCSP},
		verify.CRLFirst:     {verify.RungPartitionCRL, verify.RungCompleteCRL},
	} {
		w := newWorld(t)
		res, err := w.certificate(t, w.ladder(t, verify.Rungs{Order: order}), verify.UseSignIn)
		wantReason(t, res, err, "")
		var got []verify.Rung
		for _, fact := range res.Signers[0].Revocation {
			got = append(got, fact.Report.Rung)
		}
		if !slices.Equal(got, want) {
			t.Errorf("order %d: got rungs %v, want %v", order, got, want)
		}
	}
	w := newWorld(t)
	w.listsDown()
	res, err := w.certificate(t, w.ladder(t, verify.Rungs{Order: verify.CRLFirst}), verify.UseSignIn)
	wantReason(t, res, err, "")
	if fact := res.Signers[0].Revocation[0]; fact.Report.Rung != verify.RungOCSP || len(fact.Failed) == 0 {
		t.Errorf("lists down: got rung %v after %v, want ocsp after what the lists said", fact.Report.Rung, fact.Failed)
	}
}

func TestRequireBoth(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(w *world)
		want    verify.Reason
	}{
		{"both good", func(*world) {}, ""},
		{"responder down", func(w *world) { w.Script(w.G3.MOICA.URLs.OCSP, unavailable) }, verify.ReasonStatusUnavailable},
		{"lists down", (*world).listsDown, verify.ReasonStatusUnavailable},
		{"root's lists down", func(w *world) { w.Script(w.G3.Root.URLs.CRL, unavailable) }, verify.ReasonStatusUnavailable},
		{"lists stale", func(w *world) {
			old := w.clock.Now().AddDate(0, 0, -9)
			stale := w.G3.MOICA.CRLHandler(pkitest.CRLOptions{ThisUpdate: old, NextUpdate: old.AddDate(0, 0, 1)})
			w.Script(w.G3.MOICA.URLs.Partition, unavailable)
			w.Script(w.G3.MOICA.URLs.CRL, stale)
		}, verify.ReasonStatusStale},
		{"revoked by the lists alone", func(w *world) {
			w.G3.MOICA.Revoke(w.card.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
			w.Script(w.G3.MOICA.URLs.OCSP, w.G3.MOICA.OCSPHandler(pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{{Status: pkitest.OCSPGood}}}))
		}, verify.ReasonRevoked},
		{"revoked by the responder alone", func(w *world) {
			w.Script(w.G3.MOICA.URLs.OCSP, w.G3.MOICA.OCSPHandler(pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{{Status: pkitest.OCSPRevoked}}}))
		}, verify.ReasonRevoked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.prepare(w)
			v := w.ladder(t, verify.Rungs{RequireBoth: true})
			for range 2 { // asked, and held
				res, err := w.certificate(t, v, verify.UseSignIn)
				wantReason(t, res, err, tt.want)
				if err != nil {
					continue
				}
				if len(res.Signers[0].Revocation) != 2 {
					t.Errorf("got the status of %d certificates, want 2", len(res.Signers[0].Revocation))
				}
				for _, fact := range res.Signers[0].Revocation {
					if fact.Other == nil || fact.Other.Report.Kind == fact.Report.Kind || fact.Other.Status != verify.Good {
						t.Errorf("got %v and %+v, want evidence of both kinds", fact.Report.Kind, fact.Other)
					}
				}
				kept := func(kind verify.EvidenceKind) bool {
					return slices.ContainsFunc(res.Evidence, func(e verify.Evidence) bool { return e.Kind == kind })
				}
				if !kept(verify.OCSPEvidence) || !kept(verify.CRLEvidence) || !strings.Contains(res.Explain().String(), "and so says") {
					t.Error("evidence of one kind is neither kept nor told")
				}
			}
		})
	}
}

// Ages are by use, and those of CAs apart.
func TestLadderAges(t *testing.T) {
	w := newWorld(t)
	v := w.newVerifier(t, func(cfg *verify.Config) {
		cfg.Ladder.Filing.Ages = verify.Freshness{OCSP: time.Hour, CRL: time.Hour}
		cfg.Ladder.SignIn.CAAges = verify.Freshness{OCSP: 2 * time.Hour, CRL: 2 * time.Hour}
	})
	answered := w.clock.Now()
	old := func(d time.Duration) http.Handler {
		return w.G3.MOICA.OCSPHandler(pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{{ThisUpdate: answered.Add(-d)}}})
	}
	w.listsDown()
	for _, tt := range []struct {
		use  verify.Use
		age  time.Duration
		want verify.Reason
	}{
		{verify.UseSignIn, 10*time.Minute + time.Second, verify.ReasonStatusStale},
		{verify.UseSignIn, 10 * time.Minute, ""},
		{verify.UseFiling, time.Hour + time.Second, verify.ReasonStatusStale},
		{verify.UseFiling, time.Hour, ""},
		{verify.UseHistorical, 11 * time.Hour, ""},
	} {
		w.card = w.issue(t, w.G3) // of whom nothing is held
		w.Script(w.G3.MOICA.URLs.OCSP, old(tt.age))
		res, err := w.certificate(t, v, tt.use)
		wantReason(t, res, err, tt.want)
		if err == nil && res.Signers[0].Revocation[0].Age != tt.age {
			t.Errorf("got age %v, want %v", res.Signers[0].Revocation[0].Age, tt.age)
		}
	}
	w.Script(w.G3.MOICA.URLs.OCSP, nil)
	for _, tt := range []struct {
		age  time.Duration
		want verify.Reason
	}{{2*time.Hour + time.Second, verify.ReasonStatusStale}, {2 * time.Hour, ""}} {
		w.Script(w.G3.Root.URLs.CRL, unavailable)
		w.Script(w.G3.Root.URLs.OCSP, w.G3.Root.OCSPHandler(pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{{ThisUpdate: answered.Add(-tt.age)}}}))
		v := w.newVerifier(t, func(cfg *verify.Config) { cfg.Ladder.SignIn.CAAges.OCSP = 2 * time.Hour })
		res, err := w.certificate(t, v, verify.UseSignIn)
		wantReason(t, res, err, tt.want)
	}
}

// What is known last counts within its bound, if it is good and nothing newer says
// otherwise, and only where it was asked for.
func TestLastKnownGood(t *testing.T) {
	const bound = 24 * time.Hour
	for _, tt := range []struct {
		name    string
		advance time.Duration
		prepare func(w *world)
		want    verify.Reason
	}{
		{"within the bound", bound - time.Hour, func(*world) {}, ""},
		{"beyond", bound + time.Second, func(*world) {}, verify.ReasonStatusStale},
		{"the lists know better", bound - time.Hour, func(w *world) {
			w.G3.MOICA.Revoke(w.card.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
			w.Script(w.G3.MOICA.URLs.CRL, nil)
		}, verify.ReasonRevoked},
		{"the lists know worse, and are old", bound - time.Hour, func(w *world) {
			w.G3.MOICA.Suspend(w.card.Cert, noon())
			from := noon().Add(time.Minute)
			w.Script(w.G3.MOICA.URLs.CRL, w.G3.MOICA.CRLHandler(pkitest.CRLOptions{ThisUpdate: from, NextUpdate: from.Add(time.Hour)}))
		}, verify.ReasonStatusStale},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.listsDown()
			ocsp, err := ocspclient.New(ocspclient.Config{AllowedHosts: []string{testbed.Host}, Now: w.clock.Now, KeepExpired: bound, HoldFailures: -1})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { ocsp.Close() })
			lists, err := crl.New(crl.Config{AllowedHosts: []string{testbed.Host}, Now: w.clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { lists.Close() })
			sources := []verify.StatusSource{ocsp, lists}
			strict := w.newVerifier(t, func(cfg *verify.Config) { cfg.Status = sources })
			lenient := w.newVerifier(t, func(cfg *verify.Config) {
				cfg.Status = sources
				cfg.Ladder.SignIn.InsecureLastKnownGood = bound
			})
			res, err := w.certificate(t, lenient, verify.UseSignIn)
			wantReason(t, res, err, "")
			w.clock.Advance(tt.advance)
			w.Script(w.G3.MOICA.URLs.OCSP, unavailable)
			tt.prepare(w)

			res, err = w.certificate(t, lenient, verify.UseSignIn)
			wantReason(t, res, err, tt.want)
			if err == nil {
				fact := res.Signers[0].Revocation[0]
				if fact.Report.Rung != verify.RungLastKnownGood || fact.Age != tt.advance || len(fact.Failed) == 0 {
					t.Errorf("got rung %v, age %v, failed %v, want last-known-good of %v and why", fact.Report.Rung, fact.Age, fact.Failed, tt.advance)
				}
			}
			for _, v := range []*verify.Verifier{strict, lenient} {
				use := verify.UseFiling
				if v == strict {
					use = verify.UseSignIn
				}
				if res, err := w.certificate(t, v, use); err == nil {
					t.Errorf("where it was not asked for: got %v, want a refusal", res.Signers[0].Revocation[0].Report.Rung)
				}
			}
		})
	}
}

// A responder that lives long is believed when the lists say that it is good,
// whatever its ocsp-nocheck says.
func TestNoCheckLife(t *testing.T) {
	for _, tt := range []struct {
		life    time.Duration
		lists   bool
		want    verify.Reason
		noCheck bool
	}{
		{0, false, "", true},
		{31 * 24 * time.Hour, false, "", true},
		{24 * time.Hour, false, verify.ReasonStatusUnavailable, false},
		{24 * time.Hour, true, "", false},
	} {
		w := newWorld(t)
		issued, err := w.G3.MOICA.IssueResponder(func(tm *pkitest.Template) { tm.CRLDistributionPoints = nil })
		if err != nil {
			t.Fatal(err)
		}
		w.Script(w.G3.MOICA.URLs.OCSP, w.G3.MOICA.OCSPHandler(pkitest.OCSPOptions{Signer: &pkitest.Signer{Cert: issued.Cert, Key: issued.Key}}))
		if !tt.lists {
			w.listsDown()
		}
		// The root's responder cannot be judged by lists that do not name it.
		w.Script(w.G3.Root.URLs.OCSP, unavailable)
		v := w.newVerifier(t, func(cfg *verify.Config) { cfg.Ladder.NoCheckLife = tt.life })
		res, err := w.certificate(t, v, verify.UseSignIn)
		wantReason(t, res, err, tt.want)
		if err != nil {
			continue
		}
		fact := res.Signers[0].Revocation[0]
		if fact.Report.Kind != verify.OCSPEvidence || fact.Authorities[0].NoCheck != tt.noCheck {
			t.Errorf("life %v: got %v, %+v, want an answer with NoCheck %v", tt.life, fact.Report.Kind, fact.Authorities, tt.noCheck)
		}
	}
}

func TestLadderRefused(t *testing.T) {
	w := newWorld(t)
	for name, ladder := range map[string]verify.Ladder{
		"order":               {Filing: verify.Rungs{Order: 3}},
		"negative age":        {Historical: verify.Rungs{Ages: verify.Freshness{CRL: -1}}},
		"long age":            {SignIn: verify.Rungs{Ages: verify.Freshness{OCSP: time.Hour}}},
		"both and last known": {SignIn: verify.Rungs{RequireBoth: true, InsecureLastKnownGood: time.Hour}},
		"negative life":       {NoCheckLife: -1},
	} {
		if _, err := verify.New(verify.Config{Scheme: w.scheme(t), Status: w.sources(t), Ladder: ladder}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	ladder := verify.Ladder{SignIn: verify.Rungs{Ages: verify.Freshness{OCSP: time.Hour}, InsecureLongAges: true}}
	if _, err := verify.New(verify.Config{Scheme: w.scheme(t), Status: w.sources(t), Ladder: ladder}); err != nil {
		t.Errorf("long age by name: got %v", err)
	}
}

// An observer is told of each certificate and each source, and of nobody.
func TestObserver(t *testing.T) {
	w := newWorld(t)
	w.Script(w.G3.MOICA.URLs.OCSP, unavailable)
	var mu sync.Mutex
	var statuses []verify.StatusOutcome
	failed := map[verify.EvidenceKind]verify.Reason{}
	v := w.newVerifier(t, func(cfg *verify.Config) {
		cfg.Observer = verify.Observer{
			Status: func(_ context.Context, o verify.StatusOutcome) {
				mu.Lock()
				defer mu.Unlock()
				statuses = append(statuses, o)
			},
			Source: func(_ context.Context, o verify.SourceOutcome) {
				mu.Lock()
				defer mu.Unlock()
				if !o.Held && o.Reason != "" {
					failed[o.Kind] = o.Reason
				}
			},
		}
	})
	res, err := w.certificate(t, v, verify.UseSignIn)
	wantReason(t, res, err, "")
	if len(statuses) != 2 || !statuses[0].CA || statuses[1].CA || statuses[1].Rung != verify.RungPartitionCRL || statuses[1].Failed == 0 {
		t.Errorf("got %+v, want the CA and a citizen by a list after a failure", statuses)
	}
	if failed[verify.OCSPEvidence] != verify.ReasonStatusUnavailable || failed[verify.CRLEvidence] != "" {
		t.Errorf("got failures %v, want that of the responder", failed)
	}
	w.G3.MOICA.Revoke(w.card.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
	w.Script(w.G3.MOICA.URLs.OCSP, nil)
	w.clock.Advance(25 * time.Hour)
	res, err = w.certificate(t, v, verify.UseSignIn)
	wantReason(t, res, err, verify.ReasonRevoked)
	if last := statuses[len(statuses)-1]; last.Reason != verify.ReasonRevoked || last.Use != verify.UseSignIn {
		t.Errorf("got %+v, want a revocation", last)
	}
}
