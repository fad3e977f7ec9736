package hipki_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/hipki"
)

func (w *world) request(method, path string, form url.Values, header ...string) *http.Request {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.origin+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", w.origin)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func (w *world) send(r *http.Request) (*http.Response, string) {
	w.Helper()
	resp, err := w.client.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return resp, string(body)
}

var (
	challengeField = regexp.MustCompile(`name="challenge" value="([^"]+)"`)
	settingsBlock  = regexp.MustCompile(`(?s)data-hipki-settings>(.*?)</script>`)
)

// begin opens the page and returns what the script has.
func (w *world) begin() (challenge string, request signin.ComponentRequest) {
	w.Helper()
	_, body := w.do(http.MethodGet, "/signin/", nil)
	found, settings := challengeField.FindStringSubmatch(body), settingsBlock.FindStringSubmatch(body)
	if found == nil || settings == nil {
		w.Fatalf("the page has no form:\n%s", body)
	}
	var s struct{ Request signin.ComponentRequest }
	if err := json.Unmarshal([]byte(settings[1]), &s); err != nil {
		w.Fatal(err)
	}
	return html.UnescapeString(found[1]), s.Request
}

// answer is that of a component with a card.
func (w *world) answer(card *pkitest.Card, request signin.ComponentRequest) map[string]any {
	w.Helper()
	sign := card.SignPKCS1
	if request.SignatureType == signin.PKCS7 {
		sign = func(tbs []byte) ([]byte, error) {
			return card.SignPKCS7(tbs, &pkitest.CMSOptions{CardNumber: request.WithCardSN == "true"})
		}
	}
	signature, err := sign([]byte(request.TBS))
	if err != nil {
		w.Fatal(err)
	}
	return map[string]any{
		"func": "sign", "ret_code": 0, "last_error": 0,
		"signature": base64.StdEncoding.EncodeToString(signature),
		"certb64":   base64.StdEncoding.EncodeToString(card.Cert.Raw),
	}
}

func (w *world) finish(challenge string, answer map[string]any, header ...string) (*http.Response, string) {
	w.Helper()
	text, err := json.Marshal(answer)
	if err != nil {
		w.Fatal(err)
	}
	return w.do(http.MethodPost, "/signin/", url.Values{"challenge": {challenge}, "answer": {string(text)}}, header...)
}

