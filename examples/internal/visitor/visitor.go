// Package visitor walks through a service over HTTP as a citizen's browser does,
// with the page script and the window of the card reader component left out: it
// reads what pages say, has the component or a phone sign, and sends forms. It is for the
// examples' flag -once and for tests that need no browser.
package visitor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
)

// A Browser is one citizen's browser, at one service.
type Browser struct {
	Client *http.Client // has the cookies
	origin string
}

// New returns a browser without cookies for the service at origin.
func New(origin string) (*Browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Browser{&http.Client{Jar: jar, Timeout: time.Minute}, origin}, nil
}

// A Page is what the browser shows after all redirects.
type Page struct {
	Status int
	Path   string
	Body   string
}

// Get asks for a page of the service.
func (b *Browser) Get(ctx context.Context, path string) (*Page, error) {
	return b.do(ctx, http.MethodGet, path, nil)
}

// Post sends a form of a page of the service.
func (b *Browser) Post(ctx context.Context, path string, form url.Values) (*Page, error) {
	return b.do(ctx, http.MethodPost, path, form)
}

func (b *Browser) do(ctx context.Context, method, path string, form url.Values) (*Page, error) {
	req, err := http.NewRequestWithContext(ctx, method, b.origin+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Language", "en")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.origin)
	}
	return b.send(req)
}

// send sends a request, and returns what comes in the end.
func (b *Browser) send(req *http.Request) (*Page, error) {
	resp, err := b.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	return &Page{resp.StatusCode, resp.Request.URL.Path, string(body)}, nil
}

// At makes sure that the browser has arrived where a path begins.
func (p *Page) At(prefix string) error {
	if p.Status != http.StatusOK || !strings.HasPrefix(p.Path, prefix) {
		return fmt.Errorf("arrived at %s with status %d, want %s: %s", p.Path, p.Status, prefix, p.Alert())
	}
	return nil
}

var (
	alert = regexp.MustCompile(`(?s)role="alert"[^>]*>(.*?)</p>`)
	tag   = regexp.MustCompile(`<[^>]*>`)
)

// Alert returns what the page tells the citizen to have gone wrong.
func (p *Page) Alert() string {
	if found := alert.FindStringSubmatch(p.Body); found != nil {
		return html.UnescapeString(tag.ReplaceAllString(found[1], ""))
	}
	return "the page says nothing more"
}

// A CardForm is the form of a page that the component's answer goes into.
type CardForm struct {
	Action    string
	Challenge string // names a sign-in or consent; empty for a document
	Component string // origin
	Request   signin.ComponentRequest
}

// cardForm finds what package hipki writes.
var cardForm = regexp.MustCompile(`(?s)<form class="hipki" method="post" action="([^"]*)".*?` +
	`name="challenge" value="([^"]*)".*?data-hipki-settings>(.*?)</script>`)

// CardForm returns the form of the page for the card.
func (p *Page) CardForm() (*CardForm, error) {
	found := cardForm.FindStringSubmatch(p.Body)
	if found == nil {
		return nil, fmt.Errorf("page %s has no form for a card: %s", p.Path, p.Alert())
	}
	form := &CardForm{Action: html.UnescapeString(found[1]), Challenge: html.UnescapeString(found[2])}
	return form, json.Unmarshal([]byte(found[3]), form)
}

// Document returns what the form asks to sign.
func (f *CardForm) Document() ([]byte, error) {
	if f.Request.TBSEncoding != "base64" {
		return []byte(f.Request.TBS), nil
	}
	return base64.StdEncoding.DecodeString(f.Request.TBS)
}

// Sign has the component sign what a form asks for, with one of the cards, and
// sends the answer.
func (b *Browser) Sign(ctx context.Context, form *CardForm, card int) (*Page, error) {
	answer, err := b.askComponent(ctx, form, card)
	if err != nil {
		return nil, err
	}
	return b.Post(ctx, form.Action, url.Values{"challenge": {form.Challenge}, "answer": {answer}})
}

// askComponent does what the component's window does after a click.
func (b *Browser) askComponent(ctx context.Context, form *CardForm, card int) (string, error) {
	request, err := json.Marshal(struct {
		signin.ComponentRequest
		PIN string `json:"pin"`
	}{form.Request, pkitest.TestPIN})
	if err != nil {
		return "", err
	}
	body := url.Values{"tbsPackage": {string(request)}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		form.Component+"/sign?card="+strconv.Itoa(card), strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := b.send(req)
	if err != nil {
		return "", err
	}
	return answer.Body, nil
}
