package crl_test

import (
	"context"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// The partition is asked before the complete list, which is asked only if it must.
func TestOrder(t *testing.T) {
	w := newWorld(t)
	partition, complete := w.ca.URLs.Partition, w.ca.URLs.CRL
	for _, c := range []struct {
		name   string
		script http.Handler
		rung   verify.Rung
		source string
	}{
		{"partition", nil, verify.RungPartitionCRL, partition},
		{"complete", status(http.StatusNotFound), verify.RungCompleteCRL, complete},
	} {
		before := w.Requests(complete)
		store := w.store(crl.Config{})
		w.Script(partition, c.script)
		reports, err := store.Status(t.Context(), w.query())
		if len(reports) != 1 || reports[0].Rung != c.rung || reports[0].Source != c.source {
			t.Fatalf("%s: got %v, %v, want one report of %v from %s", c.name, reports, err, c.rung, c.source)
		}
		if asked := w.Requests(complete) > before; asked != (c.source == complete) {
			t.Errorf("%s: complete list asked: %v", c.name, asked)
		}
		q := w.query()
		q.HeldOnly = true
		reports, err = store.Status(t.Context(), q)
		if len(reports) != 1 || reports[0].Rung != verify.RungHeld || reports[0].Source != c.source || err != nil {
			t.Errorf("%s, held: got %v, %v, want one held report", c.name, reports, err)
		}
	}
}

// A list in force is not fetched again, whatever the instant asked about.
func TestHeld(t *testing.T) {
	w := newWorld(t)
	store := w.store(crl.Config{})
	for range 3 {
		w.wantAsked("now", store, verify.Good, "")
	}
	other := w.about(w.issue(pkitest.Template{}))
	other.wantAsked("another certificate", store, verify.Good, "")
	q := w.query()
	q.At = noon.Add(-30 * time.Minute)
	if got, err := w.ask(store, q); got != verify.Good {
		t.Errorf("half an hour ago: got %v (%v), want good", got, err)
	}
	if got := w.fetches(); got != 1 {
		t.Errorf("fetched %d lists, want 1", got)
	}
	w.clock.Advance(24 * time.Hour)
	w.wantAsked("tomorrow", store, verify.Good, "")
	if got := w.fetches(); got != 2 {
		t.Errorf("fetched %d lists in all, want 2", got)
	}
}

// Two generations have one name and may have one URL; their lists are told apart.
func TestGenerations(t *testing.T) {
	w := newWorld(t)
	store := w.store(crl.Config{})
	g2 := *w
	g2.ca = w.G2.MOICA
	g2.cert = g2.issue(pkitest.Template{CRLDistributionPoints: []string{w.ca.URLs.CRL}})
	w.wantAsked("G3", store, verify.Good, "")
	g2.wantAsked("G2, at the URL of G3", store, verify.Unknown, verify.ReasonUntrusted)
	w.Script(w.ca.URLs.CRL, g2.ca.CRLHandler(pkitest.CRLOptions{}))
	g2.wantAsked("G2", store, verify.Good, "")
	w.wantAsked("G3 again", store, verify.Good, "")
}

func TestAdd(t *testing.T) {
	w := newWorld(t)
	der := w.list(pkitest.CRLOptions{})
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
	for _, c := range []struct {
		name string
		data []byte
		from string
		want verify.Status
	}{
		{"complete", der, "", verify.Good},
		{"PEM", text, "", verify.Good},
		{"partition", der, w.ca.URLs.Partition, verify.Good},
		{"another partition", der, w.ca.URLs.Partition + "0", verify.Unknown},
	} {
		store := w.store(crl.Config{Offline: true})
		if err := store.Add(c.data, c.from); err != nil {
			t.Fatal(err)
		}
		if got, err := w.ask(store, w.query()); got != c.want {
			t.Errorf("%s: got %v (%v), want %v", c.name, got, err, c.want)
		}
	}
	store := w.store(crl.Config{})
	for name, data := range map[string][]byte{
		"garbage":     []byte("garbage"),
		"empty":       nil,
		"other PEM":   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.cert.Raw}),
		"broken PEM":  []byte("-----BEGIN X509 CRL-----\n"),
		"certificate": w.cert.Raw,
	} {
		if err := store.Add(data, ""); reasonOf(err) != verify.ReasonMalformed {
			t.Errorf("%s: got %v, want %s", name, err, verify.ReasonMalformed)
		}
	}
	// A list of somebody else's is no news about the citizen.
	foreign, err := w.G2.MOICA.CRL(pkitest.CRLOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Add(foreign, ""); err != nil {
		t.Fatal(err)
	}
	if reports, err := store.Status(t.Context(), w.query()); len(reports) != 1 || err != nil {
		t.Errorf("with a list of another CA: got %v, %v, want one report", reports, err)
	}
	if store.Add(der, "") != nil {
		t.Fatal("list not added")
	}
	if _, err := crl.ParsePEM(text); err != nil {
		t.Error(err)
	}
}

// An operator's list of last year and one of today both stay.
func TestAddedHistory(t *testing.T) {
	w := newWorld(t)
	w.cert = w.issue(pkitest.Template{NotBefore: noon.AddDate(-2, 0, 0)})
	then := noon.AddDate(-1, 0, 0)
	hold := pkitest.CRLEntry{Serial: w.cert.SerialNumber, RevocationDate: then.Add(-time.Hour), Reason: pkitest.ReasonCertificateHold}
	store := w.store(crl.Config{Offline: true})
	for _, o := range []pkitest.CRLOptions{{}, {ThisUpdate: then, Number: big.NewInt(1), Entries: []pkitest.CRLEntry{hold}}} {
		if err := store.Add(w.list(o), ""); err != nil {
			t.Fatal(err)
		}
	}
	for at, want := range map[time.Time]verify.Status{noon: verify.Good, then.Add(time.Hour): verify.Suspended} {
		q := w.query()
		q.At = at
		if got, err := w.ask(store, q); got != want {
			t.Errorf("at %v: got %v (%v), want %v", at, got, err, want)
		}
	}
}

