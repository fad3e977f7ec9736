package browsertest_test

import (
	"testing"
	"time"

	"github.com/citizencert/citizencert/examples/internal/browsertest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/hipki"
)

const (
	pinField = "[data-hipki-pin]"
	sign     = "[data-hipki-sign]"
	status   = ".hipki [role=status]"
	failed   = "document.querySelector('.hipki [data-failed]')"
)

// Page, window, signature, session, sign-out: with both forms of signature, and
// with a PIN that form data would spoil.
func TestSignIn(t *testing.T) {
	t.Parallel()
	for _, kind := range []signin.SignatureType{signin.PKCS1, signin.PKCS7} {
		t.Run(string(kind), func(t *testing.T) {
			s := newService(t, func(cfg *hipki.Config) {
				cfg.Type, cfg.CardNumber, cfg.MinVersion = kind, kind == signin.PKCS7, "1.9.20"
			})
			tab := browser.Visitor(t)
			tab.Open(s.origin + "/account/")
			tab.WaitPath("/signin/")
			tab.Type(pinField, pin)
			window := tab.Window(func() { tab.Click(sign) })
			window.WaitSays("#text", "citizencert:1/dev-signin/127.0.0.1:")
			window.WaitSays("#site", s.origin)
			t.Run("window accessible", window.Accessible)
			window.Click("#confirm")
			tab.WaitPath("/account/")
			tab.WaitSays("main", "urn:citizencert:card")
			tab.Click("button")
			tab.WaitPath("/signin/")
			s.requests.WantNowhere(t, pin)
		})
	}
}

// The keyboard alone will do, and the window that closes by itself.
func TestSignInByKeyboard(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	s.component.Script(pkitest.Behaviour{Automatic: true})
	tab := browser.Visitor(t)
	tab.Open(s.origin + "/signin/?lang=en")
	for range 4 { // skip link, two languages, PIN
		tab.Press("\t")
	}
	tab.Press(pin)
	tab.Press("\r")
	tab.WaitPath("/account/")
}

// What can go wrong is explained where the citizen is, in the language of the page.
func TestFailures(t *testing.T) {
	t.Parallel()
	s := newService(t, func(cfg *hipki.Config) {
		cfg.MinVersion = "1.10"
	})
	mute := newService(t, func(cfg *hipki.Config) { cfg.OpenTimeout = 500 * time.Millisecond })
	slow := newService(t, func(cfg *hipki.Config) { cfg.AnswerTimeout = 500 * time.Millisecond })
	absent := newService(t, func(cfg *hipki.Config) { cfg.OpenTimeout = time.Second })
	if err := absent.component.Close(); err != nil {
		t.Fatal(err)
	}
	code := func(ret, last int64) pkitest.Behaviour {
		return pkitest.Behaviour{Automatic: true, ReturnCode: ret, LastError: last}
	}
	for _, test := range []struct {
		name      string
		service   *service
		behaviour pkitest.Behaviour
		zh, en    string
	}{
		{"no card", s, code(0x76000006, 0), "請插入自然人憑證卡片", "Insert your Citizen Digital Certificate card"},
		{"no reader", s, code(0x76100003, 0), "找不到讀卡機", "No card reader was found"},
		{"wrong PIN", s, code(0x76100006, -2147483646), "還有兩次機會", "two tries are left"},
		{"wrong PIN again", s, code(0x76100006, -2147483647), "僅剩一次機會", "one try is left"},
		{"locked", s, code(0x76100006, 0xA4), "卡片已鎖定", "The card is locked"},
		{"PIN too short", s, code(0x76100006, 0xA2), "PIN 碼長度不正確", "wrong length"},
		{"not trusted", s, code(0x7600000F, 0), "加入信任網站", "trusted sites"},
		{"cancelled", s, code(0x76000999, 0), "您已取消簽章", "You have canceled signing"},
		{"negative", s, code(0x83000105-1<<32, 0), "PIN 碼格式不正確", "The PIN has the wrong form"},
		{"unknown code", s, code(0x7ABCDEF0, 0), "0x7ABCDEF0", "0x7ABCDEF0"},
		{"old method", s, code(0x7600000E, 0), "版本過舊", "too old"},
		{"old version", s, pkitest.Behaviour{Automatic: true, Version: "1.9.12"}, "版本過舊", "too old"},
		{"no version", s, pkitest.Behaviour{Automatic: true, Version: "unknown"}, "版本過舊", "too old"},
		{"mute", mute, pkitest.Behaviour{MuteWindow: true}, "找不到憑證元件", "The card software was not found"},
		{"slow", slow, pkitest.Behaviour{Automatic: true, HoldAnswer: true}, "太久沒有回應", "took too long"},
		{"not installed", absent, pkitest.Behaviour{}, "找不到憑證元件", "The card software was not found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.service.component.Script(test.behaviour)
			tab := browser.Visitor(t)
			for lang, want := range map[string]string{"zh-TW": test.zh, "en": test.en} {
				tab.Open(test.service.origin + "/signin/?lang=" + lang)
				tab.Type(pinField, pin+"\r")
				tab.Wait(failed)
				tab.WaitSays(status, want)
				if !browsertest.Evaluate[bool](tab, "document.activeElement.matches('[data-hipki-pin], [role=status]')") {
					t.Error("the focus is not where the citizen can go on")
				}
				if test.name == "no card" || test.name == "wrong PIN" { // the two ways in which a failure is shown
					t.Run("accessible "+lang, tab.Accessible)
				}
			}
			tab.Screenshot("failure " + test.name)
		})
	}
	for _, s := range []*service{s, mute, slow, absent} {
		s.requests.WantNowhere(t, pin)
	}
}

