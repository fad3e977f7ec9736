package main

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/examples/internal/visitor"
)

func TestSignIn(t *testing.T) {
	o := newOffice(t)
	for name, slot := range map[string]int{
		"citizen":           lookalike.CitizenCard,
		"second generation": lookalike.SecondGenerationCard,
		"foreign resident":  lookalike.ResidentCard,
	} {
		t.Run(name, func(t *testing.T) {
			c := o.filer(slot)
			c.wantSays(c.get("/"), http.StatusOK, "There are no filings yet.")
		})
	}
}

func TestSignInRevoked(t *testing.T) {
	c := newOffice(t).visitor(lookalike.FormerCard)
	c.wantSays(c.sign(c.form("/signin")), http.StatusForbidden, "has been revoked", "certificate-revoked")
	if p := c.get("/filings"); p.Path != "/signin" {
		t.Errorf("after a refused sign-in: got %s, want the page that asks to sign in", p.Path)
	}
}

func TestSignInTwice(t *testing.T) {
	c := newOffice(t).visitor(lookalike.CitizenCard)
	form := c.form("/signin")
	c.sign(form)
	c.wantSays(c.sign(form), http.StatusForbidden, "already been used")
}

func TestSignInCancelled(t *testing.T) {
	c := newOffice(t).visitor(lookalike.CitizenCard)
	form := c.form("/signin")
	c.wantSays(c.post("/signin", url.Values{
		"challenge": {form.Challenge},
		"answer":    {`{"func":"sign","ret_code":1979713945,"last_error":0}`},
	}), http.StatusForbidden, "canceled", "0x76000999")
	c.wantSays(c.post("/signin", url.Values{"challenge": {form.Challenge}}), http.StatusBadRequest, "Reload the page")
}

func TestSignInWithoutCard(t *testing.T) {
	c := newOffice(t).visitor(lookalike.CitizenCard)
	c.slot = len(c.World.Cards) // the component finds none there
	c.wantSays(c.sign(c.form("/signin")), http.StatusForbidden, "Insert your Citizen Digital Certificate card")
}

func TestSignOut(t *testing.T) {
	c := newOffice(t).filer(lookalike.CitizenCard)
	if p := c.post("/signout", nil); p.Path != "/" {
		t.Errorf("after sign-out: got %s, want /", p.Path)
	}
	if p := c.get("/filings"); p.Path != "/signin" {
		t.Errorf("after sign-out: got %s, want the page that asks to sign in", p.Path)
	}
	c.wantSays(c.post("/returns", url.Values{"year": {"2024"}}), http.StatusUnauthorized, "Please sign in again")
}

// A certificate alone opens no account, and only the register's yes does.
func TestLinkAccount(t *testing.T) {
	o := newOffice(t)
	c := o.newcomer(lookalike.CitizenCard)
	other := o.World.Cards[lookalike.ResidentCard].NationalID
	link := func(number string) *visitor.Page { return c.post("/account", url.Values{"national_id": {number}}) }

	for _, path := range []string{"/filings", "/filings/1", "/returns/new", "/returns/ABC"} {
		if p := c.get(path); p.Path != "/account" {
			t.Errorf("%s without an account: got %s, want /account", path, p.Path)
		}
	}
	if p := c.post("/returns", url.Values{"year": {"2024"}}); p.Path != "/account" {
		t.Errorf("filing without an account: got %s, want /account", p.Path)
	}
	c.wantSays(link("A1234"), http.StatusUnprocessableEntity, "wrong form")
	c.wantSays(link(other), http.StatusForbidden, "does not belong to the certificate")
	o.World.Register.SetDown(true)
	c.wantSays(link(c.card.NationalID), http.StatusServiceUnavailable, "Please try again later")
	if p := c.get("/filings"); p.Path != "/account" {
		t.Errorf("after refusals: got %s, want /account", p.Path)
	}
	o.World.Register.SetDown(false)
	if p := link(" a100000009 "); p.Path != "/filings" {
		t.Errorf("with the right number: got %s, want /filings", p.Path)
	}
}

// Requests that another site makes a browser send change nothing.
func TestCrossOrigin(t *testing.T) {
	o := newOffice(t)
	c := o.filer(lookalike.CitizenCard)
	form := c.prepare()
	for name, header := range map[string][2]string{
		"another origin": {"Origin", "https://elsewhere.example"},
		"no origin":      {"Origin", "null"},
		"another site":   {"Sec-Fetch-Site", "cross-site"},
		"a sibling":      {"Sec-Fetch-Site", "same-site"},
		"another port":   {"Origin", "http://127.0.0.1:1"},
	} {
		for _, path := range []string{"/signin", "/signout", "/account", "/returns", form.Action} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.Origin+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set(header[0], header[1])
			resp, err := c.browser.Client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s, %s: got status %d, want 403", name, path, resp.StatusCode)
			}
		}
	}
	if p := c.get("/filings"); p.Path != "/filings" {
		t.Errorf("after cross-origin requests: got %s, want to be signed in still", p.Path)
	}
}
