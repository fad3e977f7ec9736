package main

import (
	"testing"

	"github.com/citizencert/citizencert/examples/internal/browsertest"
	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/pkitest"
)

var browser browsertest.Browser

func TestMain(m *testing.M) { browser.Main(m) }

// A citizen goes through the service in a real browser: sign-in, application,
// consent, proof, sign-out. Every page is looked at in both languages.
func TestBrowser(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	requests := &browsertest.Recorder{Handler: o.Service.Handler()}
	o.Handle(requests)
	tab := browser.Visitor(t)
	look := tab.InBothLanguages

	tab.Open(o.Origin + "/")
	look("household home")
	tab.Open(o.Origin + "/signin")
	look("household signin")
	tab.SignWithCard(pkitest.TestPIN, lookalike.CitizenCard)
	tab.WaitPath("/applications")
	look("household empty list")
	tab.Click("main a")
	tab.WaitPath("/applications/new")
	look("household form")
	tab.Type("#national_id", o.World.Cards[lookalike.ResidentCard].NationalID+"\r")
	tab.WaitSays("[role=alert]", "does not belong")
	tab.LookAt("household refused")
	tab.Type("#national_id", o.World.Cards[lookalike.CitizenCard].NationalID+"\r")
	tab.Wait("document.querySelector('#text')")
	look("household consent")
	tab.SignWithCard(pkitest.TestPIN, lookalike.CitizenCard)
	tab.WaitSays("main", "the stored proof is good")
	look("household transcript")
	tab.Open(o.Origin + "/applications")
	look("household list")
	tab.Click("header form button")
	tab.Wait("location.pathname === '/'")
	tab.Open(o.Origin + "/applications")
	tab.WaitPath("/signin")
	requests.WantNowhere(t, pkitest.TestPIN)
}

// The phone does for consent, too.
func TestPhoneInBrowser(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	phone := o.World.Phones[lookalike.CitizenPhone]
	tab := browser.Visitor(t)
	tab.Phone(true)
	tab.Open(o.Origin + "/signin?lang=en")
	tab.SignWithPhone(phone)
	tab.WaitPath("/applications")
	tab.Open(o.Origin + "/applications/new")
	tab.Type("#national_id", phone.IDNumber+"\r")
	tab.Wait("document.querySelector('#text')")
	tab.SignWithPhone(phone)
	tab.WaitSays("main", "the stored proof is good")
}
