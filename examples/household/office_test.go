package main

import (
	"bytes"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/examples/internal/program"
	"github.com/citizencert/citizencert/examples/internal/programtest"
	"github.com/citizencert/citizencert/examples/internal/visitor"
)

// An office is the service with everything around it.
type office struct{ *programtest.Place[*service] }

func newOffice(t *testing.T) *office {
	t.Helper()
	return &office{programtest.Open(t, newService)}
}

// citizen returns the browser of somebody who is signed in with a card.
func (o *office) citizen(card int) *visitor.Browser {
	o.Helper()
	b, err := visitor.New(o.Origin)
	if err != nil {
		o.Fatal(err)
	}
	p := o.sign(b, o.get(b, "/signin"), card)
	if err := p.At("/applications"); err != nil {
		o.Fatal(err)
	}
	return b
}

func (o *office) get(b *visitor.Browser, path string) *visitor.Page {
	o.Helper()
	return o.arrive(b.Get(o.Context(), path))
}

func (o *office) arrive(p *visitor.Page, err error) *visitor.Page {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
	return p
}

// sign signs what a page asks for.
func (o *office) sign(b *visitor.Browser, p *visitor.Page, card int) *visitor.Page {
	o.Helper()
	form, err := p.CardForm()
	if err != nil {
		o.Fatal(err)
	}
	return o.arrive(b.Sign(o.Context(), form, card))
}

// apply fills in the form with the number of a card's holder.
func (o *office) apply(b *visitor.Browser, card int) *visitor.Page {
	o.Helper()
	return o.arrive(b.Post(o.Context(), "/applications", url.Values{
		"national_id": {o.World.Cards[card].NationalID}, "kind": {"part"}, "purpose": {"bank"}, "copies": {"2"},
	}))
}

// TestOnce walks the road of go run ./examples/household -once, twice over one file.
func TestOnce(t *testing.T) {
	db := filepath.Join(t.TempDir(), "household.db")
	for range 2 {
		var out, log bytes.Buffer
		err := household.Start(t.Context(), program.Options{Addr: "127.0.0.1:0", DB: db, Once: true}, &out, &log)
		if err != nil || log.Len() > 0 || !bytes.Contains(out.Bytes(), []byte("done")) {
			t.Fatalf("%v\n%s\n%s", err, &out, &log)
		}
	}
}

func TestApplyRefused(t *testing.T) {
	o := newOffice(t)
	b := o.citizen(lookalike.CitizenCard)
	if p := o.apply(b, lookalike.ResidentCard); p.Status != http.StatusForbidden {
		t.Errorf("with another person's number: got status %d, want 403", p.Status)
	}
	for field, value := range map[string]string{"national_id": "A1", "kind": "all", "purpose": "fun", "copies": "6"} {
		form := url.Values{"national_id": {"A100000009"}, "kind": {"full"}, "purpose": {"school"}, "copies": {"1"}}
		form.Set(field, value)
		if p := o.arrive(b.Post(t.Context(), "/applications", form)); p.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s=%s: got status %d, want 422", field, value, p.Status)
		}
	}
	o.World.Register.SetDown(true)
	if p := o.apply(b, lookalike.CitizenCard); p.Status != http.StatusServiceUnavailable {
		t.Errorf("without the register: got status %d, want 503", p.Status)
	}
}

// Nobody sees what belongs to another holder, or consents for them.
func TestOthersApplications(t *testing.T) {
	o := newOffice(t)
	p := o.apply(o.citizen(lookalike.CitizenCard), lookalike.CitizenCard)
	other := o.citizen(lookalike.ResidentCard)
	if q := o.get(other, p.Path); q.Status != http.StatusNotFound {
		t.Errorf("reading: got status %d, want 404", q.Status)
	}
	if q := o.sign(other, p, lookalike.ResidentCard); q.Status != http.StatusNotFound {
		t.Errorf("consenting: got status %d, want 404", q.Status)
	}
}
