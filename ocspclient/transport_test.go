package ocspclient_test

import (
	"context"
	"crypto/x509"
	"errors"
	"iter"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// others returns a world with another citizen.
func (w *world) other() *world {
	other := *w
	other.cert = w.issue(pkitest.Template{}).Cert
	return &other
}

// A responder that has failed three times in a row is left alone, another one of the
// same host is not, and after the pause one request finds out that it is back.
func TestBreaker(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	var changes []bool
	const pause = 3 * time.Second
	client := w.client(ocspclient.Config{BreakerPause: pause, Observer: ocspclient.Observer{
		Breaker: func(_ string, open bool) { mu.Lock(); defer mu.Unlock(); changes = append(changes, open) },
	}})
	w.Script(w.ca.URLs.OCSP, w.ca.OCSPHandler(pkitest.OCSPOptions{ResponseStatus: pkitest.OCSPInternalError}))
	citizens := []*world{w.other(), w.other(), w.other(), w.other(), w.other()}
	for i, citizen := range citizens {
		_, err := client.Status(t.Context(), citizen.query())
		if reasonOf(err) != verify.ReasonStatusUnavailable || errors.Is(err, ocspclient.ErrLeftAlone) != (i >= 3) {
			t.Errorf("failure %d: got %v, want the responder left alone from the fourth on", i, err)
		}
	}
	if got := w.asked(); got != 3 {
		t.Errorf("asked %d times, want 3", got)
	}
	root := w.query()
	root.Cert, root.Issuer = w.ca.Cert, w.G3.Root.Cert
	if got, err := w.ask(client, root); got != verify.Good {
		t.Errorf("another responder of the host: got %v, %v, want good", got, err)
	}
	w.Script(w.ca.URLs.OCSP, nil)
	w.waitFor("recovery", func() bool {
		got, _ := w.ask(client, w.query())
		return got == verify.Good
	})
	mu.Lock()
	defer mu.Unlock()
	if len(changes) != 2 || !changes[0] || changes[1] {
		t.Errorf("told of %v, want open and closed", changes)
	}
}

// A responder whose answers are of no use is not left alone: it costs no time, and
// may have others.
func TestBreakerUselessAnswers(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{})
	w.Script(w.ca.URLs.OCSP, status(http.StatusNotFound))
	for range 5 {
		w.wantAsked("not found", client, verify.Unknown, verify.ReasonStatusUnavailable)
	}
	w.Script(w.ca.URLs.OCSP, nil)
	w.wantAsked("at once", client, verify.Good, "")
}

// What was of no use is remembered for a moment, by default, and not for longer.
func TestHoldFailures(t *testing.T) {
	w := newWorld(t)
	const moment = 500 * time.Millisecond
	client := w.client(ocspclient.Config{HoldFailures: moment})
	unknown := singles(pkitest.SingleResponse{Status: pkitest.OCSPUnknown})
	for name, handler := range map[string]http.Handler{"not found": status(http.StatusNotFound), "unknown": w.ca.OCSPHandler(unknown)} {
		w := w.other()
		w.Script(w.ca.URLs.OCSP, handler)
		before, start := w.asked(), time.Now()
		for range 3 {
			if got, _ := w.ask(client, w.query()); got != verify.Unknown {
				t.Errorf("%s: got %v, want unknown", name, got)
			}
		}
		if got := w.asked() - before; got != 1 && time.Since(start) < moment {
			t.Errorf("%s: asked %d times, want once", name, got)
		}
		w.Script(w.ca.URLs.OCSP, nil)
		w.waitFor("asking again", func() bool { got, _ := w.ask(client, w.query()); return got == verify.Good })
	}
}