func TestPage(t *testing.T) {
	w := newWorld(t, func(cfg *hipki.Config) { cfg.Type, cfg.CardNumber = signin.PKCS7, true })
	resp, body := w.do(http.MethodGet, "/signin/?lang=zh-TW", nil)
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"Cross-Origin-Opener-Policy": "same-origin-allow-popups", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("got %s: %q, want %q", name, got, want)
		}
	}
	policy := resp.Header.Get("Content-Security-Policy")
	nonce := regexp.MustCompile(`script-src 'nonce-([^']+)' 'strict-dynamic';`).FindStringSubmatch(policy)
	if nonce == nil || !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
		t.Fatalf("got policy %q", policy)
	}
	script := regexp.MustCompile(`<script src="(/signin/card\.[0-9a-f]{16}\.js)" nonce="([^"]+)" defer>`).FindStringSubmatch(body)
	if script == nil || script[2] != nonce[1] {
		t.Fatalf("got script element %q, want one with nonce %q", script, nonce[1])
	}
	for _, want := range []string{`<html lang="zh-Hant-TW">`, "測試服務", "自然人憑證", `role="status" aria-live="polite"`, `"http://localhost:61161"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if field := regexp.MustCompile(`(?s)<input id="card-pin"[^>]*>`).FindString(body); field == "" || strings.Contains(field, " name=") {
		t.Errorf("got PIN field %q, want one without a name", field)
	}
	asset, _ := w.do(http.MethodGet, script[1], nil)
	if asset.StatusCode != http.StatusOK || asset.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" ||
		!strings.Contains(asset.Header.Get("Content-Type"), "javascript") {
		t.Errorf("script: got status %d and header %v", asset.StatusCode, asset.Header)
	}
	if old, _ := w.do(http.MethodGet, "/signin/card.0000000000000000.js", nil); old.StatusCode != http.StatusNotFound {
		t.Errorf("a script of another version: got status %d, want 404", old.StatusCode)
	}

	challenge, request := w.begin()
	if resp, body := w.finish(challenge, w.answer(w.card, request)); resp.Request.URL.Path != "/account/" || body != "signed in" {
		t.Errorf("after signing: got %s with status %d", resp.Request.URL.Path, resp.StatusCode)
	}
	if resp, _ := w.do(http.MethodPost, "/signin/signout", nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("after signing out: got status %d, want 401 from the account", resp.StatusCode)
	}
}

func TestDocumentForm(t *testing.T) {
	w := newWorld(t, nil)
	r := w.request(http.MethodGet, "/", nil)
	form, err := w.handler.DocumentForm(r, "/file", []byte("a+b"))
	if err != nil || form.Request.TBS != "YSti" || form.Request.SignatureType != signin.PKCS7 || form.Life != 0 {
		t.Errorf("got %+v, %v", form, err)
	}
	for _, document := range []string{"citizencert:1/signin/", "\xef\xbb\xbfcitizencert:9", "c\x00i\x00t\x00i\x00z\x00e\x00n\x00c\x00e\x00r\x00t\x00:\x00"} {
		if _, err := w.handler.DocumentForm(r, "/file", []byte(document)); err == nil {
			t.Errorf("%q: got no error for a document that begins like a statement line", document)
		}
	}
}

// What the card has signed is handed on; a failure of the component is none, whatever
// else is in the answer.
func TestFinishDocument(t *testing.T) {
	w := newWorld(t, nil)
	for answer, want := range map[string]signin.Reason{
		`{"func":"sign","ret_code":0,"signature":"MAA="}`:          "",
		`{"func":"sign","ret_code":1979711502,"signature":"MAA="}`: signin.ReasonComponent,
		`{"func":"sign","ret_code":0,"signature":""}`:              signin.ReasonRequest,
		`{"func":"sign","ret_code":0,"signature":"%"}`:             signin.ReasonRequest,
		`{"func":"decrypt","ret_code":0,"signature":"MAA="}`:       signin.ReasonRequest,
		`{"func":"sign","signature":"MAA="}`:                       signin.ReasonRequest,
		"":                                                         signin.ReasonRequest,
	} {
		r := w.request(http.MethodPost, "/file", url.Values{"answer": {answer}})
		signature, err := w.handler.FinishDocument(httptest.NewRecorder(), r)
		if want == "" {
			if err != nil || string(signature) != "0\x00" {
				t.Errorf("%s: got %x, %v", answer, signature, err)
			}
			continue
		}
		if e, ok := errors.AsType[*signin.Error](err); !ok || e.Reason != want || signature != nil {
			t.Errorf("%s: got %x, %v, want reason %s", answer, signature, err, want)
		}
	}
}

// What a page shows stays text, whatever is in it.
func TestFormEscapes(t *testing.T) {
	w := newWorld(t, nil)
	form, err := w.handler.DocumentForm(w.request(http.MethodGet, "/", nil), `/"><script>alert(1)</script>`, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	form.Request.TBS, form.Button = "</script><script>alert(2)</script>", "<b>"
	markup, err := form.HTML()
	if err != nil || strings.Contains(string(markup), "<script>") || strings.Contains(string(markup), "<b>") {
		t.Errorf("got %v\n%s", err, markup)
	}
}

// Another way to sign in is shown beside the card, and before it to who comes with a
// phone; the page's policy lets its forms go where they have to.
func TestBeside(t *testing.T) {
	w := newWorld(t, func(cfg *hipki.Config) {
		cfg.Beside = func(_ http.ResponseWriter, r *http.Request, lang signin.Language, nonce string) (hipki.Section, error) {
			if r.URL.Query().Has("fail") {
				return hipki.Section{}, errors.New("not now")
			}
			return hipki.Section{
				Title: signin.Text{ZhTW: "另一種", En: "Another"}.In(lang), Body: "<p>other</p>",
				Head: template.HTML(`<script src="/o.js" nonce="` + nonce + `"></script>`), FormAction: "https://moi.example",
			}, nil
		}
	})
	for agent, first := range map[string]string{"Firefox": "Citizen Digital Certificate (card)", "Mobile Safari": "Another"} {
		resp, body := w.do(http.MethodGet, "/signin/?lang=en", nil, "User-Agent", agent)
		if found := regexp.MustCompile(`<h2 id="method-0">([^<]*)</h2>`).FindStringSubmatch(body); found == nil || found[1] != first {
			t.Errorf("%s: got %q first, want %q", agent, found, first)
		}
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "; form-action 'self' https://moi.example;") {
			t.Errorf("got policy %q", policy)
		}
		nonces := regexp.MustCompile(`nonce="([^"]+)"`).FindAllStringSubmatch(body, -1)
		if len(nonces) != 2 || nonces[0][1] != nonces[1][1] || !strings.Contains(policy, nonces[0][1]) {
			t.Errorf("got nonces %q under policy %q", nonces, policy)
		}
		for _, want := range []string{"Choose one way", "<p>other</p>", "Put your Citizen Digital Certificate"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page has no %q", agent, want)
			}
		}
	}
	if resp, body := w.do(http.MethodGet, "/signin/?fail", nil); resp.StatusCode != http.StatusInternalServerError || strings.Contains(body, "hipki-methods") {
		t.Errorf("a way that fails: got %d\n%s", resp.StatusCode, body)
	}
}
