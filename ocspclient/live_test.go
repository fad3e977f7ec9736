package ocspclient_test

import (
	"compress/gzip"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// serve has the responder answer as the options say, until the test ends.
func (w *world) serve(o pkitest.OCSPOptions) { w.Script(w.ca.URLs.OCSP, w.ca.OCSPHandler(o)) }

func (w *world) asked() int { return w.Requests(w.ca.URLs.OCSP) }

func noNextUpdateCached(w *world) {
	client := w.client(ocspclient.Config{})
	q := w.query()
	q.Fresh.OCSP = time.Minute
	w.serve(singles(pkitest.SingleResponse{NoNextUpdate: true}))
	for range 2 {
		if got, err := w.ask(client, q); got != verify.Good {
			w.Errorf("got %v (%v), want good", got, err)
		}
	}
	if got := w.asked(); got != 2 {
		w.Errorf("without nextUpdate: asked %d times, want 2", got)
	}
	w.serve(pkitest.OCSPOptions{})
	for range 2 {
		w.wantAsked("with nextUpdate", client, verify.Good, "")
	}
	if got := w.asked(); got != 3 {
		w.Errorf("with nextUpdate: asked %d times in all, want 3", got)
	}
}

// padded answers with the truth, followed by zeros up to a size.
func (w *world) padded(size int) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		question, _ := io.ReadAll(r.Body)
		der := w.answer(pkitest.OCSPOptions{Request: question})
		rw.Write(append(der, make([]byte, size-len(der))...))
	}
}

func largeBodies(w *world) {
	client := w.client(ocspclient.Config{})
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		reason  verify.Reason
	}{
		{"limit", w.padded(ocspclient.MaxResponseBytes), verify.ReasonMalformed}, // read, and found to have trailing zeros
		{"limit + 1", w.padded(ocspclient.MaxResponseBytes + 1), verify.ReasonStatusUnavailable},
		{"endless", func(rw http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := rw.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, verify.ReasonStatusUnavailable},
		{"gzip bomb", func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(rw)
			z.Write(make([]byte, 16<<20))
			z.Close()
		}, verify.ReasonMalformed}, // not unpacked, and not DER
	} {
		w.Script(w.ca.URLs.OCSP, c.handler)
		w.wantAsked(c.name, client, verify.Unknown, c.reason)
	}
	w.Script(w.ca.URLs.OCSP, nil)
	w.wantAsked("afterwards", client, verify.Good, "")
}

func redirects(w *world) {
	var hits atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	w.Cleanup(other.Close)
	client := w.client(ocspclient.Config{})
	for _, target := range []string{other.URL, "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "/elsewhere"} {
		for _, code := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect} {
			w.Script(w.ca.URLs.OCSP, http.RedirectHandler(target, code))
			w.wantAsked(fmt.Sprint(code, " to ", target), client, verify.Unknown, verify.ReasonStatusUnavailable)
		}
	}
	if hits.Load() != 0 {
		w.Error("redirect was followed")
	}
}

func addresses(w *world) {
	inner := *w
	client := w.client(ocspclient.Config{})
	strict := w.client(ocspclient.Config{AllowedHosts: []string{"moi.gov.tw"}})
	truth := w.ca.URLs.OCSP
	at := func(method string, urls ...string) *world {
		list := []pkitest.AccessDescription{{Method: pkitest.OIDAccessCAIssuers, URL: truth}}
		for _, u := range urls {
			d := pkitest.AccessDescription{Method: pkitest.OIDAccessOCSP, URL: u}
			if method == "caIssuers" {
				d.Method = pkitest.OIDAccessCAIssuers
			}
			list = append(list, d)
		}
		inner.cert = w.issue(pkitest.Template{AccessDescriptions: list}).Cert
		return &inner
	}
	port := strings.TrimPrefix(w.URL(), "http://127.0.0.1")
	for _, u := range []string{
		"ldap://127.0.0.1/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "http:///x",
		strings.Replace(truth, "127.0.0.1", "citizen:secret@127.0.0.1", 1),
		strings.Replace(truth, "127.0.0.1", "localhost", 1),
		strings.Replace(truth, "127.0.0.1", "127.0.0.2", 1),
		strings.Replace(truth, "127.0.0.1", "127.1", 1),
		strings.Replace(truth, "127.0.0.1", "2130706433", 1),
		"http://[::1]" + port + "/x", "http://169.254.169.254/x", "http://10.0.0.1/x", "http://metadata.internal/x",
		"http://127.0.0.1.example.com/x",
	} {
		at("", u).wantAsked(u, client, verify.Unknown, verify.ReasonStatusUnavailable)
	}
	at("caIssuers", truth).wantAsked("caIssuers alone", client, verify.Unknown, verify.ReasonStatusUnavailable)
	if got := w.asked(); got != 0 {
		w.Errorf("asked %d times, want never", got)
	}
	at("", truth).wantAsked("allowed", client, verify.Good, "")
	at("", strings.Replace(truth, "127.0.0.1", "[::ffff:127.0.0.1]", 1)).wantAsked("allowed, IPv4-mapped", client, verify.Good, "")
	at("", truth).wantAsked("other list", strict, verify.Unknown, verify.ReasonStatusUnavailable)
}