// Up to two responders of the operator's are asked when the certificate's fail.
func TestFallbacks(t *testing.T) {
	w := newWorld(t)
	spare := []string{w.URL() + "/spare-1", w.URL() + "/spare-2"}
	client := w.client(ocspclient.Config{Fallbacks: spare})
	w.Script(w.ca.URLs.OCSP, status(http.StatusNotFound))
	w.wantAsked("all down", client, verify.Unknown, verify.ReasonStatusUnavailable)
	w.Script(spare[1], w.ca.OCSPHandler(pkitest.OCSPOptions{}))
	w.wantAsked("the last one", client, verify.Good, "")
	stranger := w.other()
	w.Script(spare[0], w.ca.OCSPHandler(pkitest.OCSPOptions{Signer: w.responder(w.G2.MOICA, nil), Responses: []pkitest.SingleResponse{{Status: pkitest.OCSPRevoked}}}))
	if got, err := w.ask(client, stranger.query()); got != verify.Good {
		t.Errorf("a stranger first: got %v, %v, want good", got, err)
	}
	for name, cfg := range map[string]ocspclient.Config{
		"three":     {AllowedHosts: []string{"127.0.0.1"}, Fallbacks: append(spare, w.URL())},
		"elsewhere": {AllowedHosts: []string{"127.0.0.1"}, Fallbacks: []string{"http://ocsp.example/"}},
	} {
		if _, err := ocspclient.New(cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// An answer whose time is nearly over is replaced in the background while it serves
// on, and a responder that fails then changes nothing.
func TestRefreshAhead(t *testing.T) {
	for name, age := range map[string]time.Duration{"nextUpdate": 0, "maximum age": time.Hour} {
		w := newWorld(t)
		client := w.client(ocspclient.Config{})
		life := 12 * time.Hour
		if age != 0 {
			life = age
		}
		ask := func() (verify.Status, error) {
			q := w.query()
			q.Fresh.OCSP = age
			return w.ask(client, q)
		}
		ask()
		w.clock.Advance(life*4/5 - time.Second)
		ask()
		if w.asked() != 1 {
			t.Errorf("%s: asked %d times before it is time, want once", name, w.asked())
		}
		w.clock.Advance(time.Second)
		w.Script(w.ca.URLs.OCSP, status(http.StatusNotFound))
		for range 3 {
			if got, err := ask(); got != verify.Good || err != nil {
				t.Errorf("%s: got %v, %v while the responder is down, want good", name, got, err)
			}
		}
		w.waitFor("refresh", func() bool { return w.asked() == 2 })
		w.Script(w.ca.URLs.OCSP, nil)
		w.clock.Advance(time.Minute) // after which it is tried again
		w.waitFor("refresh", func() bool { ask(); return w.asked() == 3 })
		w.clock.Advance(life * 3 / 5) // when the first answer has ended
		w.waitFor("new answer", func() bool { got, _ := ask(); return got == verify.Good })
		if w.asked() != 3 {
			t.Errorf("%s: asked %d times, want 3: a refreshed answer has its own time", name, w.asked())
		}
	}
}

// pairs are certificates with their issuer.
func (w *world) pairs(certs ...*x509.Certificate) iter.Seq2[*x509.Certificate, *x509.Certificate] {
	return func(yield func(cert, issuer *x509.Certificate) bool) {
		for _, cert := range certs {
			if !yield(cert, w.ca.Cert) {
				return
			}
		}
	}
}

func TestPrefetch(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{})
	var underWay, most atomic.Int32
	truth := w.ca.OCSPHandler(pkitest.OCSPOptions{})
	broken := w.other().cert
	w.Script(w.ca.URLs.OCSP, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		for n := underWay.Add(1); ; {
			if old := most.Load(); n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		defer underWay.Add(-1)
		truth.ServeHTTP(rw, r)
	}))
	var certs []*x509.Certificate
	for range 12 {
		certs = append(certs, w.other().cert)
	}
	w.ca.Revoke(certs[0], noon, pkitest.ReasonKeyCompromise)
	w.ca.Suspend(certs[1], noon)
	foreign, err := w.G2.MOICA.Issue(pkitest.Template{AccessDescriptions: []pkitest.AccessDescription{}})
	if err != nil {
		t.Fatal(err)
	}
	all := append([]*x509.Certificate{foreign.Cert}, certs...)
	got, err := client.Prefetch(t.Context(), w.pairs(all...), ocspclient.PrefetchOptions{Concurrency: 3})
	wantSays := map[verify.Status]int{verify.Good: 10, verify.Suspended: 1, verify.Revoked: 1}
	if err != nil || got.Total != 13 || !maps.Equal(got.Says, wantSays) || got.Failed[verify.ReasonStatusUnavailable] != 1 {
		t.Errorf("got %+v, %v, want 10 good, 1 suspended, 1 revoked, 1 without a responder", got, err)
	}
	if most.Load() > 3 {
		t.Errorf("%d requests at a time, want at most 3", most.Load())
	}
	before := w.asked()
	if got, err = client.Prefetch(t.Context(), w.pairs(certs...), ocspclient.PrefetchOptions{}); err != nil || got.Total != 12 || w.asked() != before {
		t.Errorf("again: got %+v, %v after %d requests, want what is held", got, err, w.asked()-before)
	}

	ctx, cancel := context.WithCancel(t.Context())
	w.Script(w.ca.URLs.OCSP, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel(); panic(http.ErrAbortHandler) }))
	if got, err = client.Prefetch(ctx, w.pairs(broken, certs[0], broken), ocspclient.PrefetchOptions{Concurrency: 1}); err == nil || got.Total > 2 {
		t.Errorf("canceled: got %+v, %v, want the cause and fewer", got, err)
	}
}

