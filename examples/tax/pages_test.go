package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
)

var (
	nonceInPolicy = regexp.MustCompile(`script-src 'nonce-([^']+)' 'strict-dynamic'`)
	nonceInPage   = regexp.MustCompile(`<script [^>]*nonce="([^"]+)"`)
	outside       = regexp.MustCompile(`(?:src|href|action)="(?:[a-z]+:)?//`)
	inline        = regexp.MustCompile(`(?i)<style|style="|\son[a-z]+="|<script[^>]*>[^<]`)
)

// Every page exists in both languages, runs our script alone, and fetches
// nothing from elsewhere.
func TestPages(t *testing.T) {
	c := newOffice(t).filer(lookalike.CitizenCard)
	form := c.prepare()
	refused := c.submit(form, []byte("nothing")).Path
	accepted := c.sign(form).Path
	paths := []string{
		"/", "/signin", "/filings", "/returns/new", "/nowhere",
		strings.TrimSuffix(form.Action, "/signature"), refused, accepted,
	}
	for _, path := range paths {
		for _, lang := range []string{"zh-TW", "en"} {
			t.Run(path+" "+lang, func(t *testing.T) {
				header, body := c.raw(t, path+"?lang="+lang)
				want := map[string]string{"zh-TW": `<html lang="zh-Hant-TW">`, "en": `<html lang="en">`}[lang]
				if !strings.Contains(body, want) {
					t.Errorf("got no %s", want)
				}
				policy := header.Get("Content-Security-Policy")
				nonce := nonceInPolicy.FindStringSubmatch(policy)
				if nonce == nil || !strings.HasPrefix(policy, "default-src 'none';") {
					t.Fatalf("got policy %q", policy)
				}
				for _, script := range nonceInPage.FindAllStringSubmatch(body, -1) {
					if script[1] != nonce[1] {
						t.Errorf("got nonce %q in the page, want %q", script[1], nonce[1])
					}
				}
				// The simulated phone is elsewhere, as the real one is.
				body = strings.ReplaceAll(body, `href="`+c.World.PhoneScreen()+`"`, "")
				// A data block runs nothing.
				body = strings.ReplaceAll(body, `<script type="application/json"`, "<data")
				if found := outside.FindString(body) + inline.FindString(body); found != "" {
					t.Errorf("got %q", found)
				}
				for name, want := range map[string]string{
					"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
					"Cross-Origin-Opener-Policy": "same-origin-allow-popups",
				} {
					if got := header.Get(name); got != want {
						t.Errorf("got %s: %q, want %q", name, got, want)
					}
				}
			})
		}
	}
}

func (c *citizen) raw(t *testing.T, path string) (http.Header, string) {
	t.Helper()
	resp, err := c.browser.Client.Get(c.Origin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Header, string(body)
}

// The two catalogues say the same things.
func TestTexts(t *testing.T) {
	var keys [2][]string
	for i, name := range []string{"texts/zh-TW.json", "texts/en.json"} {
		data, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]string
		if err := json.Unmarshal(data, &texts); err != nil {
			t.Fatal(err)
		}
		for key, text := range texts {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: %s is empty", name, key)
			}
			keys[i] = append(keys[i], key)
		}
		slices.Sort(keys[i])
	}
	if !slices.Equal(keys[0], keys[1]) {
		t.Errorf("got keys %q in Chinese and %q in English", keys[0], keys[1])
	}
}
