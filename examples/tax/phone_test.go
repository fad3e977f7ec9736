package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/examples/internal/visitor"
)

// usePhone has the citizen's phone approve what a page asks for.
func (c *citizen) usePhone(p *visitor.Page) (*visitor.Page, error) {
	c.Helper()
	form, err := p.PhoneForm()
	if err != nil {
		c.Fatal(err)
	}
	return c.browser.UsePhone(c.Context(), form, c.World.Phones[lookalike.CitizenPhone])
}

// A phone is of nobody's account until its owner has linked it, and then of the one
// that the card has: either signs returns of the other's session, each return once.
func TestPhone(t *testing.T) {
	t.Parallel() // it waits for the phone
	o := newOffice(t)
	c := o.filer(lookalike.CitizenCard)
	form := c.prepare()
	page := strings.TrimSuffix(form.Action, "/signature")
	if _, err := c.usePhone(c.get(page)); err == nil || !strings.Contains(err.Error(), "403") {
		t.Fatalf("with a phone that is not linked: got %v, want a refusal", err)
	}
	if filed := c.filings(); len(filed) != 0 {
		t.Fatalf("got %d filings, want none", len(filed))
	}

	other := o.visitor(lookalike.CitizenCard)
	if p := other.arrive(other.usePhone(other.get("/signin"))); p.Path != "/account" {
		t.Fatalf("the phone's first sign-in leads to %s", p.Path)
	}
	if p := other.post("/account", url.Values{"national_id": {o.World.Cards[lookalike.SecondGenerationCard].NationalID}}); p.Path != "/account" {
		t.Fatalf("with another person's number: arrived at %s", p.Path)
	}
	other.post("/account", url.Values{"national_id": {c.card.NationalID}})

	p := c.arrive(c.usePhone(c.get(page)))
	c.wantVerdict(p, Accepted, "")
	if r := c.record(p); r.Carrier != "mobile" || r.JudgedAtKind != "receipt" || !r.JudgedAt.Equal(r.ReceivedAt) {
		t.Errorf("got record %+v", r)
	}
	if again := c.sign(form); again.Path != p.Path {
		t.Errorf("the same return with the card: arrived at %s, want the filing of the phone, %s", again.Path, p.Path)
	}
	c.wantVerdict(other.sign(other.prepare()), Accepted, "")

	var signIns int
	const mobile = `SELECT count(*) FROM verdicts WHERE filing IS NULL AND instr(evidence, '"use":"sign-in"') > 0`
	if err := o.Service.store.DB.QueryRow(mobile).Scan(&signIns); err != nil || signIns != 2 {
		t.Errorf("got evidence of %d sign-ins, %v; want those with card and phone", signIns, err)
	}
}

// A filing of the phone whose status cannot be learned is pending like one of the card:
// it has been received, and is judged for that instant once the status can be learned,
// whose it is included.
func TestPhonePending(t *testing.T) {
	t.Parallel() // it waits for the phone
	o := newOffice(t)
	urls := o.World.PKI.G3.MOICA.URLs
	for _, address := range []string{urls.CRL, urls.Partition} {
		o.World.PKI.Script(address, http.NotFoundHandler()) // or the sign-in has one fetched
	}
	c := o.filer(lookalike.CitizenCard)
	o.World.PKI.Script(urls.OCSP, http.NotFoundHandler())
	pending := func() *visitor.Page {
		t.Helper()
		page := strings.TrimSuffix(c.prepare().Action, "/signature")
		p := c.arrive(c.usePhone(c.get(page)))
		c.wantVerdict(p, Pending, "status-unavailable")
		return p
	}
	early, late := pending(), pending()
	received := c.record(late).ReceivedAt

	o.World.PKI.Script(urls.OCSP, nil)
	other := o.visitor(lookalike.CitizenCard)
	other.arrive(other.usePhone(other.get("/signin"))) // which takes longer than a failure stands
	c.post(early.Path+"/verification", nil)
	c.wantVerdict(early, Refused, "other-signer") // the phone is not linked yet
	other.post("/account", url.Values{"national_id": {c.card.NationalID}})
	c.post(late.Path+"/verification", nil)
	c.wantVerdict(late, Accepted, "")
	if r := c.record(late); r.Carrier != "mobile" || !r.JudgedAt.Equal(received) {
		t.Errorf("got carrier %s, judged as of %v, want the phone and the receipt at %v", r.Carrier, r.JudgedAt, received)
	}
	c.wantSays(c.get(late.Path), http.StatusOK, "from the evidence alone, to the same verdict")
}