func rollback(w *world) {
	client := w.client(ocspclient.Config{})
	newer := noon.Add(-time.Minute)
	w.serve(singles(pkitest.SingleResponse{ThisUpdate: newer, NextUpdate: noon.Add(time.Hour)}))
	w.wantAsked("newer good", client, verify.Good, "")

	// Once that has expired, an older one that is still current by itself.
	w.clock.Advance(time.Hour + time.Second)
	w.serve(singles(pkitest.SingleResponse{ThisUpdate: newer.Add(-time.Second), NextUpdate: noon.Add(9 * time.Hour)}))
	w.wantRollback("older good", client, verify.Unknown)
	w.serve(singles(pkitest.SingleResponse{ThisUpdate: newer.Add(time.Second), NextUpdate: noon.Add(9 * time.Hour)}))
	w.wantAsked("newer good again", client, verify.Good, "")

	// A hold may end, a revocation not.
	w.clock.Advance(9 * time.Hour)
	w.serve(singles(pkitest.SingleResponse{Status: pkitest.OCSPRevoked, Reason: pkitest.ReasonCertificateHold}))
	w.wantAsked("hold", client, verify.Suspended, "")
	w.clock.Advance(13 * time.Hour)
	w.serve(pkitest.OCSPOptions{})
	w.wantAsked("good after hold", client, verify.Good, "")
	w.clock.Advance(13 * time.Hour)
	w.serve(singles(pkitest.SingleResponse{Status: pkitest.OCSPRevoked, Reason: pkitest.ReasonKeyCompromise}))
	w.wantAsked("revoked", client, verify.Revoked, "")
	w.clock.Advance(13 * time.Hour)
	w.serve(pkitest.OCSPOptions{})
	before := w.asked()
	w.wantAsked("good after revoked", client, verify.Revoked, "")
	if w.asked() != before {
		w.Error("asked again after revoked")
	}

	// Who asks about an instant before the revocation, once its evidence has
	// expired, makes the Client ask.
	q := w.query()
	q.At = noon
	reports, err := client.Status(w.Context(), q)
	if !errors.Is(err, ocspclient.ErrRollback) || w.asked() == before {
		w.Errorf("about an earlier instant: got %v, %v, want ErrRollback", reports, err)
	}
	w.wantAsked("good after revoked, once more", client, verify.Revoked, "")
	w.serve(singles(pkitest.SingleResponse{Status: pkitest.OCSPRevoked, RevokedAt: w.clock.Now()}))
	if reports, err = client.Status(w.Context(), q); !errors.Is(err, ocspclient.ErrRollback) {
		w.Errorf("revoked later: got %v, %v, want ErrRollback", reports, err)
	}
}

// wantRollback expects that an answer is refused because it goes back.
func (w *world) wantRollback(name string, client *ocspclient.Client, status verify.Status) {
	w.Helper()
	q := w.query()
	reports, err := client.Status(w.Context(), q)
	if !errors.Is(err, ocspclient.ErrRollback) {
		w.Errorf("%s: got error %v, want ErrRollback", name, err)
	}
	for _, r := range reports {
		if got, _ := q.Judge(&r); got != status {
			w.Errorf("%s: got %v, want %v", name, got, status)
		}
	}
}

func replayedNonce(w *world) {
	old := w.answer(pkitest.OCSPOptions{Nonce: make([]byte, 32)})
	replay := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { rw.Write(old) })
	w.Script(w.ca.URLs.OCSP, replay)
	w.wantAsked("old answer", w.client(ocspclient.Config{}), verify.Unknown, verify.ReasonStatusUnavailable)
	w.wantAsked("old answer, if echoed", w.client(ocspclient.Config{Nonce: ocspclient.NonceIfEchoed}), verify.Unknown, verify.ReasonStatusUnavailable)
	w.wantAsked("old answer, never", w.client(ocspclient.Config{Nonce: ocspclient.NonceNever}), verify.Good, "")

	w.serve(pkitest.OCSPOptions{NoNonce: true})
	w.wantAsked("absent", w.client(ocspclient.Config{}), verify.Unknown, verify.ReasonStatusUnavailable)
	w.wantAsked("absent, if echoed", w.client(ocspclient.Config{Nonce: ocspclient.NonceIfEchoed}), verify.Good, "")
	w.Script(w.ca.URLs.OCSP, nil)
	w.wantAsked("echoed", w.client(ocspclient.Config{}), verify.Good, "")
	w.wantAsked("SHA-256 CertID", w.client(ocspclient.Config{CertIDHash: crypto.SHA256}), verify.Good, "")
}

// sequence answers one request after the other, and the last for ever.
func sequence(handlers ...http.Handler) http.Handler {
	var n atomic.Int32
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		handlers[min(int(n.Add(1)), len(handlers))-1].ServeHTTP(rw, r)
	})
}

func status(code int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(code) })
}

