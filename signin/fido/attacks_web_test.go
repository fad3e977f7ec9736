package fido_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/verify"
)

func wantClass(t *testing.T, err error, want fido.Class) {
	t.Helper()
	if e, ok := errors.AsType[*fido.Error](err); !ok || e.Class != want {
		t.Errorf("got %v, want class %s", err, want)
	}
}

// A recorder stands between the service and MOI. It reads checksums, and changes
// what is not under any.
type recorder struct {
	next http.Handler

	mu        sync.Mutex
	checksums []string
	form      string            // in place of sign_type
	swapped   map[string]string // answers of tickets, by sp_ticket_id
}

// swap has each of two tickets answered with the answer to the other.
func (p *recorder) swap(a, b string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.swapped = map[string]string{a: b, b: a}
}

func (p *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var members map[string]any
	json.Unmarshal(body, &members)
	p.mu.Lock()
	sum, _ := members["sp_checksum"].(string)
	p.checksums = append(p.checksums, sum)
	if info, ok := members["sign_info"].(map[string]any); ok && p.form != "" {
		info["sign_type"] = p.form
	}
	other := p.swapped[text(members["sp_ticket_id"])]
	p.mu.Unlock()
	if other != "" {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(p.next.(*pkitest.Fido).Answer(other))
		return
	}
	body, _ = json.Marshal(members)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	p.next.ServeHTTP(w, r)
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// Another app opens the return URL, with any value: the page asks for the result,
// and there is none.
func attackReturnURL(t *testing.T) {
	w := newWorld(t)
	b, thief := w.browser(t), w.browser(t)
	a := b.start("web", wangID)
	b.wantState(a, "pending")
	thief.start("web", linID) // has a cookie of its own
	if rec := thief.status(a); thief.state(rec) != "" || thief.account() != "" {
		t.Errorf("another browser got %d %s", rec.Code, rec.Body)
	}
	if rec := b.status(attempt{Attempt: strings.Repeat("A", 43)}); rec.Code < 400 {
		t.Errorf("a made-up value got %d %s", rec.Code, rec.Body)
	}
	b.wantState(a, "pending")
}

func attackCallback(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	a := b.start("redirect", "")
	good := w.webResult(t, a, wangID, true)
	post := func(form url.Values) int {
		moi := w.browser(t)
		moi.header.Set("Sec-Fetch-Site", "cross-site")
		rec := moi.do("POST", "/signin/fido/callback", form)
		if len(moi.cookies) != 0 {
			t.Error("a callback has set a cookie")
		}
		return rec.Code
	}
	change := func(name string, values ...string) url.Values {
		changed := url.Values{}
		for k, v := range good {
			changed[k] = v
		}
		changed[name] = values
		return changed
	}
	foreign := newWorld(t)
	elsewhere := foreign.webResult(t, foreign.browser(t).start("redirect", ""), wangID, true)
	for name, form := range map[string]url.Values{
		"forged":              {"transaction_id": {a.Form.Fields["transaction_id"]}, "error_code": {"0"}, "id_num": {wangID}, "idp_checksum": {strings.Repeat("0", 184)}},
		"another person":      change("id_num", linID),
		"without a checksum":  change("idp_checksum"),
		"two numbers":         change("id_num", wangID, wangID),
		"another transaction": change("transaction_id", "046b6c7f-0b8a-43b9-b35d-6489e6daee91"),
		"nobody pending":      elsewhere,
		"empty":               {},
	} {
		if got := post(form); got != http.StatusForbidden {
			t.Errorf("%s: got %d", name, got)
		}
	}
	b.wantState(a, "pending") // a forger has ended nothing
	if got := post(good); got != http.StatusSeeOther {
		t.Errorf("the callback: got %d", got)
	}
	if got := post(good); got != http.StatusForbidden {
		t.Errorf("the callback again: got %d", got)
	}
	thief := w.browser(t)
	thief.start("qr", linID)
	if rec := thief.status(a); rec.Code < 400 {
		t.Errorf("another browser: got %d %s", rec.Code, rec.Body)
	}
	b.wantState(a, "done")
	if got := post(good); got != http.StatusForbidden {
		t.Errorf("the callback after the end: got %d", got)
	}

	b = w.browser(t)
	a = b.start("redirect", "")
	if got := post(w.webResult(t, a, wangID, false)); got != http.StatusSeeOther {
		t.Errorf("a refusal: got %d", got)
	}
	b.refused(b.status(a), "phone-canceled")
}

func attackCodes(t *testing.T) {
	for _, pending := range []string{
		"SP-API-ATH-02-SPTKTID_TXNLOG_NF", "SPTKTID_TXNLOG_NF", "SP-API-ATH-02-SPTKTID_TXNLOG_NF: 查無交易紀錄", "20002", "20003",
	} {
		for _, numbers := range []bool{false, true} {
			w := newWorld(t)
			b, a := w.approved(t, pkitest.FidoScript{Pending: 2, PendingCode: pending, NumberCodes: numbers})
			b.wantState(a, "pending")
			b.wantState(a, "pending")
			b.wantState(a, "done")
		}
	}
	w := newWorld(t)
	for code, want := range map[string]signin.Code{
		"SP-API-ATH-02-SPTKTID_TXNLOG":   "phone-unknown-code",
		"XSPTKTID_TXNLOG_NF":             "phone-unknown-code",
		"99999":                          "phone-unknown-code",
		"SP-API-ATH-02-APP_USER_CANCEL":  "phone-canceled",
		"SP-API-ATH-02-SPTKT_OVD":        "phone-expired",
		"SPTKTID_SPTKT_RDM":              "phone-used",
		"SPTKTID_SPTKT_NF":               "phone-unknown-ticket",
		"SP-API-ATH-02-DEVID_DEVPROF_NF": "phone-device-gone",
		"DEVID_SPTKT_MISMATCH":           "phone-wrong-person",
		"PM_INV_SG":                      "phone-signature-content",
		"DB_CONN_ERR":                    "phone-fault",
		"INV_SP_CHECKSUM":                "phone-credentials",
		"APP_SIGN_FAILURE":               "phone-app-failed",
	} {
		b, a := w.approved(t, pkitest.FidoScript{Code: code})
		b.ends(a, want)
	}
}

// What is not an answer of MOI is waited out, with a bound.
func attackNoEnvelope(t *testing.T) {
	for _, status := range []int{200, 302, 403, 500, 503} {
		w := newWorld(t)
		b, a := w.approved(t, pkitest.FidoScript{Status: status, Times: 3})
		for range 3 {
			b.wantState(a, "pending")
		}
		b.wantState(a, "done")

		b, a = w.approved(t, pkitest.FidoScript{Status: status})
		before := w.Requests(w.fido.URL())
		polls := 0
		for rec := b.status(a); b.state(rec) == "pending"; rec = b.status(a) {
			polls++
		}
		if got, most := w.Requests(w.fido.URL())-before, int(fido.DefaultTimeLimit/fido.PollInterval); got > most || got != polls {
			t.Errorf("%d: MOI was asked %d times in %d polls, want at most %d", status, got, polls, most)
		}
	}
	w := newWorld(t)
	w.fido.Script(pkitest.FidoScript{Status: 503})
	rec := w.browser(t).do("POST", "/signin/fido/start", map[string]string{"mode": "qr", "idNumber": wangID})
	w.browser(t).refused(rec, "phone-transport")
}

func attackOtherBrowser(t *testing.T) {
	w := newWorld(t)
	b, other := w.browser(t), w.browser(t)
	a := b.start("qr", wangID)
	second := b.start("qr", wangID) // another tab
	if err := w.wang.Approve(w.lastTicket(t)); err != nil {
		t.Fatal(err)
	}
	other.start("qr", linID)
	for _, cookies := range []map[string]string{other.cookies, {}} {
		thief := &browser{t: t, w: w, cookies: cookies, header: http.Header{}}
		thief.refused(thief.status(second), signin.CodeChallenge)
	}
	b.wantState(a, "pending")
	b.wantState(second, "done")
}

func attackCrossSite(t *testing.T) {
	w := newWorld(t)
	b, a := w.approved(t, pkitest.FidoScript{})
	victim := &browser{t: t, w: w, cookies: b.cookies, header: http.Header{"Sec-Fetch-Site": {"cross-site"}}}
	for path, body := range map[string]any{
		"/signin/fido/start":  map[string]string{"mode": "qr", "idNumber": wangID},
		"/signin/fido/status": map[string]string{"attempt": a.Attempt},
		"/signin/fido/cancel": map[string]string{"attempt": a.Attempt},
	} {
		victim.refused(victim.do("POST", path, body), signin.CodeCrossOrigin)
	}
	b.wantState(a, "done")
}

func attackEnvironments(t *testing.T) {
	w := newWorld(t)
	key, err := fido.ParseKey(w.fido.KeyText())
	if err != nil {
		t.Fatal(err)
	}
	cfg := fido.ClientConfig{ServiceID: "test-service", Key: key}
	production, err := fido.NewProduction(cfg)
	if err != nil {
		t.Fatal(err)
	}
	test, err := fido.NewTest(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		env    verify.Environment
		origin string
		client *fido.Client
		want   bool
	}{
		{verify.Production, "https://" + taxHost, production, true},
		{verify.Production, "https://" + taxHost, test, false},
		{verify.Test, "http://localhost:8080", test, true},
		{verify.Test, "http://localhost:8080", production, false},
		{verify.Custom, "https://" + taxHost, test, true},
	} {
		authCfg := w.authCfg
		authCfg.Verifier, authCfg.Origins = w.verifier(t, tt.env), []string{tt.origin}
		auth, err := signin.New(authCfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fido.New(fido.Config{Auth: auth, Client: tt.client, Hint: "測試"}); (err == nil) != tt.want {
			t.Errorf("%v with %v: got %v, want accepted %v", tt.env, tt.client.Environment(), err, tt.want)
		}
	}
	for base, want := range map[string][2]bool{ // production, test
		"https://fidoapi.moi.gov.tw":         {true, false},
		"https://fidoapi-test.moi.gov.tw":    {false, true},
		"https://fido-test.moi.gov.tw/moise": {false, true},
		"https://egress.example.gov.tw":      {true, true},
		"http://127.0.0.1:8080/fido":         {false, true},
		"https://127.0.0.1:8080":             {false, true},
		"http://egress.example.gov.tw":       {false, false},
		"fidoapi.moi.gov.tw":                 {false, false},
		"https://user@fidoapi.moi.gov.tw":    {false, false},
	} {
		cfg.API = base
		_, inProduction := fido.NewProduction(cfg)
		_, inTest := fido.NewTest(cfg)
		if got := [2]bool{inProduction == nil, inTest == nil}; got != want {
			t.Errorf("%s: got %v, want %v", base, got, want)
		}
	}
}