func TestMaxHeldBytes(t *testing.T) {
	w := newWorld(t)
	der := w.list(pkitest.CRLOptions{})
	store := w.store(crl.Config{MaxHeldBytes: len(der) + len(der)/2})
	if err := store.Add(der, ""); err != nil {
		t.Fatal(err)
	}
	q := w.query()
	q.HeldOnly = true
	if reports, _ := store.Status(t.Context(), q); len(reports) != 1 {
		t.Errorf("added: got %d reports, want 1", len(reports))
	}
	if err := store.Add(w.list(pkitest.CRLOptions{Partition: true}), w.ca.URLs.Partition); err != nil {
		t.Fatal(err)
	}
	if reports, _ := store.Status(t.Context(), q); len(reports) != 1 || reports[0].Source != w.ca.URLs.Partition {
		t.Errorf("added another: got %v, want that one alone", reports)
	}
	q.HeldOnly = false
	w.clock.Advance(25 * time.Hour)
	w.wantAsked("fetched in its place", store, verify.Good, "")
}

func TestSharedFetch(t *testing.T) {
	w := newWorld(t)
	store := w.store(crl.Config{})
	release := make(chan struct{})
	truth := w.ca.CRLHandler(pkitest.CRLOptions{Partition: true})
	w.script(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		<-release
		truth.ServeHTTP(rw, r)
	}))
	impatient, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() {
		_, err := store.Status(impatient, w.query())
		gaveUp <- err
	}()
	for w.fetches() == 0 {
		time.Sleep(time.Millisecond)
	}
	var started, done sync.WaitGroup
	const callers = 1000
	started.Add(callers)
	for range callers {
		done.Go(func() {
			started.Done()
			w.wantAsked("one of many", store, verify.Good, "")
		})
	}
	started.Wait()
	cancel() // by the one who started it
	if err := <-gaveUp; reasonOf(err) != verify.ReasonCanceled || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %s", err, verify.ReasonCanceled)
	}
	close(release)
	done.Wait()
	if got := w.fetches(); got != 1 {
		t.Errorf("%d callers fetched %d lists, want 1", callers, got)
	}
}

// Only listed hosts are asked, by http and https alone.
func TestAddresses(t *testing.T) {
	w := newWorld(t)
	store := w.store(crl.Config{})
	truth := w.ca.URLs.CRL
	for _, u := range []string{
		"ldap://127.0.0.1/cn=x", "http://169.254.169.254/x", "http://example.com/x.crl",
		strings.Replace(truth, "127.0.0.1", "localhost", 1),
		strings.Replace(truth, "127.0.0.1", "a:b@127.0.0.1", 1),
	} {
		about := w.about(w.issue(pkitest.Template{CRLDistributionPoints: []string{u}}))
		about.wantAsked(u, store, verify.Unknown, verify.ReasonStatusUnavailable)
		about = w.about(w.issue(pkitest.Template{CRLDistributionPoints: []string{u, truth}}))
		about.wantAsked(u+", then its list", w.store(crl.Config{}), verify.Good, "")
	}
	none := w.about(w.issue(pkitest.Template{CRLDistributionPoints: []string{}}))
	none.wantAsked("no distribution point", store, verify.Unknown, verify.ReasonStatusUnavailable)
	before := w.fetches()
	w.wantAsked("offline", w.store(crl.Config{Offline: true}), verify.Unknown, verify.ReasonStatusUnavailable)
	w.wantAsked("other hosts", w.store(crl.Config{AllowedHosts: []string{"moi.gov.tw"}}), verify.Unknown, verify.ReasonStatusUnavailable)
	if w.fetches() != before {
		t.Error("fetched a list though offline")
	}
}

func TestSuppliedLimit(t *testing.T) {
	w := newWorld(t)
	q := w.query()
	good := verify.Evidence{Kind: verify.CRLEvidence, DER: w.list(pkitest.CRLOptions{Partition: true})}
	q.Supplied = append(slices.Repeat([]verify.Evidence{good}, 17), verify.Evidence{Kind: verify.OCSPEvidence, DER: []byte("not ours")})
	reports, err := w.store(crl.Config{Offline: true}).Status(t.Context(), q)
	if len(reports) != 16 || reasonOf(err) != verify.ReasonLimit {
		t.Errorf("got %d reports, %v, want 16 and %s", len(reports), err, verify.ReasonLimit)
	}
}

func TestClosed(t *testing.T) {
	w := newWorld(t)
	store := w.store(crl.Config{})
	hanging := make(chan struct{}, 2)
	w.script(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		hanging <- struct{}{}
		<-r.Context().Done()
	}))
	go func() {
		<-hanging
		store.Close()
	}()
	w.wantAsked("during Close", store, verify.Unknown, verify.ReasonStatusUnavailable)
	w.wantAsked("after Close", store, verify.Unknown, verify.ReasonStatusUnavailable)
}

func TestNew(t *testing.T) {
	for name, cfg := range map[string]crl.Config{
		"host with a port": {AllowedHosts: []string{"moi.gov.tw:80"}},
		"negative size":    {MaxBytes: -1},
	} {
		if _, err := crl.New(cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
