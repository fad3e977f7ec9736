package crl_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A memoryServer is asked without a socket, which would stop the clock of synctest.
type memoryServer struct {
	world *world
	mu    sync.Mutex
	codes map[int]int // answers by status
	down  bool
}

func (s *memoryServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.clock.Set(time.Now())
	rec := httptest.NewRecorder()
	if s.down {
		rec.WriteHeader(http.StatusInternalServerError)
	} else {
		s.world.ca.CRLHandler(pkitest.CRLOptions{Partition: true}).ServeHTTP(rec, r)
	}
	s.codes[rec.Code]++
	return rec.Result(), nil
}

func (s *memoryServer) count(code int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.codes[code]
}

func (s *memoryServer) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Lists are kept current without anybody asking, until Close.
func TestRefresh(t *testing.T) {
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		server := &memoryServer{world: w, codes: map[int]int{}}
		store, err := crl.New(crl.Config{AllowedHosts: []string{"127.0.0.1"}, HTTPClient: &http.Client{Transport: server}})
		if err != nil {
			t.Fatal(err)
		}
		held := func() verify.Status {
			q := verify.StatusQuery{Cert: w.cert, Issuer: w.ca.Cert, HeldOnly: true, At: time.Now(), Now: time.Now()}
			reports, _ := store.Status(t.Context(), q)
			if len(reports) == 0 {
				return verify.Unknown
			}
			status, _ := q.Judge(&reports[0])
			return status
		}
		if _, err := store.Status(t.Context(), verify.StatusQuery{Cert: w.cert, Issuer: w.ca.Cert}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(44 * time.Minute)
		asked := func() int { return server.count(http.StatusOK) + server.count(http.StatusNotModified) }
		if n := asked(); n != 1 {
			t.Errorf("asked %d times in 44 minutes, want once", n)
		}
		time.Sleep(18 * time.Minute)
		if n := asked(); n != 2 {
			t.Errorf("asked %d times in an hour, want twice", n)
		}
		time.Sleep(48 * time.Hour)
		if got := held(); got != verify.Good {
			t.Errorf("after two days: got %v, want good", got)
		}

		server.setDown(true)
		time.Sleep(10 * time.Hour)
		if n := server.count(http.StatusInternalServerError); n < 8 || n > 40 {
			t.Errorf("asked %d times in 10 hours of failures, want a few each hour", n)
		}
		if got := held(); got != verify.Good {
			t.Errorf("server down: got %v, want the list held to count", got)
		}
		w.ca.Revoke(w.cert, time.Now(), pkitest.ReasonKeyCompromise)
		server.setDown(false)
		time.Sleep(time.Hour + 2*time.Minute)
		if got := held(); got != verify.Revoked {
			t.Errorf("an hour after a revocation: got %v, want revoked", got)
		}
		store.Close()
		before := server.count(http.StatusOK)
		time.Sleep(48 * time.Hour)
		if n := server.count(http.StatusOK); n != before {
			t.Errorf("fetched %d lists after Close", n-before)
		}
	})
}

// What changes between two lists is told, as a session needs it.
func TestChanges(t *testing.T) {
	for name, cfg := range onDisk("") {
		w := newWorld(t)
		cfg.Dir = t.TempDir()
		held, lost := w.issue(pkitest.Template{}), w.issue(pkitest.Template{})
		w.ca.Revoke(held, noon.Add(-time.Hour), pkitest.ReasonCertificateHold)
		store := w.store(cfg)
		w.wantAsked(name+", first", store, verify.Good, "")
		store.Close()

		store = w.store(cfg)
		got := make(chan []crl.Change, 10)
		stop := store.Changes(func(c []crl.Change) { got <- c })
		w.wantAsked(name+", from disk", store, verify.Good, "")
		at := noon.Add(time.Hour)
		w.clock.Set(noon.Add(24 * time.Hour))
		w.ca.Revoke(lost, at, pkitest.ReasonKeyCompromise)
		w.ca.Revoke(held, at, pkitest.ReasonRemoveFromCRL)
		w.wantAsked(name+", next", store, verify.Good, "")
		want := map[string]verify.Status{string(content(lost)): verify.Revoked, string(content(held)): verify.Good}
		for _, c := range <-got {
			if c.Status != want[string(c.Serial)] || string(c.IssuerKey) != string(w.ca.Cert.RawSubjectPublicKeyInfo) || !c.ThisUpdate.Equal(w.clock.Now()) {
				t.Errorf("%s: got %v for %x as of %v, want %v", name, c.Status, c.Serial, c.ThisUpdate, want[string(c.Serial)])
			}
			if c.Status == verify.Revoked && (!c.RevokedAt.Equal(at) || c.ReasonCode != pkitest.ReasonKeyCompromise) {
				t.Errorf("%s: got revoked at %v for %d", name, c.RevokedAt, c.ReasonCode)
			}
			delete(want, string(c.Serial))
		}
		if len(want) != 0 {
			t.Errorf("%s: %d changes were not told", name, len(want))
		}
		stop()
		w.clock.Set(noon.Add(48 * time.Hour))
		w.ca.Revoke(w.cert, at, pkitest.ReasonKeyCompromise)
		w.wantAsked(name+", last", store, verify.Revoked, "")
		store.Close()
		if len(got) != 0 {
			t.Errorf("%s: told after stop: %v", name, <-got)
		}
	}
}

// content returns the contents of the INTEGER in a certificate, of a positive
// number.
func content(cert *x509.Certificate) []byte {
	b := cert.SerialNumber.Bytes()
	if b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return b
}