func retries(w *world) {
	truth := w.ca.OCSPHandler(pkitest.OCSPOptions{})
	says := func(code int) http.Handler {
		return w.ca.OCSPHandler(pkitest.OCSPOptions{ResponseStatus: code})
	}
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for _, c := range []struct {
		name     string
		first    http.Handler
		requests int
	}{
		{"tryLater", says(pkitest.OCSPTryLater), 2},
		{"HTTP 503", status(http.StatusServiceUnavailable), 2},
		{"broken connection", broken, 2},
		{"internalError", says(pkitest.OCSPInternalError), 1},
		{"unauthorized", says(pkitest.OCSPUnauthorized), 1},
		{"malformedRequest", says(pkitest.OCSPMalformedRequest), 1},
		{"sigRequired", says(pkitest.OCSPSigRequired), 1},
		{"HTTP 404", status(http.StatusNotFound), 1},
	} {
		before := w.asked()
		client := w.client(ocspclient.Config{})
		w.Script(w.ca.URLs.OCSP, sequence(c.first, truth))
		if c.requests == 2 {
			w.wantAsked(c.name, client, verify.Good, "")
		} else {
			w.wantAsked(c.name, client, verify.Unknown, verify.ReasonStatusUnavailable)
		}
		if got := w.asked() - before; got != c.requests {
			w.Errorf("%s: asked %d times, want %d", c.name, got, c.requests)
		}
		before = w.asked()
		w.Script(w.ca.URLs.OCSP, c.first)
		w.wantAsked(c.name+" for ever", w.client(ocspclient.Config{}), verify.Unknown, verify.ReasonStatusUnavailable)
		if got := w.asked() - before; got != c.requests {
			w.Errorf("%s for ever: asked %d times, want %d", c.name, got, c.requests)
		}
	}
}

// disagreement has two responders, one of which is behind the other.
func disagreement(w *world) {
	first, second := w.ca.URLs.OCSP, w.URL()+"/second"
	w.cert = w.issue(pkitest.Template{AccessDescriptions: []pkitest.AccessDescription{
		{Method: pkitest.OIDAccessOCSP, URL: first}, {Method: pkitest.OIDAccessOCSP, URL: second},
	}}).Cert
	good := w.ca.OCSPHandler(pkitest.OCSPOptions{})
	revoked := w.ca.OCSPHandler(singles(pkitest.SingleResponse{Status: pkitest.OCSPRevoked}))
	down := status(http.StatusNotFound)

	client := w.client(ocspclient.Config{})
	w.Script(first, revoked)
	w.Script(second, good)
	w.wantAsked("primary says revoked", client, verify.Revoked, "")
	w.Script(first, down)
	w.wantAsked("then the fallback says good", client, verify.Revoked, "")

	client = w.client(ocspclient.Config{})
	w.Script(second, revoked)
	w.wantStatus("fallback says revoked", client, verify.Revoked)
	w.Script(first, good)
	w.wantAsked("then the primary says good", client, verify.Revoked, "")

	client = w.client(ocspclient.Config{})
	w.Script(first, down)
	w.Script(second, good)
	w.wantStatus("fallback alone", client, verify.Good)
}

// wantStatus compares the status, whatever was said along with it.
func (w *world) wantStatus(name string, client *ocspclient.Client, want verify.Status) {
	w.Helper()
	if got, err := w.ask(client, w.query()); got != want {
		w.Errorf("%s: got %v (%v), want %v", name, got, err, want)
	}
}

func sickResponders(w *world) {
	html := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, "<html>Hello</html>") })
	drip := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			rw.Write([]byte{0x30})
			rw.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	})
	w.Script(w.ca.URLs.OCSP, html)
	w.wantAsked("HTML", w.client(ocspclient.Config{}), verify.Unknown, verify.ReasonMalformed)
	w.Script(w.ca.URLs.OCSP, drip)
	// The responder never ends: that this returns is what is tested.
	w.wantAsked("slow drip", w.client(ocspclient.Config{Timeout: 300 * time.Millisecond}), verify.Unknown, verify.ReasonStatusUnavailable)

	release := make(chan struct{})
	w.Script(w.ca.URLs.OCSP, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		<-release
		rw.WriteHeader(http.StatusInternalServerError)
	}))
	storm := w.client(ocspclient.Config{HoldFailures: time.Minute}) // one who comes late, on a busy machine, is told the same
	before := w.asked()
	w.together(500, func() { close(release) }, func() {
		w.wantAsked("storm", storm, verify.Unknown, verify.ReasonStatusUnavailable)
	})
	if got := w.asked() - before; got != 2 {
		w.Errorf("500 waiting logins asked %d times, want one question and its retry", got)
	}
}

// together runs n callers and, once they wait, the release.
func (w *world) together(n int, release, call func()) {
	var started, done sync.WaitGroup
	started.Add(n)
	for range n {
		done.Go(func() {
			started.Done()
			call()
		})
	}
	started.Wait()
	time.Sleep(200 * time.Millisecond) // for the last of them to join
	release()
	done.Wait()
}
