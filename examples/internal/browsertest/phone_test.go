package browsertest_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/examples/internal/browsertest"
	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin/fido"
)

const (
	numberField = "[data-fido-number]"
	way         = ".fido-ways button"
	phoneStatus = ".fido [role=status]"
	codeShown   = "document.querySelector('.fido svg[role=img]')"
)

// scan returns the ticket in the code that the page shows.
func (s *service) scan(t *testing.T, tab *browsertest.Tab) string {
	t.Helper()
	tab.Wait(codeShown)
	path := browsertest.Evaluate[string](tab, codeShown+".lastChild.getAttribute('d')")
	for _, ticket := range s.Fido.Tickets() {
		if code, err := fido.NewQRCode(ticket); err == nil && code.Path == path {
			return ticket
		}
	}
	t.Fatal("the code on the page is that of no ticket")
	return ""
}

func wantSignedIn(tab *browsertest.Tab) {
	tab.WaitPath("/account/")
	tab.WaitSays("main", "urn:citizencert:mobile")
}

// The ways to the phone, on the page that has the card beside it. Each waits for some
// seconds, so they go at once.
func TestPhone(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	phone := s.Phones[lookalike.CitizenPhone]
	id := phone.IDNumber

	t.Run("QR code by keyboard, with the page loaded again", func(t *testing.T) {
		t.Parallel()
		tab := browser.Visitor(t)
		tab.Open(s.origin + "/signin/?lang=en")
		for range 5 { // skip link, two languages, PIN of the card, ID number
			tab.Press("\t")
		}
		if browsertest.Evaluate[bool](tab, "document.querySelector('[data-hipki-sign]') === document.activeElement") {
			tab.Press("\t") // its button counts once the script has enabled it
		}
		tab.Press(strings.ToLower(id) + "\r")
		ticket := s.scan(t, tab)
		tab.WaitSays(phoneStatus, "Waiting for your phone")
		tab.Wait("/^[12]:[0-5][0-9]$/.test(document.querySelector('[data-fido-time]').innerText)")
		if !browsertest.Evaluate[bool](tab, "document.activeElement.matches('[data-fido-shown]')") {
			t.Error("the focus is not at what has come in place of the form")
		}
		tab.Reload()
		if again := s.scan(t, tab); again != ticket {
			t.Error("after loading the page again another code is shown")
		}
		if browsertest.Evaluate[bool](tab, "document.documentElement.outerHTML.includes('"+id+"')") {
			t.Error("the page has the ID number")
		}
		screen := browser.Visitor(t)
		screen.Open(s.PhoneScreen() + "?sp_ticket=" + url.QueryEscape(ticket))
		screen.Click("button[value=approve]")
		screen.WaitSays("[role=status]", "完成")
		wantSignedIn(tab)
	})
	t.Run("app on the same phone", func(t *testing.T) {
		t.Parallel()
		tab := browser.Visitor(t)
		tab.Phone(true)
		tab.Open(s.origin + "/signin/?lang=zh-TW")
		if first := browsertest.Evaluate[string](tab, "document.querySelector('.hipki-methods section').querySelector('button').value"); first != "web" {
			t.Errorf("on a phone %q comes first, want the link into the app", first)
		}
		tab.Type(numberField, id+"\r")
		tab.Wait("document.querySelector('a.fido-link') === document.activeElement")
		if err := phone.Approve(browsertest.Evaluate[string](tab, "document.querySelector('a.fido-link').href")); err != nil {
			t.Fatal(err)
		}
		// The app opens the page once more, and both go on.
		wantSignedIn(tab)
	})
	t.Run("push", func(t *testing.T) {
		t.Parallel()
		tab := browser.Visitor(t)
		tab.Open(s.origin + "/signin/?lang=en")
		tab.Type(numberField, id)
		tab.Click(way + "[value=push]")
		tab.WaitSays(".fido", "your phone gets a notification")
		for _, ticket := range phone.Waiting() {
			if err := phone.Approve(ticket); err != nil {
				t.Fatal(err)
			}
		}
		wantSignedIn(tab)
	})
	t.Run("site of the Ministry", func(t *testing.T) {
		t.Parallel()
		tab := browser.Visitor(t)
		tab.Open(s.origin + "/signin/?lang=en")
		tab.Click(way + "[value=redirect]")
		tab.Wait("document.querySelector('input[name=id]')")
		tab.Type("input[name=id]", id)
		tab.Click("button[value=approve]")
		tab.Wait("document.querySelector('form button') && !document.querySelector('input[name=id]')")
		tab.Click("form button")
		wantSignedIn(tab)
	})
	t.Run("refused on the phone, canceled on the page, wrong number", func(t *testing.T) {
		t.Parallel()
		tab := browser.Visitor(t)
		tab.Open(s.origin + "/signin/?lang=en")
		tab.Type(numberField, "A12345678\r")
		tab.WaitSays(phoneStatus, "Not done: ")
		tab.Wait("document.activeElement.matches('[data-fido-number][aria-invalid=true]')")
		t.Run("accessible", tab.Accessible)
		browsertest.Evaluate[any](tab, "document.querySelector('[data-fido-number]').value = '', null")
		tab.Type(numberField, id+"\r")
		s.scan(t, tab)
		tab.Click("[data-fido-cancel]")
		tab.WaitSays(phoneStatus, "Canceled.")
		tab.Wait("document.activeElement.matches('[data-fido-number]')")
		tab.Type(numberField, id+"\r")
		if err := phone.Refuse(s.scan(t, tab)); err != nil {
			t.Fatal(err)
		}
		tab.Wait("document.querySelector('.fido [data-failed]') === document.activeElement")
		tab.Screenshot("phone refused")
		// The card beside it is there all the time.
		s.component.Script(pkitest.Behaviour{Automatic: true})
		tab.Type(pinField, pin+"\r")
		tab.WaitPath("/account/")
		tab.WaitSays("main", "urn:citizencert:card")
	})
	t.Run("two tabs", func(t *testing.T) {
		t.Parallel()
		tab := browser.Visitor(t)
		tab.Open(s.origin + "/signin/?lang=en")
		tab.Type(numberField, id+"\r")
		s.scan(t, tab)
		second := tab.OpenWindow(s.origin + "/signin/?lang=en")
		s.scan(t, second)
		second.Click("[data-fido-cancel]")
		tab.WaitSays(phoneStatus, "gone on in another tab")
	})
}

