package main

import (
	"context"
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

	"github.com/citizencert/citizencert/examples/internal/site"
)

// A browser does over HTTP what a citizen's browser does, with the page script
// and the component's window: it reads what pages say and sends forms.
type browser struct {
	origin string
	client *http.Client
}

func newBrowser(origin string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &browser{origin, &http.Client{Jar: jar, Timeout: time.Minute}}, nil
}

// A page is what the browser shows after all redirects.
type page struct {
	status int
	path   string
	body   string
}

func (b *browser) get(ctx context.Context, path string) (*page, error) {
	return b.do(ctx, http.MethodGet, path, nil)
}

// post sends a form of a page of the service.
func (b *browser) post(ctx context.Context, path string, form url.Values) (*page, error) {
	return b.do(ctx, http.MethodPost, path, form)
}

func (b *browser) do(ctx context.Context, method, path string, form url.Values) (*page, error) {
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
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	return &page{resp.StatusCode, resp.Request.URL.Path, string(body)}, nil
}

// at makes sure that the browser has arrived where a path begins.
func (p *page) at(prefix string) error {
	if p.status != http.StatusOK || !strings.HasPrefix(p.path, prefix) {
		return fmt.Errorf("arrived at %s with status %d, want %s: %s", p.path, p.status, prefix, p.alert())
	}
	return nil
}

var alert = regexp.MustCompile(`role="alert"[^>]*>([^<]*)`)

// alert returns what the page tells the citizen to have gone wrong.
func (p *page) alert() string {
	if found := alert.FindStringSubmatch(p.body); found != nil {
		return html.UnescapeString(found[1])
	}
	return "the page says nothing more"
}

// cardForm finds what the template card-form of package site writes.
var cardForm = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)" ` +
	`data-component="([^"]*)" data-request="([^"]*)".*?name="challenge" value="([^"]*)"`)

// cardForm returns the form of the page that the component's answer goes into.
func (p *page) cardForm() (form site.CardForm, err error) {
	found := cardForm.FindStringSubmatch(p.body)
	if found == nil {
		return form, fmt.Errorf("page %s has no form for a card: %s", p.path, p.alert())
	}
	return site.CardForm{
		Action:    html.UnescapeString(found[1]),
		Component: html.UnescapeString(found[2]),
		Request:   html.UnescapeString(found[3]),
		Challenge: html.UnescapeString(found[4]),
	}, nil
}

// sign has the component sign what a form asks for, with one of the cards, and
// sends the answer.
func (b *browser) sign(ctx context.Context, form site.CardForm, card int) (*page, error) {
	answer, err := b.askComponent(ctx, form.Component, form.Request, card)
	if err != nil {
		return nil, err
	}
	return b.post(ctx, form.Action, url.Values{"challenge": {form.Challenge}, "answer": {answer}})
}

// askComponent does what the component's window does after a click.
func (b *browser) askComponent(ctx context.Context, component, request string, card int) (string, error) {
	body := "tbsPackage=" + strings.ReplaceAll(request, "+", "%2B")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		component+"/sign?card="+strconv.Itoa(card), strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := b.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return string(answer), err
}
