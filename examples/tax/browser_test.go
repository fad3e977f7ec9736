package main

import (
	"testing"

	"github.com/citizencert/citizencert/examples/internal/browsertest"
	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/pkitest"
)

// A citizen goes through the service in a real browser: sign-in, account, return,
// signature, verdict, sign-out. Every page is looked at in both languages.
func TestBrowser(t *testing.T) {
	o := newOffice(t)
	requests := &browsertest.Recorder{Handler: o.service.Handler()}
	o.server.Config.Handler = requests
	tab := browsertest.Start(t).Visitor(t)
	look := func(name string) {
		t.Helper()
		tab.InBothLanguages(t, name)
	}

	tab.Open(o.origin + "/")
	look("home")
	tab.Open(o.origin + "/signin")
	look("signin")
	tab.SignWithCard(pkitest.TestPIN, lookalike.CitizenCard)
	tab.WaitPath("/account")
	look("account")
	tab.Type("#national_id", o.world.Cards[lookalike.CitizenCard].NationalID+"\r")
	tab.WaitPath("/filings")
	look("no filings")
	tab.Open(o.origin + "/returns/new")
	look("form")
	tab.Type("#dependents", "\r")
	tab.WaitPath("/returns/")
	tab.Wait("location.pathname !== '/returns/new'")
	look("return")
	tab.SignWithCard(pkitest.TestPIN, lookalike.CitizenCard)
	tab.WaitPath("/filings/")
	tab.WaitSays("main", "Accepted")
	look("filing")
	tab.Open(o.origin + "/filings")
	look("filings")
	tab.Click("header form button")
	tab.Wait("location.pathname === '/'")
	tab.Open(o.origin + "/filings")
	tab.WaitPath("/signin")

	tab.SignWithCard(pkitest.TestPIN, lookalike.FormerCard)
	tab.WaitSays("[role=alert]", "revoked")
	tab.LookAt(t, "refused")
	requests.WantNowhere(t, pkitest.TestPIN)
}
