package site

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/citizencert/citizencert/verify"
)

func TestTexts(t *testing.T) {
	var all [2]map[string]string
	for i, name := range []string{"texts/zh-TW.json", "texts/en.json"} {
		data, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	if zh, en := slices.Sorted(maps.Keys(all[0])), slices.Sorted(maps.Keys(all[1])); !slices.Equal(zh, en) {
		t.Errorf("got keys %q in Chinese and %q in English", zh, en)
	}
	for _, reason := range verify.Reasons() {
		if all[0]["reason."+string(reason)] == "" {
			t.Errorf("reason %s has no sentence", reason)
		}
	}
}

// service is a service of one page.
func service(page string) fstest.MapFS {
	texts := []byte(`{"site.name": "name", "site.notice": "notice", "nav.home": "home", "greeting": "%s, %d"}`)
	return fstest.MapFS{
		"pages/page.html":  {Data: []byte(page)},
		"texts/zh-TW.json": {Data: texts},
		"texts/en.json":    {Data: texts},
	}
}

func TestRender(t *testing.T) {
	for name, test := range map[string]struct {
		page   string
		status int
		want   string
	}{
		"good":         {`{{define "main"}}{{t "greeting" "<you>" .Data}}{{end}}`, http.StatusTeapot, "&lt;you&gt;, 7"},
		"unknown text": {`{{define "main"}}half a page {{t "nothing"}}{{end}}`, http.StatusInternalServerError, "Internal Server Error"},
		"known word":   {`{{define "main"}}{{word "site" "name"}}{{end}}`, http.StatusTeapot, "name"},
		"unknown word": {`{{define "main"}}{{word "reason" "unheard-of"}}{{end}}`, http.StatusTeapot, "unheard-of"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(service(test.page), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			handler := Protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s.Render(w, r, http.StatusTeapot, "page.html", Page{Data: 7})
			}), nil)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			if body := w.Body.String(); w.Code != test.status || !strings.Contains(body, test.want) || strings.Contains(body, "half a page") {
				t.Errorf("got status %d and\n%s", w.Code, body)
			}
		})
	}
}

func TestNewRefusesRepeatedText(t *testing.T) {
	fsys := service("")
	fsys["texts/en.json"] = &fstest.MapFile{Data: []byte(`{"nav.signin": "again"}`)}
	if _, err := New(fsys, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "nav.signin") {
		t.Errorf("got error %v, want one that names the key", err)
	}
}

// The language that was asked for is remembered.
func TestLanguageSwitch(t *testing.T) {
	handler := Protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(visitFrom(r.Context()).language))
	}), nil)
	ask := func(path string, cookies []*http.Cookie) (string, []*http.Cookie) {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Language", "zh-TW")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Body.String(), w.Result().Cookies()
	}
	first, cookies := ask("/?lang=en", nil)
	second, _ := ask("/", cookies)
	third, _ := ask("/?lang=xx", []*http.Cookie{{Name: "lang", Value: "xx"}})
	if first != "en" || second != "en" || third != "zh-Hant-TW" {
		t.Errorf("got %s, then %s, and %s for an unknown language", first, second, third)
	}
}
