package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/examples/internal/program"
	"github.com/citizencert/citizencert/examples/internal/visitor"
)

// walk is the road of a citizen, over HTTP and through the same pages as with a
// browser.
func walk(ctx context.Context, env program.Env, out io.Writer) error {
	b, err := visitor.New(env.Origin)
	if err != nil {
		return err
	}
	card := env.World.Cards[lookalike.CitizenCard]
	if err := signAndArrive(ctx, b, "/signin", lookalike.CitizenCard, "/applications"); err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	fmt.Fprintf(out, "sign-in      verified: card of %s, session begun\n", card.Person.Name)

	p, err := b.Post(ctx, "/applications", url.Values{
		"national_id": {card.NationalID}, "kind": {"full"}, "purpose": {"school"}, "copies": {"1"},
	})
	if err != nil {
		return err
	}
	form, err := p.CardForm()
	if err != nil {
		return fmt.Errorf("applying: %w", err)
	}
	fmt.Fprintf(out, "application  the text is shown, and the card is asked to sign its digest\n")
	other, err := b.Sign(ctx, form, lookalike.ResidentCard)
	if err != nil {
		return err
	}
	if other.Status != http.StatusForbidden {
		return fmt.Errorf("consent with another citizen's card: got status %d, want it refused", other.Status)
	}
	fmt.Fprintf(out, "other card   refused: %s\n", other.Alert())

	if err := signAndArrive(ctx, b, p.Path, lookalike.CitizenCard, p.Path); err != nil {
		return fmt.Errorf("consenting: %w", err)
	}
	if p, err = b.Get(ctx, p.Path); err != nil {
		return err
	}
	if !strings.Contains(p.Body, "the stored proof is good") {
		return fmt.Errorf("the stored proof is not good: %s", p.Alert())
	}
	fmt.Fprintln(out, "consent      given, stored, and verified again from what is stored alone")
	_, err = fmt.Fprintln(out, "done         everything was as it should be")
	return err
}

// signAndArrive signs what a page asks for, and makes sure where that leads.
func signAndArrive(ctx context.Context, b *visitor.Browser, path string, card int, arrival string) error {
	p, err := b.Get(ctx, path)
	if err != nil {
		return err
	}
	form, err := p.CardForm()
	if err != nil {
		return err
	}
	if p, err = b.Sign(ctx, form, card); err != nil {
		return err
	}
	return p.At(arrival)
}
