package main

import (
	"net/http"
	"sync"
	"testing"

	"github.com/citizencert/citizencert/examples/internal/browsertest"
	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/pkitest"
)

var browser browsertest.Browser

func TestMain(m *testing.M) {
	defer browser.Close()
	m.Run()
}

// A citizen goes through the service in a real browser: sign-in, account, return,
// signature, verdict, sign-out. Every page is looked at in both languages.
func TestBrowser(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	requests := &browsertest.Recorder{Handler: o.service.Handler()}
	o.server.Config.Handler = requests
	tab := browser.Visitor(t)
	look := tab.InBothLanguages

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
	tab.LookAt("refused")
	requests.WantNowhere(t, pkitest.TestPIN)
}

// Another citizen does the same with the phone: by QR code, with the service started
// anew before the phone has answered, and by the link into the app for the return.
func TestPhoneInBrowser(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var mu sync.RWMutex // of the service
	serving := o.service.Handler()
	o.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.RLock()
		defer mu.RUnlock()
		serving.ServeHTTP(w, r)
	})
	replace := func(f func()) {
		mu.Lock()
		defer mu.Unlock()
		f()
	}
	phone := o.world.Phones[lookalike.OtherPhone]
	tab := browser.Visitor(t)
	const number = "[data-fido-number]"

	tab.Open(o.origin + "/signin?lang=en")
	tab.Type(number, phone.IDNumber)
	tab.Click(".fido-ways button[value=qr]")
	tab.Wait("document.querySelector('.fido svg[role=img]')")
	replace(func() {
		closing(t, o.service.Close)
		serving = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no such server", http.StatusBadGateway)
		})
	})
	tab.WaitSays(".fido [role=status]", "The connection was lost")
	replace(func() {
		o.start()
		serving = o.service.Handler()
	})
	if err := phone.Approve(o.world.Fido.Tickets()[0]); err != nil {
		t.Fatal(err)
	}
	tab.WaitPath("/account")
	tab.Type("#national_id", phone.IDNumber+"\r")
	tab.WaitPath("/filings")
	tab.Open(o.origin + "/returns/new")
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
