package fido_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
)

const iPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"

var (
	buttons  = regexp.MustCompile(`<button name="mode" value="([a-z]+)"`)
	settings = regexp.MustCompile(`(?s)data-fido-settings>(.*?)</script>`)
	assets   = regexp.MustCompile(`(?:href|src)="(/signin/fido/phone\.[0-9a-f]{16}\.(?:js|css))"`)
)

// allModes are the modes of which a form has a button each.
var allModes = []fido.Mode{fido.ModeQR, fido.ModePush, fido.ModeWeb, fido.ModeRedirect}

// offered returns the ways that a page offers, in order.
func offered(markup string) string {
	var words []string
	for _, found := range buttons.FindAllStringSubmatch(markup, -1) {
		words = append(words, found[1])
	}
	return strings.Join(words, " ")
}

// The form is complete in both languages, offers first what is likeliest, and loads
// what the handler serves.
func TestSection(t *testing.T) {
	for _, tt := range []struct {
		name, agent, returnURL string
		modes                  []fido.Mode
		want, action           string
	}{
		{"desktop", "", returnURL, nil, "qr web push", ""},
		{"phone", iPhone, returnURL, nil, "web qr push", ""},
		{"nowhere to return to", iPhone, "", nil, "qr push", ""},
		{"all", iPhone, returnURL, allModes, "web qr push redirect", "http://127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(cfg *fido.Config) {
				cfg.Path, cfg.Next, cfg.ReturnURL, cfg.Modes = "/signin/fido/", "/account", tt.returnURL, tt.modes
			})
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("User-Agent", tt.agent)
			var texts []map[string]string
			for _, lang := range []signin.Language{signin.Chinese, signin.English} {
				s, err := w.flow.Section(nil, r, lang, "the-nonce")
				if err != nil {
					t.Fatal(err)
				}
				if got := offered(string(s.Body)); got != tt.want || !strings.HasPrefix(s.FormAction, tt.action) || tt.action == "" && s.FormAction != "" {
					t.Errorf("got ways %q and form action %q, want %q and %q", got, s.FormAction, tt.want, tt.action)
				}
				head := html.UnescapeString(string(s.Head))
				loaded := assets.FindAllStringSubmatch(head, -1)
				if len(loaded) != 2 || !strings.Contains(head, `nonce="the-nonce"`) {
					t.Errorf("got head %s", head)
				}
				for _, found := range loaded {
					if rec := w.browser(t).do("GET", found[1], nil); rec.Code != http.StatusOK || !strings.Contains(rec.Header().Get("Cache-Control"), "immutable") {
						t.Errorf("%s: got %d, %v", found[1], rec.Code, rec.Header())
					}
				}
				var got struct {
					Path, Next string
					Texts      map[string]string
				}
				if err := json.Unmarshal([]byte(settings.FindStringSubmatch(string(s.Body))[1]), &got); err != nil {
					t.Fatal(err)
				}
				if got.Path != "/signin/fido/" || got.Next != "/account" || s.Title == "" {
					t.Errorf("got %+v titled %q", got, s.Title)
				}
				texts = append(texts, got.Texts)
			}
			for name, zh := range texts[0] {
				if en := texts[1][name]; zh == "" || en == "" || zh == en {
					t.Errorf("text %s: got %q and %q", name, zh, en)
				}
			}
		})
	}
}

// Forms need to know where what they send is served.
func TestSectionNeedsPath(t *testing.T) {
	w := newWorld(t)
	if _, err := w.flow.Section(nil, httptest.NewRequest("GET", "/", nil), signin.English, ""); err == nil {
		t.Error("got no error without Config.Path")
	}
}

