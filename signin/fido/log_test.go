package fido_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
)

// Whatever happens, what the operator can read at any level names nobody: no ID
// number nor its digest, no name, holder number, certificate or signature, no
// ticket, and no message that MOI wrote.
func TestLogsNameNobody(t *testing.T) {
	w := newWorld(t)
	defaults := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(defaults)
	w.authCfg.InsecureUnlimitedChallenges = true
	w.restart(t)

	w.signedIn(t)
	for _, s := range []pkitest.FidoScript{
		{Code: wangID}, {Code: "SP-API-ATH-02-" + wangID}, {Code: "A_" + wangID}, {Status: 500}, {Code: "0"},
		{Code: "SPTKT_OVD: 王測試 " + wangID},
		{Alter: func(r map[string]any) { r["hashed_id_num"] = wangID }},
		{Alter: func(r map[string]any) { r["hashed_id_num"] = pkitest.FidoHash(linID) }},
		{Tamper: func(r map[string]any) { r["cert"] = wangID }},
		{Tamper: func(r map[string]any) { r["cert"] = encode(w.lin.Card.Cert.Raw) }},
		{Tamper: func(r map[string]any) { r["signed_response"] = 123456780 }},
		{Tamper: func(r map[string]any) { r["idp_checksum"] = wangID }},
	} {
		b, a := w.approved(t, s)
		b.status(a)
		w.fido.Script(pkitest.FidoScript{})
		s.Call = ticketCall
		w.fido.Script(s)
		w.browser(t).do("POST", "/signin/fido/start", map[string]string{"mode": "qr", "idNumber": wangID})
		s.Call = "requestAthOrSignPush"
		w.fido.Script(s)
		w.browser(t).do("POST", "/signin/fido/start", map[string]string{"mode": "push", "idNumber": wangID})
		w.fido.Script(pkitest.FidoScript{})
	}
	b := w.browser(t)
	b.do("POST", "/signin/fido/start", map[string]string{"mode": "qr", "idNumber": wangID + "X"})
	b.do("POST", "/signin/fido/start", map[string]string{"mode": wangID, "idNumber": wangID})
	b.do("POST", "/signin/fido/start", map[string]string{"mode": "push", "idNumber": "C123456780"})
	b.do("POST", "/signin/fido/status", map[string]string{"attempt": wangID})
	form := w.webResult(t, b.start("redirect", ""), wangID, true)
	form.Set("cert", wangID)
	b.do("POST", "/signin/fido/callback", form)
	b.do("POST", "/signin/fido/callback", url.Values{"id_num": {wangID}, "error_code": {wangID}})

	log := w.log.String()
	if strings.Count(log, "\n") < 30 || !strings.Contains(log, "phone: callback refused") {
		t.Fatalf("the log is too short to tell:\n%s", log)
	}
	for what, secret := range map[string]string{
		"an ID number":     wangID,
		"part of one":      "123456780",
		"another":          linID,
		"the digest":       pkitest.FidoHash(wangID),
		"another's digest": pkitest.FidoHash(linID),
		"a name":           "測試",
		"a holder number":  w.wang.Card.Person.Number,
		"the key":          w.fido.KeyText(),
		"the last four":    `"` + wangID[6:] + `"`,
	} {
		if i := strings.Index(log, secret); i >= 0 {
			t.Errorf("%s is in the log: …%s…", what, log[max(0, i-200):min(len(log), i+60)])
		}
	}
	// At the beginning of a word: the names of sessions have any three letters now and then.
	if found := regexp.MustCompile(`\b(eyJ|MII).{60}`).FindString(log); found != "" {
		t.Errorf("a ticket or a certificate is in the log: %s…", found)
	}
}

// What fmt prints of a value that holds personal data does not show it.
func TestPrintedValues(t *testing.T) {
	w := newWorld(t)
	ticket, err := w.client.Ticket(t.Context(), fido.Request{IDNumber: wangID, Mode: fido.ModeQR, Hint: "測試", Data: []byte("資料")})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.wang.Approve(ticket.Text); err != nil {
		t.Fatal(err)
	}
	answer, err := w.client.Result(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	callback, err := w.client.ParseCallback(w.webResult(t, w.browser(t).start("redirect", ""), wangID, true))
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []any{ticket, answer, callback} {
		printed := fmt.Sprintf("%v %+v %#v %s", value, value, value, value)
		if !strings.Contains(printed, "transaction") || strings.Contains(printed, pkitest.FidoHash(wangID)) || strings.Contains(printed, wangID[6:]) {
			t.Errorf("%T prints %s", value, printed)
		}
	}
}

// A connection that fails is told apart from an answer that refuses, and its error
// repeats nothing of the request.
func TestTransport(t *testing.T) {
	w := newWorld(t)
	down := w.newClient(t, &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, errors.New("connection refused")
	})})
	_, err := down.Ticket(t.Context(), fido.Request{IDNumber: wangID, Mode: fido.ModeQR, Hint: "測試"})
	wantClass(t, err, fido.ClassTransport)
	if strings.Contains(err.Error(), wangID) {
		t.Errorf("got %v", err)
	}

	elsewhere := 0
	w.PKI.Script("/elsewhere", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	w.PKI.Script(w.fido.URL(), http.RedirectHandler(w.URL()+"/elsewhere", http.StatusTemporaryRedirect))
	_, err = w.newClient(t, &http.Client{}).Ticket(t.Context(), fido.Request{IDNumber: wangID, Mode: fido.ModeQR, Hint: "測試"})
	wantClass(t, err, fido.ClassTransport)
	if elsewhere != 0 {
		t.Error("a redirect was followed, with the ID number")
	}

	w.PKI.Script(w.fido.URL(), http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Write([]byte(`{"error_code":"0","result":"` + strings.Repeat("x", 300<<10) + `"}`))
	}))
	_, err = w.client.Ticket(t.Context(), fido.Request{IDNumber: wangID, Mode: fido.ModeQR, Hint: "測試"})
	wantClass(t, err, fido.ClassTransport)
}

// A client for a proxy, say, has no timeout unless somebody thinks of it; a request
// of a browser waits for it no longer than for one that is our own.
func TestClientTimeout(t *testing.T) {
	w := newWorld(t)
	for given, want := range map[time.Duration]time.Duration{0: 15 * time.Second, time.Minute: time.Minute} {
		var left time.Duration
		client := w.newClient(t, &http.Client{Timeout: given, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			until, _ := r.Context().Deadline()
			left = time.Until(until)
			return nil, errors.New("no answer")
		})})
		_, err := client.DeviceStatus(t.Context(), wangID)
		wantClass(t, err, fido.ClassTransport)
		if left > want || left < want-5*time.Second {
			t.Errorf("timeout %v: a request has %v, want %v", given, left, want)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// An attempt whose store is full is refused and leaves nothing behind.
func TestStoreFull(t *testing.T) {
	w := newWorld(t)
	for i := range signin.MaxChallenges {
		if err := w.store.Put(t.Context(), fmt.Sprint(i), nil, w.clock.Now().Add(signin.ChallengeLife)); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []string{"qr", "redirect"} {
		id := map[string]string{"qr": wangID}[mode]
		b := w.browser(t)
		b.refused(b.do("POST", "/signin/fido/start", map[string]string{"mode": mode, "idNumber": id}), signin.CodeBusy)
	}
}
