package verify_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A faulty PKI has a responder, lists, or both play a fault in front of a verifier.
type faulty struct {
	*world
	fault            pkitest.Fault
	responder, lists bool // which of them
	good, revoked    []*pkitest.Card
}

// TestFaults has several goroutines verify citizens, good and revoked, while each
// fault is played. No fault makes a revoked one good; a good one passes by the rung
// that works, and is refused for the time being if none does.
func TestFaults(t *testing.T) {
	for _, fault := range pkitest.Faults() {
		for name, f := range map[string]faulty{
			"responder": {responder: true},
			"lists":     {lists: true},
			"both":      {responder: true, lists: true},
		} {
			t.Run(string(fault)+"/"+name, func(t *testing.T) {
				t.Parallel()
				f.fault = fault
				f.run(t)
			})
		}
	}
}

func (f *faulty) run(t *testing.T) {
	f.world = newWorld(t)
	for range 3 {
		f.good = append(f.good, f.issue(t, f.G3))
		card := f.issue(t, f.G3)
		f.G3.MOICA.Revoke(card.Cert, f.clock.Now().Add(-time.Minute), pkitest.ReasonKeyCompromise)
		f.revoked = append(f.revoked, card)
	}
	sources := f.limitedSources(t)
	v := f.newVerifier(t, func(cfg *verify.Config) { cfg.Status = sources })
	if f.fault == pkitest.FaultRollback { // behind what has been seen
		both := f.newVerifier(t, func(cfg *verify.Config) {
			cfg.Status = sources
			cfg.Ladder.Filing.RequireBoth = true
		})
		for _, card := range append(f.good, f.revoked...) {
			f.filed(t, both, card)
		}
		f.inject(t)
		f.clock.Advance(25 * time.Hour)
	} else {
		f.inject(t)
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 6 {
				f.check(t, v, (worker+i)%3)
			}
		})
	}
	wg.Wait()
}

// limitedSources do not wait long for what is slow.
func (f *faulty) limitedSources(t *testing.T) []verify.StatusSource {
	hosts := []string{testbed.Host}
	limit := func(slow bool) time.Duration {
		if slow && f.fault == pkitest.FaultSlow {
			return 100 * time.Millisecond
		}
		return 10 * time.Second
	}
	ocsp, err := ocspclient.New(ocspclient.Config{
		AllowedHosts: hosts, Now: f.clock.Now, Timeout: time.Minute, AttemptTimeout: limit(f.responder),
	})
	if err != nil {
		t.Fatal(err)
	}
	lists, err := crl.New(crl.Config{AllowedHosts: hosts, Now: f.clock.Now, Timeout: limit(f.lists), MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ocsp.Close(); lists.Close() })
	return []verify.StatusSource{ocsp, lists}
}

func (f *faulty) inject(t *testing.T) {
	if f.responder {
		if err := f.G3.MOICA.InjectOCSP(f.fault); err != nil {
			t.Fatal(err)
		}
	}
	if f.lists {
		if err := f.G3.MOICA.InjectCRL(f.fault); err != nil {
			t.Fatal(err)
		}
		if f.fault == pkitest.FaultRollback { // the complete list has not been seen, so that nothing is behind it
			f.Script(f.G3.MOICA.URLs.CRL, unavailable)
		}
	}
}

func (f *faulty) filed(t *testing.T, v *verify.Verifier, card *pkitest.Card) (*verify.Result, error) {
	return v.Certificate(t.Context(), card.Cert.Raw, &verify.Options{Use: verify.UseFiling})
}

// check verifies a good citizen and a revoked one.
func (f *faulty) check(t *testing.T, v *verify.Verifier, i int) {
	blind := f.responder && f.lists
	flapping := f.fault == pkitest.FaultFlapping
	res, err := f.filed(t, v, f.revoked[i])
	e, _ := errors.AsType[*verify.Error](err)
	switch {
	case err == nil:
		t.Errorf("a revoked citizen is good by %v", res.Signers[0].Revocation[0].Report)
	case blind && e.Retryable():
	case e.Reason != verify.ReasonRevoked:
		t.Errorf("a revoked citizen: got %v, want %s", err, verify.ReasonRevoked)
	}

	res, err = f.filed(t, v, f.good[i])
	e, _ = errors.AsType[*verify.Error](err)
	switch {
	case blind && flapping && (err == nil || e.Retryable()):
	case blind && (err == nil || e.Reason != f.reason()):
		t.Errorf("a good citizen, and nobody to ask: got %v, want %s", err, f.reason())
	case blind:
	case err != nil:
		t.Errorf("a good citizen: got %v, want no error", err)
	case !flapping && f.responder && res.Signers[0].Revocation[0].Report.Kind != verify.CRLEvidence,
		!flapping && f.lists && res.Signers[0].Revocation[0].Report.Kind != verify.OCSPEvidence:
		t.Errorf("a good citizen: got %v, which is at fault", res.Signers[0].Revocation[0].Report.Kind)
	}
}

// reason is why nothing is known if responder and lists are at fault.
func (f *faulty) reason() verify.Reason {
	switch f.fault {
	case pkitest.FaultStale, pkitest.FaultRollback: // what is held has ended, too
		return verify.ReasonStatusStale
	}
	return verify.ReasonStatusUnavailable
}

// While a responder is dead, who signs in is answered by the lists: the first few
// after the attempt limit, and then at once, without a request.
func TestDeadResponder(t *testing.T) {
	f := &faulty{world: newWorld(t), fault: pkitest.FaultSlow, responder: true}
	f.inject(t)
	ocsp, err := ocspclient.New(ocspclient.Config{
		AllowedHosts: []string{testbed.Host}, Now: f.clock.Now,
		AttemptTimeout: 50 * time.Millisecond, BreakerFailures: 2, BreakerPause: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	lists, err := crl.New(crl.Config{AllowedHosts: []string{testbed.Host}, Now: f.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ocsp.Close(); lists.Close() })
	v := f.newVerifier(t, func(cfg *verify.Config) { cfg.Status = []verify.StatusSource{ocsp, lists} })
	for i := range 5 {
		f.card = f.issue(t, f.G3)
		// Once it is held, a list answers before the responder would be asked.
		f.clock.Advance(25 * time.Hour)
		res, err := f.certificate(t, v, verify.UseSignIn)
		wantReason(t, res, err, "")
		fact := res.Signers[0].Revocation[0]
		if fact.Report.Rung != verify.RungPartitionCRL {
			t.Errorf("sign-in %d: got rung %v, want that of the lists", i, fact.Report.Rung)
		}
		leftAlone := errors.Is(errors.Join(fact.Failed...), ocspclient.ErrLeftAlone)
		if leftAlone != (i >= 2) || f.Requests(f.G3.MOICA.URLs.OCSP) != min(i+1, 2) {
			t.Errorf("sign-in %d: got %d requests, %v, want the responder to be left alone after two", i, f.Requests(f.G3.MOICA.URLs.OCSP), fact.Failed)
		}
	}
}
