package main

import (
	"testing"

	"github.com/citizencert/citizencert/examples/internal/browsertest"
	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/pkitest"
)

var browser browsertest.Browser

func TestMain(m *testing.M) { browser.Main(m) }

// A citizen goes through the service in a real browser: sign-in, account, return,
// signature, verdict, sign-out. Every page is looked at in both languages.
func TestBrowser(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	requests := &browsertest.Recorder{Handler: o.Service.Handler()}
	o.Handle(requests)
	tab := browser.Visitor(t)
	look := tab.InBothLanguages

	tab.Open(o.Origin + "/")
	look("home")
	tab.Open(o.Origin + "/signin")
	look("signin")
	tab.SignWithCard(pkitest.TestPIN, lookalike.CitizenCard)
	tab.WaitPath("/account")
	look("account")
	tab.Type("#national_id", o.World.Cards[lookalike.CitizenCard].NationalID+"\r")
	tab.WaitPath("/filings")
	look("no filings")
	tab.Open(o.Origin + "/returns/new")
	look("form")
	tab.Type("#dependents", "\r")
	tab.WaitPath("/returns/")
	tab.Wait("location.pathname !== '/returns/new'")
	look("return")
	tab.SignWithCard(pkitest.TestPIN, lookalike.CitizenCard)
	tab.WaitPath("/filings/")
	tab.WaitSays("main", "Accepted")
	look("filing")
	tab.Open(o.Origin + "/filings")
	look("filings")
	tab.Click("header form button")
	tab.Wait("location.pathname === '/'")
	tab.Open(o.Origin + "/filings")
	tab.WaitPath("/signin")

	tab.SignWithCard(pkitest.TestPIN, lookalike.FormerCard)
	tab.WaitSays("[role=alert]", "revoked")
	tab.LookAt("refused")
	requests.WantNowhere(t, pkitest.TestPIN)
}

// Another citizen does the same with the phone: by QR code, with the service started
// anew before the phone has answered, and by the link into the app for the return.
func TestPhoneInBrowser(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	phone := o.World.Phones[lookalike.OtherPhone]
	tab := browser.Visitor(t)
	const number = "[data-fido-number]"

	tab.Open(o.Origin + "/signin?lang=en")
	tab.Type(number, phone.IDNumber)
	tab.Click(".fido-ways button[value=qr]")
	tab.Wait("document.querySelector('.fido svg[role=img]')")
	o.Stop()
	tab.WaitSays(".fido [role=status]", "The connection was lost")
	o.Start()
	if err := phone.Approve(o.World.Fido.Tickets()[0]); err != nil {
		t.Fatal(err)
	}
	tab.WaitPath("/account")
	tab.Type("#national_id", phone.IDNumber+"\r")
	tab.WaitPath("/filings")
	tab.Open(o.Origin + "/returns/new")
	tab.Type("#dependents", "\r")
	tab.Wait("location.pathname.startsWith('/returns/') && document.querySelector('" + number + "')")
	tab.Type(number, phone.IDNumber)
	tab.Click(".fido-ways button[value=web]")
	tab.Wait("document.querySelector('a.fido-link')")
	tab.LookAt("return on the phone")
	if err := phone.Approve(browsertest.Evaluate[string](tab, "document.querySelector('a.fido-link').href")); err != nil {
		t.Fatal(err)
	}
	tab.WaitPath("/filings/")
	tab.WaitSays("main", "Accepted")
	tab.WaitSays("main", "mobile device")
	tab.WaitSays("main", "from the evidence alone, to the same verdict")
}