func TestNewRefusesPages(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*fido.Config){
		"path without slash":    func(c *fido.Config) { c.Path = "/signin/fido" },
		"path elsewhere":        func(c *fido.Config) { c.Path = "//elsewhere.example/" },
		"next elsewhere":        func(c *fido.Config) { c.Next = "//elsewhere.example" },
		"unknown mode":          func(c *fido.Config) { c.Modes = []fido.Mode{"MAIL"} },
		"nowhere to return to":  func(c *fido.Config) { c.ReturnURL, c.Modes = "", []fido.Mode{fido.ModeWeb} },
		"return elsewhere":      func(c *fido.Config) { c.ReturnURL = "https://elsewhere.example/login" },
		"return without TLS":    func(c *fido.Config) { c.ReturnURL = "http://" + taxHost + "/login" },
		"return with user info": func(c *fido.Config) { c.ReturnURL = "https://" + taxHost + "@elsewhere.example/" },
		"nowhere to return to2": func(c *fido.Config) { c.ReturnURL, c.Modes = "", []fido.Mode{fido.ModeRedirect} },
	} {
		cfg := w.flowCfg
		cfg.Path, cfg.Next, cfg.Modes = "/signin/fido/", "/account", []fido.Mode{fido.ModeQR, fido.ModePush}
		if _, err := fido.New(cfg); err != nil {
			t.Fatalf("the neighbour that passes: %v", err)
		}
		change(&cfg)
		if _, err := fido.New(cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// What a page shows stays text, whatever is in it.
func TestFormEscapes(t *testing.T) {
	w := newWorld(t)
	form := w.flow.StatementForm(httptest.NewRequest("GET", "/", nil), signin.English, "/x/</script><b>/")
	form.IDNumber = `"><b>`
	markup, err := form.HTML()
	if err != nil || strings.Contains(string(markup), "<b>") {
		t.Errorf("got %v\n%s", err, markup)
	}
	if slices.Contains(form.Modes, fido.ModeRedirect) {
		t.Error("a statement is offered by way of MOI's site")
	}
}

// A page has the citizen sign a document; what it gets is verified, and is of that
// document alone.
func TestStatementHandler(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn(t)
	if got := w.hint(t); got != w.flowCfg.Hint {
		t.Errorf("the phone shows %q to who signs in", got)
	}
	site := w.site
	var done []*fido.Signed
	refuse := error(nil)
	mux := http.NewServeMux()
	mux.Handle("/", site)
	mux.Handle("/returns/{number}/phone/{call}", w.flow.StatementHandler(fido.Statement{
		Purpose: signin.File,
		Hint:    "簽署綜合所得稅申報書",
		Document: func(r *http.Request, s *signin.Session) ([sha256.Size]byte, string, error) {
			if r.PathValue("number") == "9" {
				return [sha256.Size]byte{}, "", errors.New("no such return")
			}
			return sha256.Sum256([]byte(r.PathValue("number"))), "/returns/" + r.PathValue("number"), nil
		},
		Done: func(_ *http.Request, s *signin.Session, signed *fido.Signed) (string, error) {
			if s.Assurance != signin.AssuranceMobile {
				t.Errorf("got session %v", s)
			}
			done = append(done, signed)
			return "/filings/1", refuse
		},
	}))
	w.site = mux
	begin := func(number string) map[string]string {
		t.Helper()
		rec := b.do("POST", "/returns/"+number+"/phone/start", map[string]string{"mode": "web", "idNumber": wangID})
		var a struct{ Attempt, Link string }
		if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || a.Link == "" {
			t.Fatalf("got %d %s, %v", rec.Code, rec.Body, err)
		}
		// base64url of https://tax.example.gov.tw/returns/1
		if number == "1" && !strings.Contains(a.Link, "rtn_url=aHR0cHM6Ly90YXguZXhhbXBsZS5nb3YudHcvcmV0dXJucy8x") {
			t.Errorf("the app does not return to the page of the return: %s", a.Link)
		}
		if got := w.hint(t); got != "簽署綜合所得稅申報書" {
			t.Errorf("the phone shows %q", got)
		}
		if err := w.wang.Approve(a.Link); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(fido.PollInterval)
		return map[string]string{"attempt": a.Attempt}
	}

	rec := b.do("POST", "/returns/1/phone/status", begin("1"))
	if want := `{"state":"done","next":"/filings/1"}`; strings.TrimSpace(rec.Body.String()) != want || len(done) != 1 {
		t.Fatalf("got %s and %d documents, want %s and one", rec.Body, len(done), want)
	}
	l, err := signin.ParseLine(done[0].Line)
	if err != nil || l.Purpose != signin.File || l.Digest != sha256.Sum256([]byte("1")) || done[0].Result == nil {
		t.Errorf("got line %q", done[0].Line)
	}

	status := func(path string, body any, code int, want signin.Code) {
		t.Helper()
		rec := b.do("POST", path, body)
		var p signin.Problem
		json.Unmarshal(rec.Body.Bytes(), &p)
		if rec.Code != code || p.Code != want {
			t.Errorf("%s: got %d %s, want %d %s", path, rec.Code, rec.Body, code, want)
		}
	}
	status("/returns/2/phone/status", begin("1"), http.StatusForbidden, signin.CodeTextChanged)
	status("/signin/fido/status", begin("1"), http.StatusForbidden, signin.CodeSignature)
	attempt := begin("1")
	if rec := b.do("POST", "/returns/1/phone/cancel", attempt); rec.Code != http.StatusNoContent {
		t.Errorf("cancel: got %d %s", rec.Code, rec.Body)
	}
	status("/returns/1/phone/status", attempt, http.StatusForbidden, signin.CodeChallenge)
	if len(done) != 1 {
		t.Errorf("%d documents were handed on, want one", len(done))
	}
	refuse = errors.New("the database is full")
	status("/returns/1/phone/status", begin("1"), http.StatusInternalServerError, signin.CodeInternal)
	status("/returns/9/phone/start", map[string]string{"mode": "qr", "idNumber": wangID}, http.StatusInternalServerError, signin.CodeInternal)
	if rec := b.do("POST", "/returns/1/phone/other", nil); rec.Code != http.StatusNotFound {
		t.Errorf("another call: got %d", rec.Code)
	}
	stranger := w.browser(t)
	if rec := stranger.do("POST", "/returns/1/phone/start", map[string]string{"mode": "qr", "idNumber": wangID}); rec.Code != http.StatusUnauthorized {
		t.Errorf("without a session: got %d %s", rec.Code, rec.Body)
	}
}