// What comes when the time is over, told as soon as the server says so.
func TestPhoneTimeRunsOut(t *testing.T) {
	t.Parallel()
	clock := pkitest.NewClock(time.Now())
	s := newService(t, nil, func(cfg *fido.Config) { cfg.Now = clock.Now })
	tab := browser.Visitor(t)
	for lang, want := range map[string]string{"zh-TW": "逾時", "en": "time"} {
		tab.Open(s.origin + "/signin/?lang=" + lang)
		tab.Type(numberField, s.Phones[0].IDNumber+"\r")
		s.scan(t, tab)
		clock.Advance(fido.DefaultTimeLimit)
		tab.Wait("document.querySelector('.fido [data-failed=phone-expired]')")
		tab.WaitSays(phoneStatus, want)
		tab.Wait("document.querySelector('" + way + "').checkVisibility()")
	}
	t.Run("accessible", tab.Accessible)
}

// The page is looked at before and while it waits, in both languages and widths.
func TestPageLooks(t *testing.T) {
	t.Parallel()
	s := newService(t, nil, func(cfg *fido.Config) { cfg.Modes = nil })
	tab := browser.Visitor(t)
	tab.Open(s.origin + "/signin/")
	tab.InBothLanguages("combined")
	tab.Type(numberField, s.Phones[0].IDNumber)
	tab.Click(way + "[value=qr]")
	s.scan(t, tab)
	tab.InBothLanguages("combined code")
	tab.Click("[data-fido-cancel]")
	tab.Type(numberField, s.Phones[0].IDNumber)
	tab.Click(way + "[value=web]")
	tab.Wait("document.querySelector('a.fido-link')")
	tab.LookAt("combined link")
}
