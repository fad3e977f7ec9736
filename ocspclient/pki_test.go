package ocspclient_test

import (
	"cmp"
	"crypto/x509"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/ocspclient"
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
	w.cert = w.issue(pkitest.Template{}).Cert
	return w
}

func (w *world) issue(template pkitest.Template) *pkitest.Issued {
	w.Helper()
	issued, err := w.ca.Issue(template)
	if err != nil {
		w.Fatal(err)
	}
	return issued
}

// responder returns a delegated responder of a CA's.
func (w *world) responder(ca *pkitest.CA, change func(*pkitest.Template)) *pkitest.Signer {
	w.Helper()
	issued, err := ca.IssueResponder(func(t *pkitest.Template) {
		if change != nil {
			change(t)
		}
	})
	if err != nil {
		w.Fatal(err)
	}
	return &pkitest.Signer{Cert: issued.Cert, Key: issued.Key}
}

// answer returns an OCSP response about the citizen.
func (w *world) answer(o pkitest.OCSPOptions) []byte {
	w.Helper()
	der, err := w.ca.OCSP(w.cert, o)
	if err != nil {
		w.Fatal(err)
	}
	return der
}

// query asks about the citizen, now.
func (w *world) query() verify.StatusQuery {
	now := w.clock.Now()
	return verify.StatusQuery{Cert: w.cert, Issuer: w.ca.Cert, At: now, Now: now}
}

// want judges an answer at the time of the world and compares. A status that is
// learned has no reason.
func (w *world) want(name string, o pkitest.OCSPOptions, status verify.Status, reason verify.Reason) {
	w.Helper()
	w.wantDER(name, w.answer(o), ocspclient.JudgeOptions{}, status, reason)
}

func (w *world) wantDER(name string, der []byte, opts ocspclient.JudgeOptions, status verify.Status, reason verify.Reason) {
	w.Helper()
	got, err := judge(w.query(), der, opts)
	if got != status || reasonOf(err) != reason {
		w.Errorf("%s: got %v, reason %q (%v), want %v, %q", name, got, reasonOf(err), err, status, reason)
	}
}

// client returns a Client that may ask the responders of the world.
func (w *world) client(cfg ocspclient.Config) *ocspclient.Client {
	w.Helper()
	if cfg.AllowedHosts == nil {
		cfg.AllowedHosts = []string{testbed.Host}
	}
	cfg.Now = w.clock.Now
	cfg.Timeout = cmp.Or(cfg.Timeout, time.Minute) // on a busy machine
	cfg.AttemptTimeout = cmp.Or(cfg.AttemptTimeout, time.Minute)
	cfg.HoldFailures = cmp.Or(cfg.HoldFailures, -1) // responders recover from one line of a test to the next
	client, err := ocspclient.New(cfg)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { client.Close() })
	return client
}

// ask returns the status by the first report that a Client has, as a verifier
// would see it.
func (w *world) ask(client *ocspclient.Client, q verify.StatusQuery) (verify.Status, error) {
	w.Helper()
	reports, err := client.Status(w.Context(), q)
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
	return status, err
}

// wantAsked asks about the citizen and compares.
func (w *world) wantAsked(name string, client *ocspclient.Client, status verify.Status, reason verify.Reason) {
	w.Helper()
	got, err := w.ask(client, w.query())
	if got != status || reasonOf(err) != reason {
		w.Errorf("%s: got %v, reason %q (%v), want %v, %q", name, got, reasonOf(err), err, status, reason)
	}
}
