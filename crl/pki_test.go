package crl_test

import (
	"cmp"
	"crypto/x509"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// noon is when the tests take place.
var noon = time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC)

// A world is a look-alike PKI at noon, with a citizen of MOICA G3.
type world struct {
	*pkitest.PKI
	testing.TB
	clock *pkitest.Clock
	ca    *pkitest.CA
	cert  *x509.Certificate
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, clock: pkitest.NewClock(noon)}
	w.PKI = testbed.New(t, w.clock.Now)
	w.ca = w.G3.MOICA
	w.cert = w.issue(pkitest.Template{})
	return w
}

func (w *world) issue(template pkitest.Template) *x509.Certificate {
	w.Helper()
	issued, err := w.ca.Issue(template)
	if err != nil {
		w.Fatal(err)
	}
	if issued.Cert == nil {
		w.Fatal("certificate does not parse")
	}
	return issued.Cert
}

// about returns the same world with another certificate in the citizen's place.
func (w *world) about(cert *x509.Certificate) *world {
	other := *w
	other.cert = cert
	return &other
}

// list returns a CRL of the citizen's CA.
func (w *world) list(o pkitest.CRLOptions) []byte {
	w.Helper()
	der, err := w.ca.CRL(o)
	if err != nil {
		w.Fatal(err)
	}
	return der
}

// entry is an entry about the citizen.
func (w *world) entry(reason int) pkitest.CRLEntry {
	return pkitest.CRLEntry{Serial: w.cert.SerialNumber, RevocationDate: noon.Add(-time.Hour), Reason: reason}
}

// query asks about the citizen, now.
func (w *world) query() verify.StatusQuery {
	now := w.clock.Now()
	return verify.StatusQuery{Cert: w.cert, Issuer: w.ca.Cert, At: now, Now: now}
}

// want judges a list, for whose completeness the operator vouches, at the time of
// the world. A status that is learned has no reason.
func (w *world) want(name string, o pkitest.CRLOptions, status verify.Status, reason verify.Reason) {
	w.Helper()
	w.wantDER(name, w.list(o), crl.JudgeOptions{Complete: true}, status, reason)
}

func (w *world) wantDER(name string, der []byte, opts crl.JudgeOptions, status verify.Status, reason verify.Reason) {
	w.Helper()
	got, err := judge(w.query(), der, opts)
	if got != status || reasonOf(err) != reason {
		w.Errorf("%s: got %v, reason %q (%v), want %v, %q", name, got, reasonOf(err), err, status, reason)
	}
}

// store returns a Store that may fetch the lists of the world.
func (w *world) store(cfg crl.Config) *crl.Store {
	w.Helper()
	if cfg.AllowedHosts == nil {
		cfg.AllowedHosts = []string{testbed.Host}
	}
	cfg.Now = w.clock.Now
	cfg.HoldFailures = cmp.Or(cfg.HoldFailures, -1) // servers recover from one line of a test to the next
	store, err := crl.New(cfg)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { store.Close() })
	return store
}

// ask returns the status by the best report that a Store has.
func (w *world) ask(store *crl.Store, q verify.StatusQuery) (verify.Status, error) {
	w.Helper()
	reports, err := store.Status(w.Context(), q)
	if len(reports) == 0 {
		if err == nil && !q.HeldOnly {
			w.Error("neither a report nor an error")
		}
		return verify.Unknown, err
	}
	status, stale := q.Judge(&reports[0])
	if stale != nil {
		return verify.Unknown, stale
	}
	return status, nil
}

// wantAsked asks about the citizen and compares. The reason is why nothing was
// learned.
func (w *world) wantAsked(name string, store *crl.Store, status verify.Status, reason verify.Reason) {
	w.Helper()
	got, err := w.ask(store, w.query())
	if got != status || reasonOf(err) != reason {
		w.Errorf("%s: got %v, reason %q (%v), want %v, %q", name, got, reasonOf(err), err, status, reason)
	}
}

// serve has both endpoints of the CA answer with one list, until the next call.
func (w *world) serve(o pkitest.CRLOptions) { w.script(w.ca.CRLHandler(o)) }

func (w *world) script(h http.Handler) {
	w.Script(w.ca.URLs.CRL, h)
	w.Script(w.ca.URLs.Partition, h)
}

func (w *world) fetches() int {
	return w.Requests(w.ca.URLs.CRL) + w.Requests(w.ca.URLs.Partition)
}

func body(data []byte) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { rw.Write(data) })
}

func status(code int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(code) })
}

// sequence answers one request after the other, and the last for ever.
func sequence(handlers ...http.Handler) http.Handler {
	var n atomic.Int32
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		handlers[min(int(n.Add(1)), len(handlers))-1].ServeHTTP(rw, r)
	})
}
