package ocspclient_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// renamed returns the world of another CA that has the same key under another name,
// with a citizen who has the same serial number.
func (w *world) renamed() *world {
	w.Helper()
	other := *w
	var err error
	other.ca, err = w.G3.Root.IssueCA(pkitest.Template{
		Key:        w.ca.Key,
		RawSubject: pkitest.Name(pkitest.NameAttribute{Type: pkitest.OIDCommonName, Value: "(測試用) 改名後的 CA"}),
	})
	if err != nil {
		w.Fatal(err)
	}
	other.cert = other.issue(pkitest.Template{Serial: w.cert.SerialNumber}).Cert
	return &other
}

// oneKeyTwoNames has two CAs that share a key and not a name: serial numbers are
// unique to a CA (RFC 5280, Section 4.1.2.2).
func oneKeyTwoNames(w *world) {
	other := w.renamed()
	other.ca.Revoke(other.cert, noon.Add(-time.Hour), pkitest.ReasonKeyCompromise)
	cache := newMapCache(w.clock.Now)
	for range 2 { // the second finds what the first has shared
		client, _ := w.sharing(cache, time.Minute)
		w.wantAsked("under the one name", client, verify.Good, "")
		other.wantAsked("under the other name", client, verify.Revoked, "")
		w.wantAsked("under the one name again", client, verify.Good, "")
		w.waitFor("Put", cache.holds(2))
	}
}

// expiredResponder has a responder whose certificate ends: what it has said of a
// revocation while it was valid stands, and nothing else.
func expiredResponder(w *world) {
	for want, o := range map[verify.Status]pkitest.SingleResponse{
		verify.Revoked: {Status: pkitest.OCSPRevoked, Reason: pkitest.ReasonKeyCompromise, RevokedAt: noon.Add(-time.Hour)},
		verify.Good:    {Status: pkitest.OCSPGood},
	} {
		client := w.client(ocspclient.Config{})
		answer := singles(o)
		answer.Signer = w.responder(w.ca, func(t *pkitest.Template) { t.NotAfter = noon.Add(time.Minute) })
		w.serve(answer)
		w.wantAsked("valid", client, want, "")
		q := w.query()
		q.HeldOnly = true
		for _, c := range []struct {
			at   time.Time
			held bool
		}{{noon.Add(time.Minute), true}, {noon.Add(time.Minute + time.Second), want == verify.Revoked}} {
			q.At, q.Now = c.at, c.at
			if reports, err := client.Status(w.Context(), q); err != nil || (len(reports) == 1) != c.held {
				w.Errorf("%v at %v: got %d reports (%v), want held %v", want, c.at, len(reports), err, c.held)
			}
		}
	}
}

// invalidityTakenBack has a revocation that began before its date, and a later answer
// that does not say so.
func invalidityTakenBack(w *world) {
	day := 24 * time.Hour
	w.cert = w.issue(pkitest.Template{NotBefore: noon.Add(-30 * day)}).Cert
	client := w.client(ocspclient.Config{})
	said := func(invalid time.Time) {
		o := pkitest.SingleResponse{Status: pkitest.OCSPRevoked, Reason: pkitest.ReasonKeyCompromise, RevokedAt: noon.Add(-day)}
		if !invalid.IsZero() {
			o.Extensions = invalidityDate(invalid)
		}
		w.serve(singles(o))
	}
	asked := func(name string, at time.Time, want verify.Status, rollback bool) {
		w.Helper()
		q := w.query()
		q.At = at
		reports, err := client.Status(w.Context(), q)
		if len(reports) == 0 || errors.Is(err, ocspclient.ErrRollback) != rollback {
			w.Fatalf("%s: got %d reports, %v, want one, and ErrRollback %v", name, len(reports), err, rollback)
		}
		if got, err := q.Judge(&reports[0]); got != want {
			w.Errorf("%s: got %v (%v), want %v", name, got, err, want)
		}
	}
	between, before := noon.Add(-2*day), noon.Add(-9*day)
	said(noon.Add(-3 * day))
	asked("after it began", between, verify.Revoked, false)
	w.clock.Advance(day) // so that who asks about an instant before it makes the Client ask
	said(noon.Add(-2*day + time.Second))
	asked("begins later", before, verify.Good, true)
	asked("still after it began", between, verify.Revoked, false)
	said(time.Time{})
	asked("begins on its date", before, verify.Good, true)
	asked("still after it began", between, verify.Revoked, false)
	said(noon.Add(-4 * day))
	asked("begins earlier", before, verify.Good, false)
	asked("before what was said at first", noon.Add(-4*day), verify.Revoked, false)
}

