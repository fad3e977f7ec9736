package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/examples/internal/visitor"
)

// A citizen signs in with the card and files; another browser signs in with the phone,
// whose holder is another than that of the card.
func TestQuickstart(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	origin := "http://" + server.Listener.Addr().String()
	site, d, err := start(origin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Close()
		d.component.Close()
		d.pki.Close()
	})
	server.Config.Handler = site
	server.Start()

	b := newBrowser(t, origin)
	sign := func(path string) *visitor.Page {
		t.Helper()
		shown, err := b.Get(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		form, err := shown.CardForm()
		if err != nil {
			t.Fatal(err)
		}
		p, err := b.Sign(t.Context(), form, 0)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := sign("/signin/"); p.At("/") != nil || !strings.Contains(p.Body, "nothing to pay") {
		t.Fatalf("signing in: got %d %s", p.Status, p.Body)
	}
	if p := sign("/"); p.Status != http.StatusOK || p.Body != "filed by 王測試, and verified\n" {
		t.Errorf("filing: got %d %s", p.Status, p.Body)
	}

	b = newBrowser(t, origin)
	shown, err := b.Get(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	form, err := shown.PhoneForm()
	if err != nil {
		t.Fatal(err)
	}
	if p, err := b.UsePhone(t.Context(), form, d.phone); err != nil || p.At("/") != nil {
		t.Fatalf("signing in with the phone: got %+v, %v", p, err)
	}
	if p := sign("/"); p.Status != http.StatusForbidden || p.Body != "refused: signed by somebody else\n" {
		t.Errorf("the card of another holder: got %d %s", p.Status, p.Body)
	}
}

func newBrowser(t *testing.T, origin string) *visitor.Browser {
	t.Helper()
	b, err := visitor.New(origin)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The program can be copied: it imports nothing that is internal.
func TestImports(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`"[^"]*/(internal|examples)/[^"]*"`).Find(source); found != nil {
		t.Errorf("main.go imports %s", found)
	}
}
