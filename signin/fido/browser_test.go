package fido_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
)

// A browser keeps cookies for the service.
type browser struct {
	t       testing.TB
	w       *world
	cookies testbed.Cookies
	header  http.Header
}

func (w *world) browser(t testing.TB) *browser {
	return &browser{t: t, w: w, cookies: map[string]string{}, header: http.Header{}}
}

func (b *browser) do(method, path string, body any) *httptest.ResponseRecorder {
	b.t.Helper()
	r := testbed.Request(b.t, method, path, body)
	r.Host = taxHost
	maps.Copy(r.Header, b.header)
	return b.cookies.Do(b.w.site, r)
}

// An attempt is what the page gets.
type attempt struct {
	Attempt string
	Expiry  time.Time
	Link    string
	QR      *fido.QRCode
	Form    *struct {
		Action string
		Fields map[string]string
	}
}

func (b *browser) start(mode, id string) attempt {
	b.t.Helper()
	rec := b.do("POST", "/signin/fido/start", map[string]string{"mode": mode, "idNumber": id})
	if rec.Code != http.StatusOK {
		b.t.Fatalf("start: got %d %s", rec.Code, rec.Body)
	}
	var a attempt
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
		b.t.Fatal(err)
	}
	return a
}

// status asks once, at an instant at which MOI may be asked.
func (b *browser) status(a attempt) *httptest.ResponseRecorder {
	b.t.Helper()
	b.w.clock.Advance(fido.PollInterval)
	return b.do("POST", "/signin/fido/status", map[string]string{"attempt": a.Attempt})
}

func (b *browser) state(rec *httptest.ResponseRecorder) string {
	b.t.Helper()
	var body struct{ State string }
	json.Unmarshal(rec.Body.Bytes(), &body)
	return body.State
}

func (b *browser) wantState(a attempt, want string) {
	b.t.Helper()
	if rec := b.status(a); b.state(rec) != want {
		b.t.Fatalf("got %d %s, want state %s", rec.Code, rec.Body, want)
	}
}

// refused checks that an attempt ends, with what the citizen and the operator are
// told, and that no session began.
func (b *browser) refused(rec *httptest.ResponseRecorder, code signin.Code) {
	b.t.Helper()
	var p signin.Problem
	json.Unmarshal(rec.Body.Bytes(), &p)
	if rec.Code < 400 || p.Code != code || p.Message.ZhTW == "" || p.Message.En == "" {
		b.t.Errorf("got %d %s, want code %s with its sentences", rec.Code, rec.Body, code)
	}
	if b.cookies[sessionCookie] != "" {
		b.t.Error("a session began along with a refusal")
	}
}

// account returns subject and assurance, or "" without a session.
func (b *browser) account() string {
	b.t.Helper()
	if rec := b.do("GET", "/account", nil); rec.Code == http.StatusOK {
		return rec.Body.String()
	}
	return ""
}

// lastTicket returns the ticket that was issued last, which the QR code holds.
func (w *world) lastTicket(t testing.TB) string {
	t.Helper()
	tickets := w.fido.Tickets()
	if len(tickets) == 0 {
		t.Fatal("no ticket was issued")
	}
	return tickets[len(tickets)-1]
}

// hint is what the phone shows of the ticket that was issued last.
func (w *world) hint(t testing.TB) string {
	t.Helper()
	body, _, _ := strings.Cut(w.lastTicket(t), ".")
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	var ticket struct{ Hint string }
	if err := json.Unmarshal(raw, &ticket); err != nil {
		t.Fatal(err)
	}
	return ticket.Hint
}
