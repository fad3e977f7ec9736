package hipki_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestAttacks(t *testing.T) {
	w := newWorld(t, nil)
	refused := func(t *testing.T, resp *http.Response, body string, status int, says string) {
		t.Helper()
		if resp.StatusCode != status || !strings.Contains(body, says) {
			t.Errorf("got status %d, want %d and %q in\n%s", resp.StatusCode, status, says, body)
		}
		for _, c := range resp.Cookies() {
			if strings.Contains(c.Name, "session") {
				t.Errorf("a refusal sets the cookie %s", c.Name)
			}
		}
	}
	english := []string{"Accept-Language", "en"}

	t.Run("L01 an answer posted again", func(t *testing.T) {
		challenge, request := w.begin()
		answer := w.answer(w.card, request)
		if resp, _ := w.finish(challenge, answer); resp.Request.URL.Path != "/account/" {
			t.Fatalf("the first time: got %s", resp.Request.URL.Path)
		}
		resp, body := w.finish(challenge, answer, english...)
		refused(t, resp, body, http.StatusForbidden, "already been used")
	})
	t.Run("L07 an answer from a page of another site", func(t *testing.T) {
		challenge, request := w.begin()
		for _, origin := range []string{"https://elsewhere.example", "null"} {
			resp, body := w.finish(challenge, w.answer(w.card, request), "Accept-Language", "en", "Origin", origin)
			refused(t, resp, body, http.StatusForbidden, "not sent by a page of this site")
		}
		if resp, _ := w.finish(challenge, w.answer(w.card, request)); resp.Request.URL.Path != "/account/" {
			t.Errorf("from our own page: got %s", resp.Request.URL.Path)
		}
	})
	t.Run("L10 certb64 of another citizen", func(t *testing.T) {
		challenge, request := w.begin()
		answer := w.answer(w.card, request)
		answer["certb64"] = base64.StdEncoding.EncodeToString(w.other.Cert.Raw)
		resp, body := w.finish(challenge, answer, english...)
		refused(t, resp, body, http.StatusForbidden, "could not be verified")
	})
	t.Run("L11 cardSN and subject edited", func(t *testing.T) {
		challenge, request := w.begin()
		answer := w.answer(w.card, request)
		answer["cardSN"], answer["subjectCN"], answer["usage"] = "TS00000000000000", "somebody", "keyCertSign"
		if resp, _ := w.finish(challenge, answer); resp.Request.URL.Path != "/account/" {
			t.Errorf("got %s, want them to have no effect", resp.Request.URL.Path)
		}
	})
	t.Run("L12 a failure with a signature", func(t *testing.T) {
		challenge, request := w.begin()
		for code, says := range map[int64]string{
			0x76000006: "Insert your", 0x83000105 - 1<<32: "wrong form", 0x7600000E: "Update it", 1: "0x00000001",
		} {
			answer := w.answer(w.card, request)
			answer["ret_code"] = code
			resp, body := w.finish(challenge, answer, english...)
			refused(t, resp, body, http.StatusForbidden, says)
		}
	})
	t.Run("L17 too many challenges", func(t *testing.T) {
		w := newWorld(t, nil)
		for range 20 {
			w.begin()
		}
		resp, body := w.do(http.MethodGet, "/signin/", nil, english...)
		refused(t, resp, body, http.StatusTooManyRequests, "too many requests")
	})
	t.Run("L17 challenges asked for by a page of another site", func(t *testing.T) {
		w := newWorld(t, nil)
		for range 30 { // images, which the citizen does not see, on the citizen's account
			resp, body := w.do(http.MethodGet, "/signin/", nil, append(english, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "image")...)
			refused(t, resp, body, http.StatusForbidden, "not sent by a page of this site")
		}
		resp, _ := w.do(http.MethodGet, "/signin/", nil, append(english, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "document")...)
		if resp.StatusCode != http.StatusOK {
			t.Errorf("who follows a link of another site: got %d, want 200", resp.StatusCode)
		}
	})
	t.Run("forms that are none", func(t *testing.T) {
		w := newWorld(t, nil)
		for _, answer := range []string{"", "{}", "null", `{"func":"sign"}`, strings.Repeat("x", 300<<10)} {
			resp, body := w.do(http.MethodPost, "/signin/", url.Values{"challenge": {"x"}, "answer": {answer}}, english...)
			refused(t, resp, body, http.StatusBadRequest, "Reload the page")
		}
	})
}