// holdTakenBack has a hold and a good answer about the same instant: the one that was
// produced later tells what is.
func holdTakenBack(w *world) {
	client := w.client(ocspclient.Config{})
	begun := noon.Add(-time.Hour)
	for _, c := range []struct {
		name     string
		says     pkitest.SingleResponse
		produced time.Time
		want     verify.Status
		rollback bool
	}{
		{"good", pkitest.SingleResponse{Status: pkitest.OCSPGood}, noon.Add(-3 * time.Minute), verify.Good, false},
		{"hold", pkitest.SingleResponse{Status: pkitest.OCSPRevoked, Reason: pkitest.ReasonCertificateHold}, noon.Add(-2 * time.Minute), verify.Suspended, false},
		{"good from before", pkitest.SingleResponse{Status: pkitest.OCSPGood}, noon.Add(-3 * time.Minute), verify.Suspended, true},
		{"good, the same moment", pkitest.SingleResponse{Status: pkitest.OCSPGood}, noon.Add(-2 * time.Minute), verify.Suspended, true},
		{"good, afterwards", pkitest.SingleResponse{Status: pkitest.OCSPGood}, noon.Add(-2*time.Minute + time.Second), verify.Good, false},
	} {
		c.says.ThisUpdate, c.says.RevokedAt = begun, begun
		o := singles(c.says)
		o.ProducedAt = c.produced
		w.serve(o)
		q := w.query()
		q.Fresh.OCSP = time.Minute // makes the Client ask
		if _, err := client.Status(w.Context(), q); errors.Is(err, ocspclient.ErrRollback) != c.rollback {
			w.Errorf("%s: got %v, want ErrRollback %v", c.name, err, c.rollback)
		}
		w.wantAsked(c.name, client, c.want, "")
	}
}

// A clock that goes back makes nothing count that it has not come to yet.
func TestClockGoesBack(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{})
	w.wantAsked("at noon", client, verify.Good, "")
	w.clock.Set(noon.Add(-verify.DefaultSkew))
	w.wantAsked("within the skew", client, verify.Good, "")
	w.clock.Advance(-time.Second)
	w.wantAsked("before that", client, verify.Unknown, verify.ReasonStatusStale)
	w.clock.Set(noon.Add(time.Second))
	w.wantAsked("at noon again", client, verify.Good, "")
}

// Whatever a responder answers while many ask: once a caller has been told that the
// certificate has been revoked, nobody who asks afterwards is told anything else.
func TestRevokedForGood(t *testing.T) {
	w := newWorld(t)
	client := w.client(ocspclient.Config{Nonce: ocspclient.NonceIfEchoed, BreakerFailures: 1000})
	good := func(at time.Time) http.Handler {
		return w.ca.OCSPHandler(pkitest.OCSPOptions{NoNonce: true, Responses: []pkitest.SingleResponse{{Status: pkitest.OCSPGood, ThisUpdate: at}}})
	}
	revoked := w.ca.OCSPHandler(singles(pkitest.SingleResponse{Status: pkitest.OCSPRevoked, RevokedAt: noon.Add(-time.Hour), ThisUpdate: noon.Add(-2 * time.Minute)}))
	var asked atomic.Int32
	w.Script(w.ca.URLs.OCSP, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch n := asked.Add(1); {
		case n%3 == 0:
			good(noon.Add(-time.Minute)).ServeHTTP(rw, r) // newer than the revocation
		case n > 20 && n%3 == 1:
			revoked.ServeHTTP(rw, r)
		default:
			good(noon.Add(-3*time.Minute)).ServeHTTP(rw, r)
		}
	}))
	var known atomic.Bool
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for i := range 50 {
				q := w.query()
				q.Fresh.OCSP = time.Duration(i%2) * time.Nanosecond // ask, or take what is held
				before := known.Load()
				reports, _ := client.Status(t.Context(), q)
				worst := verify.Unknown
				for i := range reports {
					if status, err := q.Judge(&reports[i]); err == nil {
						worst = max(worst, status)
					}
				}
				if worst == verify.Revoked {
					known.Store(true)
				} else if before {
					t.Errorf("got %v after somebody was told revoked", worst)
				}
			}
		})
	}
	callers.Wait()
	if !known.Load() {
		t.Error("nobody was told of the revocation")
	}
}

// invalidityDate is the entry extension of RFC 5280, Section 5.3.2.
func invalidityDate(at time.Time) []pkix.Extension {
	value := append([]byte{0x18, 15}, at.UTC().Format("20060102150405Z")...)
	return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: value}}
}
