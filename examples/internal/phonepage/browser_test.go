package phonepage_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/citizencert/citizencert/examples/internal/phonepage"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// An invented person. The check digit is wrong.
const idNumber = "A123456780"

// A desk is everything on one machine: the service, MOI, a phone and a browser.
type desk struct {
	moi     *pkitest.Fido
	service string // origin
	tab     context.Context
}

// unavailable skips a test for want of a program, unless the services are required.
func unavailable(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("REQUIRE_SERVICES") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		unavailable(t, "chromium is not installed")
	}
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pki.Close() })
	server := httptest.NewUnstartedServer(nil)
	t.Cleanup(server.Close)
	d := &desk{service: "http://" + server.Listener.Addr().String()}
	d.moi = pki.NewFido(pkitest.FidoConfig{Callback: d.service + "/signin/fido/callback"})
	certificate, err := pki.G3.IssueMobile(pkitest.Person{Name: "王測試", LastFour: idNumber[6:]})
	if err != nil {
		t.Fatal(err)
	}
	d.moi.Enroll(idNumber, certificate)
	auth, flow := newFlow(t, pki, d)
	server.Config.Handler = phonepage.Handler(auth, flow, pki.URL())
	server.Start()

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox)
	browser, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	if err := chromedp.Do(tab, chromedp.Navigate("about:blank")); err != nil { // starts the browser, without a timeout
		t.Fatal(err)
	}
	d.tab, cancel = context.WithTimeout(tab, time.Minute)
	t.Cleanup(cancel)
	return d
}

func newFlow(t *testing.T, pki *pkitest.PKI, d *desk) (*signin.Authenticator, *fido.Flow) {
	t.Helper()
	var pins []moica.Pin
	for _, p := range pki.Pins() {
		pins = append(pins, moica.Pin(p))
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	anchors, err := moica.LoadTestAnchors(pki.FS(), pins...)
	must(err)
	responder, err := ocspclient.New(ocspclient.Config{AllowedHosts: []string{"127.0.0.1"}})
	must(err)
	verifier, err := verify.New(verify.Config{Scheme: moica.Test(anchors), Status: []verify.StatusSource{responder}})
	must(err)
	sessionKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	auth, err := signin.New(signin.Config{
		Verifier:    verifier,
		Origins:     []string{d.service},
		Service:     "efiling",
		Key:         sessionKey,
		PairwiseKey: []byte(rand.Text() + rand.Text()),
	})
	must(err)
	key, err := fido.ParseKey(d.moi.KeyText())
	must(err)
	client, err := fido.NewTest(fido.ClientConfig{ServiceID: d.moi.ServiceID(), Key: key, API: d.moi.URL(), Web: d.moi.URL()})
	must(err)
	flow, err := fido.New(fido.Config{Auth: auth, Client: client, Hint: "登入測試服務", ReturnURL: d.service + "/login"})
	must(err)
	return auth, flow
}

func (d *desk) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(d.tab, actions...); err != nil {
		t.Fatal(err)
	}
}

// text waits until an expression of the page is not empty, and returns it.
func (d *desk) text(t *testing.T, expression string) string {
	t.Helper()
	text, err := chromedp.Run(d.tab, chromedp.Poll[string](expression, chromedp.WithPollingTimeout(30*time.Second)))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return text
}

// approve answers on the phone's screen, in a tab of its own.
func (d *desk) approve(t *testing.T, ticket string) {
	t.Helper()
	phone, cancel := chromedp.NewContext(d.tab)
	defer cancel()
	if err := chromedp.Do(phone,
		chromedp.Navigate(d.moi.URL()+"/phone?sp_ticket="+url.QueryEscape(ticket)),
		chromedp.Click(chromedp.CSS(`button[value=approve]`)),
		chromedp.WaitVisible(chromedp.CSS(`[role=status]`)),
	); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) wantAccount(t *testing.T) {
	t.Helper()
	d.run(t, chromedp.WaitVisible(chromedp.CSS(`#account`)))
	text := d.text(t, `document.body.innerText`)
	if want := "signed in with urn:citizencert:mobile"; strings.TrimSpace(text) != want {
		t.Errorf("got %q, want %q", text, want)
	}
}

