package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/citizencert/citizencert/examples/internal/visitor"
)

// signInByPhone signs the same citizen in with the phone, in another browser. The
// certificate on the phone has a holder number of its own: that it belongs to the same
// account is known once the register has confirmed the ID number for it, too.
func (w *walker) signInByPhone(ctx context.Context) error {
	filed, err := w.Get(ctx, "/filings")
	if err != nil {
		return err
	}
	if w.Browser, err = visitor.New(w.origin); err != nil {
		return err
	}
	p, err := w.Get(ctx, "/signin")
	if err != nil {
		return err
	}
	form, err := p.PhoneForm()
	if err != nil {
		return err
	}
	fmt.Fprintln(w.out, "phone        shows the request, and its owner approves; the service asks every four seconds")
	if p, err = w.UsePhone(ctx, form, w.phone); err != nil {
		return err
	}
	if p.At("/account") != nil {
		if err := p.At("/filings"); err != nil {
			return err
		}
	}
	fmt.Fprintf(w.out, "sign-in      verified: phone of %s, session begun\n", w.phone.Card.Person.Name)
	if err := w.link(ctx); err != nil {
		return err
	}
	if p, err = w.Get(ctx, "/filings"); err != nil {
		return err
	}
	if p.Body != filed.Body {
		return fmt.Errorf("the phone reaches another account than the card")
	}
	fmt.Fprintf(w.out, "account      the one of the card, with %d filings\n", strings.Count(p.Body, `<a href="/filings/`))
	return nil
}

// fileByPhone signs a return with the phone, which signs a line with its digest.
func (w *walker) fileByPhone(ctx context.Context) error {
	p, err := w.prepare(ctx)
	if err != nil {
		return err
	}
	form, err := p.PhoneForm()
	if err != nil {
		return err
	}
	if p, err = w.UsePhone(ctx, form, w.phone); err != nil {
		return err
	}
	record, err := w.record(ctx, p)
	if err != nil {
		return err
	}
	if record.Verdict != Accepted {
		return fmt.Errorf("got verdict %q with reason %q", record.Verdict, record.Reason)
	}
	fmt.Fprintf(w.out, "filing       signed with the phone and verified: %s, carrier %s, certificate of generation %s\n",
		record.Algorithm, record.Carrier, record.Generation)
	return w.evidence(ctx, p.Path)
}
