package main

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/examples/internal/programtest"
	"github.com/citizencert/citizencert/examples/internal/visitor"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// An office is the service with everything around it.
type office struct{ *programtest.Place[*service] }

func newOffice(t *testing.T) *office {
	t.Helper()
	return &office{programtest.Open(t, newService)}
}

// A citizen is a browser and the card of the person who sits before it.
type citizen struct {
	*office
	browser *visitor.Browser
	slot    int
	card    *lookalike.Card
}

// visitor returns somebody who is not signed in.
func (o *office) visitor(slot int) *citizen {
	o.Helper()
	b, err := visitor.New(o.Origin)
	if err != nil {
		o.Fatal(err)
	}
	return &citizen{o, b, slot, o.World.Cards[slot]}
}

// newcomer returns somebody who is signed in and has no account.
func (o *office) newcomer(slot int) *citizen {
	o.Helper()
	c := o.visitor(slot)
	if p := c.sign(c.form("/signin")); p.Path != "/account" {
		o.Fatalf("after sign-in: arrived at %s with status %d: %s", p.Path, p.Status, p.Alert())
	}
	return c
}

// filer returns somebody who is signed in to an account.
func (o *office) filer(slot int) *citizen {
	o.Helper()
	c := o.newcomer(slot)
	if p := c.post("/account", url.Values{"national_id": {c.card.NationalID}}); p.Path != "/filings" {
		o.Fatalf("after linking: arrived at %s with status %d: %s", p.Path, p.Status, p.Alert())
	}
	return c
}

func (c *citizen) get(path string) *visitor.Page {
	c.Helper()
	return c.arrive(c.browser.Get(c.Context(), path))
}

func (c *citizen) post(path string, form url.Values) *visitor.Page {
	c.Helper()
	return c.arrive(c.browser.Post(c.Context(), path, form))
}

func (c *citizen) arrive(p *visitor.Page, err error) *visitor.Page {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
	return p
}

// form returns the form for the card that a page has.
func (c *citizen) form(path string) *visitor.CardForm {
	c.Helper()
	return c.formOf(c.get(path))
}

func (c *citizen) formOf(p *visitor.Page) *visitor.CardForm {
	c.Helper()
	form, err := p.CardForm()
	if err != nil {
		c.Fatal(err)
	}
	return form
}

// sign signs what a form asks for with the citizen's card, and sends it.
func (c *citizen) sign(form *visitor.CardForm) *visitor.Page {
	c.Helper()
	return c.arrive(c.browser.Sign(c.Context(), form, c.slot))
}

// prepare has the service write a return.
func (c *citizen) prepare() *visitor.CardForm {
	c.Helper()
	return c.formOf(c.post("/returns", url.Values{"year": {"2024"}, "salary": {"800000"}}))
}

// submit sends a signature of any origin to where a form sends the card's.
func (c *citizen) submit(form *visitor.CardForm, signature []byte) *visitor.Page {
	c.Helper()
	answer, err := json.Marshal(map[string]any{
		"func": "sign", "ret_code": 0, "last_error": 0,
		"signature": base64.StdEncoding.EncodeToString(signature),
	})
	if err != nil {
		c.Fatal(err)
	}
	return c.post(form.Action, url.Values{"challenge": {form.Challenge}, "answer": {string(answer)}})
}

// document returns what a form asks to sign.
func (c *citizen) document(form *visitor.CardForm) []byte {
	c.Helper()
	document, err := form.Document()
	if err != nil {
		c.Fatal(err)
	}
	return document
}

// pkcs7 signs a document with a card, outside of any page.
func (o *office) pkcs7(card *pkitest.Card, document []byte, opts *pkitest.CMSOptions) []byte {
	o.Helper()
	der, err := card.SignPKCS7(document, opts)
	if err != nil {
		o.Fatal(err)
	}
	return der
}

// record returns the record of the filing that a page shows.
func (c *citizen) record(p *visitor.Page) *Record {
	c.Helper()
	if err := p.At("/filings/"); err != nil {
		c.Fatal(err)
	}
	var r Record
	if err := json.Unmarshal([]byte(c.get(p.Path+"/record.json").Body), &r); err != nil {
		c.Fatal(err)
	}
	return &r
}

// filings returns what the citizen has filed, the latest first.
func (c *citizen) filings() []*Filing {
	c.Helper()
	holder := c.subject()
	account, err := c.Service.store.Account(c.Context(), holder)
	if err != nil {
		c.Fatal(err)
	}
	filings, err := c.Service.store.Filings(c.Context(), account)
	if err != nil {
		c.Fatal(err)
	}
	return filings
}

// subject returns the name that the citizen's sessions have.
func (c *citizen) subject() string {
	return c.Service.Auth.Subject(verify.Identity{Scheme: moica.Name, SerialNumber: c.card.Person.Number})
}

// wantVerdict compares the record of the filing that a page shows.
func (c *citizen) wantVerdict(p *visitor.Page, verdict Verdict, reason string) {
	c.Helper()
	if r := c.record(p); r.Verdict != verdict || r.Reason != reason {
		c.Errorf("got verdict %q with reason %q, want %q with %q", r.Verdict, r.Reason, verdict, reason)
	}
}

// wantSays looks for words on a page.
func (o *office) wantSays(p *visitor.Page, status int, words ...string) {
	o.Helper()
	if p.Status != status {
		o.Errorf("%s: got status %d, want %d", p.Path, p.Status, status)
	}
	for _, w := range words {
		if !strings.Contains(p.Body, w) {
			o.Errorf("%s: does not say %q", p.Path, w)
		}
	}
}