// The same page goes on after a failure, and three wrong PINs lock the card.
func TestPINTries(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	s.component.Script(pkitest.Behaviour{Automatic: true})
	tab := browser.Visitor(t)
	tab.Open(s.origin + "/signin/?lang=en")
	try := func(pin, want string) {
		t.Helper()
		tab.Type(pinField, pin+"\r")
		tab.WaitSays(status, want)
	}
	try("654321", "two tries are left")
	if left := browsertest.Evaluate[string](tab, "document.querySelector('[data-hipki-pin]').value"); left != "" {
		t.Errorf("after an attempt the PIN field has %q", left)
	}
	try("654321", "one try is left")
	try("654321", "locked")
	try(pin, "locked")
	s.component.Unlock()
	tab.Type(pinField, pin+"\r")
	tab.WaitPath("/account/")
}

// Without a click of the citizen the browser opens no window, and the page says so.
func TestPopupBlocked(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	tab := browser.Visitor(t)
	for lang, want := range map[string]string{"zh-TW": "允許本網站開啟彈出式視窗", "en": "Allow pop-ups"} {
		tab.Open(s.origin + "/signin/?lang=" + lang)
		browsertest.Evaluate[any](tab, "document.querySelector('[data-hipki-pin]').value = '123456', document.querySelector('.hipki').requestSubmit()")
		tab.WaitSays(status, want)
	}
	if s.component.Asked() != 0 {
		t.Error("the component was asked")
	}
}

// A window that the citizen closes is noticed, and cancelling in it as well.
func TestWindowClosed(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	tab := browser.Visitor(t)
	tab.Open(s.origin + "/signin/?lang=en")
	tab.Type(pinField, pin)
	window := tab.Window(func() { tab.Click(sign) })
	window.Wait("!document.getElementById('cancel').disabled")
	window.Close()
	tab.WaitSays(status, "window of the card software was closed")

	tab.Type(pinField, pin)
	window = tab.Window(func() { tab.Click(sign) })
	window.Wait("!document.getElementById('cancel').disabled")
	window.ClickLast("#cancel")
	tab.WaitSays(status, "You have canceled signing. (Code: 0x76000999)")
}

// When the time is over the form says so, and offers a new start.
func TestTimeRunsOut(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	tab := browser.Visitor(t)
	tab.Open(s.origin + "/short?lang=en")
	tab.WaitSays(status, "The time for this has run out")
	tab.Wait("document.querySelector('[data-hipki-sign]').disabled && document.querySelector('[data-hipki-time]').textContent === '0:00'")
	t.Run("accessible", tab.Accessible)
	tab.Click("[data-hipki-renew]")
	tab.Wait("document.querySelector('[data-hipki-sign]')?.disabled === false")
}
