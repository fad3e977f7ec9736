package main

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// consented returns an application with its proof, out of the store.
func (o *office) consented() *Application {
	o.Helper()
	b := o.citizen(lookalike.CitizenCard)
	p := o.sign(b, o.apply(b, lookalike.CitizenCard), lookalike.CitizenCard)
	if err := p.At("/applications/"); err != nil {
		o.Fatal(err)
	}
	subject := o.Service.Auth.Subject(verify.Identity{
		Scheme: moica.Name, SerialNumber: o.World.Cards[lookalike.CitizenCard].Person.Number,
	})
	a, err := o.Service.store.Application(o.Context(), subject, path.Base(p.Path))
	if err != nil {
		o.Fatal(err)
	}
	if a.Proof == nil {
		o.Fatal("no proof is stored")
	}
	return a
}

// What is stored proves the consent with the network gone and the card revoked
// since, and nothing that was changed does.
func TestProof(t *testing.T) {
	o := newOffice(t)
	a := o.consented()
	card := o.World.Cards[lookalike.CitizenCard]
	card.Issuer.Revoke(card.Cert, time.Now().Add(time.Second), pkitest.ReasonKeyCompromise)
	if err := o.World.PKI.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Service.verifyProof(t.Context(), a); err != nil {
		t.Fatalf("as stored: %v", err)
	}
	for name, test := range map[string]struct {
		change func(*Application)
		want   string
	}{
		"text":       {func(a *Application) { a.Text = strings.Replace(a.Text, "2", "3", 1) }, "not the one that was consented to"},
		"subject":    {func(a *Application) { a.Subject += "x" }, "another holder"},
		"host":       {func(a *Application) { a.Proof.Host = "localhost:1" }, "the line is for"},
		"line":       {func(a *Application) { a.Proof.Line = strings.Replace(a.Proof.Line, "consent", "file", 1) }, "the line is for"},
		"challenge":  {func(a *Application) { a.Proof.Line = swapDigits(a.Proof.Line) }, "digest-mismatch"},
		"signature":  {func(a *Application) { a.Proof.Signature[len(a.Proof.Signature)-1] ^= 1 }, "bad-signature"},
		"evidence":   {func(a *Application) { a.Proof.Evidence = nil }, "status-unavailable"},
		"given late": {func(a *Application) { a.Proof.GivenAt = a.Proof.GivenAt.Add(6 * time.Minute) }, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			proof := *a.Proof
			proof.Signature = slices.Clone(proof.Signature)
			changed := *a
			changed.Proof = &proof
			test.change(&changed)
			res, err := o.Service.verifyProof(t.Context(), &changed)
			if err == nil || res != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

// swapDigits changes the challenge in a line and leaves its form good.
func swapDigits(line string) string {
	parts := strings.Split(line, "/")
	challenge := []byte(parts[5])
	if challenge[0]++; challenge[0] > 'Z' || challenge[0] < 'B' {
		challenge[0] = 'B'
	}
	parts[5] = string(challenge)
	return strings.Join(parts, "/")
}