// A citizen enters the number by keyboard, scans the code, and is signed in; in
// between the page is loaded again.
func TestSignInByQR(t *testing.T) {
	d := newDesk(t)
	d.run(t,
		chromedp.Navigate(d.service+"/login"),
		chromedp.SendKeys(chromedp.CSS(`input[name=idNumber]`), strings.ToLower(idNumber)+"\r"),
		chromedp.WaitVisible(chromedp.CSS(`svg[role=img]`)),
	)
	ticket := d.moi.Tickets()[0]
	code, err := fido.NewQRCode(ticket)
	if err != nil {
		t.Fatal(err)
	}
	if shown := d.text(t, `document.querySelector("svg path:last-child").getAttribute("d")`); shown != code.Path {
		t.Error("the code on the page is not that of the ticket")
	}
	d.run(t, chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS(`svg[role=img]`)))
	if left := d.text(t, `document.body.innerText.includes("剩餘時間") && document.body.innerText`); strings.Contains(left, idNumber) {
		t.Error("the page shows the ID number")
	}
	d.approve(t, ticket)
	d.wantAccount(t)
}

// The citizen goes to MOI's site and comes back.
func TestSignInByRedirect(t *testing.T) {
	d := newDesk(t)
	d.run(t,
		chromedp.Navigate(d.service+"/login?lang=en"),
		chromedp.Click(chromedp.CSS(`button[value=redirect]`)),
		chromedp.SendKeys(chromedp.CSS(`input[name=id]`), idNumber),
		chromedp.Click(chromedp.CSS(`button[value=approve]`)),
		chromedp.WaitNotPresent(chromedp.CSS(`input[name=id]`)),
		chromedp.Click(chromedp.CSS(`form button`)),
	)
	d.wantAccount(t)
}

// The app opens the page once more, beside the one it was called from. Both ask, and
// the one that does not get the session finds the citizen signed in.
func TestTwoTabs(t *testing.T) {
	d := newDesk(t)
	d.run(t,
		chromedp.Navigate(d.service+"/login"),
		chromedp.SendKeys(chromedp.CSS(`input[name=idNumber]`), idNumber),
		chromedp.Click(chromedp.CSS(`button[value=web]`)),
		chromedp.WaitVisible(chromedp.CSS(`a[href^="mobilemoica://"]`)),
	)
	again, cancel := chromedp.NewContext(d.tab)
	defer cancel()
	if err := chromedp.Do(again, chromedp.Navigate(d.service+"/login"), chromedp.WaitVisible(chromedp.CSS(`a[href^="mobilemoica://"]`))); err != nil {
		t.Fatal(err)
	}
	d.approve(t, d.moi.Tickets()[0])
	d.wantAccount(t)
	d.tab = again
	d.wantAccount(t)
}

// Refusals are told on the page, and canceling brings the form back.
func TestRefusals(t *testing.T) {
	d := newDesk(t)
	status := func(want string) {
		t.Helper()
		d.text(t, `(text => text.includes(`+strconv.Quote(want)+`) && text)(document.querySelector("[role=status]").textContent)`)
	}
	d.run(t,
		chromedp.Navigate(d.service+"/login?lang=en"),
		chromedp.SendKeys(chromedp.CSS(`input[name=idNumber]`), "A12345678\r"),
	)
	status("This is not a national ID number")
	d.run(t,
		chromedp.SetValue(chromedp.CSS(`input[name=idNumber]`), idNumber),
		chromedp.Click(chromedp.CSS(`button[value=web]`)),
		chromedp.WaitVisible(chromedp.CSS(`a[href^="mobilemoica://"]`)),
		chromedp.Click(chromedp.CSS(`button[type=button]`)),
	)
	status("Canceled.")
	d.run(t, chromedp.WaitVisible(chromedp.CSS(`input[name=idNumber]`)))
}

// The page has nothing to object to for who cannot see it, in either state.
func TestAccessibility(t *testing.T) {
	axe, err := os.ReadFile(os.Getenv("AXE_CORE"))
	if err != nil {
		unavailable(t, "AXE_CORE does not name axe-core")
	}
	d := newDesk(t)
	check := func(when string) {
		t.Helper()
		if _, err := chromedp.Run(d.tab, chromedp.Evaluate[bool](string(axe)+"; true")); err != nil {
			t.Fatal(err)
		}
		violations, err := chromedp.Run(d.tab, chromedp.Evaluate[[]struct{ ID, Help string }](
			`axe.run().then(r => r.violations.map(v => ({ID: v.id, Help: v.help})))`, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range violations {
			t.Errorf("%s: %s: %s", when, v.ID, v.Help)
		}
	}
	d.run(t, chromedp.Navigate(d.service+"/login"), chromedp.WaitVisible(chromedp.CSS(`input[name=idNumber]`)))
	check("before")
	d.run(t, chromedp.SendKeys(chromedp.CSS(`input[name=idNumber]`), idNumber+"\r"), chromedp.WaitVisible(chromedp.CSS(`svg[role=img]`)))
	check("with a code")
}
