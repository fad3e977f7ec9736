package signin_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

const (
	taxOrigin = "https://tax.example.gov.tw"
	taxHost   = "tax.example.gov.tw"
)

// noon is the present time of a new world.
func noon() time.Time { return time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC) }

// A world is a look-alike PKI, a citizen with a card, and a service that signs
// citizens in under /signin/ and says who they are under /account.
type world struct {
	*pkitest.PKI
	clock  *pkitest.Clock
	card   *pkitest.Card
	status *status
	log    *records
	key    *ecdsa.PrivateKey
	cfg    signin.Config
	auth   *signin.Authenticator
	site   http.Handler
}

func newWorld(t testing.TB, changes ...func(*signin.Config)) *world {
	t.Helper()
	clock := pkitest.NewClock(noon())
	w := &world{PKI: testbed.New(t, clock.Now), clock: clock, status: &status{}, log: &records{}, key: testbed.Key(t)}
	w.card = w.issue(t, w.G3.IssueCard)
	w.cfg = signin.Config{
		Verifier:    w.verifier(t, verify.Custom),
		Origins:     []string{taxOrigin},
		Service:     "efiling",
		Key:         w.key,
		PairwiseKey: bytes.Repeat([]byte{7}, signin.MinPairwiseKey),
		Logger:      slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:         clock.Now,
	}
	for _, change := range changes {
		change(&w.cfg)
	}
	w.auth, w.site = w.newSite(t, w.cfg)
	return w
}

// newSite returns the service as one of its servers runs it.
func (w *world) newSite(t testing.TB, cfg signin.Config) (*signin.Authenticator, http.Handler) {
	t.Helper()
	auth, err := signin.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/", http.StripPrefix("/signin", auth.LoginHandler()))
	mux.Handle("/account", auth.Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		io.WriteString(rw, signin.SessionFrom(r.Context()).ID)
	})))
	return auth, mux
}

func (w *world) issue(t testing.TB, issue func(pkitest.Person, ...func(*pkitest.Template)) (*pkitest.Card, error), opts ...func(*pkitest.Template)) *pkitest.Card {
	t.Helper()
	card, err := issue(pkitest.Person{Name: "王測試", LastFour: "6789"}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return card
}

// verifier trusts the look-alike PKI, under the environment given: that of
// custom anchors may serve a public origin.
func (w *world) verifier(t testing.TB, env verify.Environment, changes ...func(*verify.Scheme)) *verify.Verifier {
	t.Helper()
	scheme := testbed.Scheme(t, w.PKI)
	scheme.Environment = env
	for _, change := range changes {
		change(&scheme)
	}
	v, err := verify.New(verify.Config{Scheme: scheme, Status: []verify.StatusSource{w.status}, Clock: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// status is a source of status that says the same of every end entity: good
// unless set otherwise.
type status struct {
	mu   sync.Mutex
	says verify.Status
	err  error
}

func (s *status) set(says verify.Status, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.says, s.err = says, err
}

func (s *status) Status(_ context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	report := verify.StatusReport{
		Rung:       verify.RungOCSP,
		Kind:       verify.OCSPEvidence,
		Source:     "test",
		Says:       verify.Good,
		ThisUpdate: q.Now.Add(-time.Minute),
		NextUpdate: q.Now.Add(time.Hour),
	}
	if s.says != verify.Unknown && !q.Cert.IsCA {
		report.Says, report.RevokedAt = s.says, q.Now.Add(-time.Hour)
	}
	return []verify.StatusReport{report}, nil
}

// records is what the operator sees.
type records struct{ testbed.Log }

// reason is the reason in the last record.
func (r *records) reason() signin.Reason {
	lines := strings.Split(strings.TrimSpace(r.String()), "\n")
	var record struct{ Reason signin.Reason }
	json.Unmarshal([]byte(lines[len(lines)-1]), &record)
	return record.Reason
}