// The policy has dates, as that of a verifier: what was produced later than it
// admits is refused at whatever instant.
func TestAlgorithmPolicy(t *testing.T) {
	w := newWorld(t)
	sha1 := w.answer(pkitest.OCSPOptions{SignatureAlgorithm: x509.SHA1WithRSA})
	judge := func(policy verify.AlgorithmPolicy) verify.Reason {
		_, err := ocspclient.Judge(sha1, w.cert, w.ca.Cert, ocspclient.JudgeOptions{At: noon, Now: noon.Add(time.Hour), Algorithms: policy})
		return reasonOf(err)
	}
	if got := judge(verify.StrictPolicy()); got != verify.ReasonAlgorithm {
		t.Errorf("strict: got %q, want %s", got, verify.ReasonAlgorithm)
	}
	if got := judge(verify.HistoricalPolicy(noon.Add(time.Second))); got != "" {
		t.Errorf("a second after: got %q, want none", got)
	}
	if got := judge(verify.HistoricalPolicy(noon)); got != verify.ReasonAlgorithm {
		t.Errorf("from then on: got %q, want %s", got, verify.ReasonAlgorithm)
	}
	if got := judge(verify.HistoricalPolicy(noon.Add(2 * time.Hour))); got != verify.ReasonAlgorithm {
		t.Errorf("an instant to come: got %q, want %s", got, verify.ReasonAlgorithm)
	}
	later := w.answer(pkitest.OCSPOptions{SignatureAlgorithm: x509.SHA1WithRSA, ProducedAt: noon.Add(time.Minute)})
	_, err := ocspclient.Judge(later, w.cert, w.ca.Cert, ocspclient.JudgeOptions{
		At: noon, Now: noon.Add(time.Hour), Algorithms: verify.HistoricalPolicy(noon.Add(time.Second)),
	})
	if reasonOf(err) != verify.ReasonAlgorithm {
		t.Errorf("produced later: got %v, want %s", err, verify.ReasonAlgorithm)
	}
	for name, cfg := range map[string]ocspclient.Config{
		"contradiction":    {Algorithms: verify.SP80057Policy(), InsecureAllowSHA1: true},
		"instant to come":  {Algorithms: verify.HistoricalPolicy(time.Now().AddDate(1, 0, 0))},
		"negative attempt": {AttemptTimeout: -1},
	} {
		if _, err := ocspclient.New(cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// A responder that is known is judged as one that is not, dates and policy included.
func TestKnownResponder(t *testing.T) {
	w := newWorld(t)
	var known ocspclient.Responders
	responder := w.responder(w.ca, func(t *pkitest.Template) { t.NotAfter = noon.Add(time.Hour) })
	der := w.answer(pkitest.OCSPOptions{Signer: responder})
	broken := w.answer(pkitest.OCSPOptions{Signer: responder, BreakSignature: true})
	for _, tt := range []struct {
		name string
		der  []byte
		at   time.Time
		want verify.Reason
	}{
		{"first", der, noon, ""},
		{"again", der, noon, ""},
		{"expired since", der, noon.Add(2 * time.Hour), verify.ReasonExpired},
		{"forged", broken, noon, verify.ReasonBadSignature},
		{"once more", der, noon, ""},
	} {
		_, err := ocspclient.Judge(tt.der, w.cert, w.ca.Cert, ocspclient.JudgeOptions{At: tt.at, Now: tt.at, Responders: &known})
		if reasonOf(err) != tt.want {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	// It is known as this issuer's. Another one of that name and key identifier has
	// not issued it.
	impostor, err := w.PKI.SelfSigned(pkitest.Template{RawSubject: w.ca.Cert.RawSubject, SubjectKeyID: w.ca.Cert.SubjectKeyId})
	if err != nil {
		t.Fatal(err)
	}
	victim, err := impostor.Issue(pkitest.Template{})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := impostor.OCSP(victim.Cert, pkitest.OCSPOptions{Signer: responder})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ocspclient.Judge(foreign, victim.Cert, impostor.Cert, ocspclient.JudgeOptions{At: noon, Now: noon, Responders: &known})
	if reasonOf(err) != verify.ReasonUntrusted {
		t.Errorf("by another issuer: got %v, want %s", err, verify.ReasonUntrusted)
	}
}

// What is held costs no allocation.
func TestHeldAllocations(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{})
	w.wantAsked("asked", client, verify.Good, "")
	q := w.query()
	q.Fresh.OCSP = 10 * time.Minute
	if got := testing.AllocsPerRun(100, func() { client.Status(t.Context(), q) }); got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}

// An observer is told of hits and misses, requests, and what went back.
func TestObserver(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	lookups := map[bool]int{}
	var asked []ocspclient.Attempt
	rollbacks := 0
	client := w.client(ocspclient.Config{Observer: ocspclient.Observer{
		Lookup:   func(hit bool) { mu.Lock(); defer mu.Unlock(); lookups[hit]++ },
		Asked:    func(a ocspclient.Attempt) { mu.Lock(); defer mu.Unlock(); asked = append(asked, a) },
		Rollback: func(string) { mu.Lock(); defer mu.Unlock(); rollbacks++ },
	}})
	held := w.query()
	held.HeldOnly = true
	w.ask(client, held) // not told of
	w.Script(w.ca.URLs.OCSP, sequence(status(http.StatusBadGateway), w.ca.OCSPHandler(pkitest.OCSPOptions{})))
	w.wantAsked("asked", client, verify.Good, "")
	w.ask(client, held)
	w.wantAsked("held", client, verify.Good, "")
	w.serve(singles(pkitest.SingleResponse{ThisUpdate: noon.Add(-time.Second), NextUpdate: noon.AddDate(0, 0, 7)}))
	w.clock.Advance(13 * time.Hour)
	w.wantRollback("older", client, verify.Unknown)

	mu.Lock()
	defer mu.Unlock()
	if !maps.Equal(lookups, map[bool]int{true: 2, false: 2}) || rollbacks != 1 {
		t.Errorf("told of %v and %d rollbacks, want two hits, two misses and one", lookups, rollbacks)
	}
	if len(asked) != 3 || asked[0].Reason != verify.ReasonStatusUnavailable || !asked[1].Retry || asked[1].Says != verify.Good || asked[2].Retry {
		t.Errorf("told of %+v, want a failure, its retry, and another request", asked)
	}
}
