package signin_test

import (
	"context"
	"crypto/x509"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// A person's accounts outlast cards. The old card, the one that replaces it under
// a number of its own, and the phone reach one account, each from when the official
// check has said whose it is; a certificate alone reaches none, also that of
// somebody of the same name with the same last four characters.
func TestOnePersonOneAccount(t *testing.T) {
	const nationalID, otherID = "A123456780", "F123456780" // wrong check digits, same end
	var accounts pkitest.Accounts
	var register pkitest.Register
	var session *signin.Session
	var cert *x509.Certificate
	w := newWorld(t, func(cfg *signin.Config) {
		cfg.Accounts = &accounts
		cfg.OnSignIn = func(_ context.Context, res *verify.Result, s *signin.Session) error {
			session, cert = s, res.Signers[0].Path[0]
			return nil
		}
	})
	person := pkitest.Person{Name: "王測試", LastFour: "6780"}
	issue := func(issue func(pkitest.Person, ...func(*pkitest.Template)) (*pkitest.Card, error), id string) *pkitest.Card {
		t.Helper()
		card, err := issue(person)
		if err != nil {
			t.Fatal(err)
		}
		register.Enter(card.Cert, id)
		return card
	}
	b := w.browser(t)
	wantAccount := func(card *pkitest.Card, want string) {
		t.Helper()
		b.signIn(card)
		if got := w.session(t, b).Account; got != want || session.Account != want {
			t.Errorf("got account %q, %q at sign-in, want %q", got, session.Account, want)
		}
	}
	// link is what a service does with the number that a citizen who is signed in
	// has typed.
	link := func(typed string) bool {
		match, err := register.CheckIdentity(t.Context(), cert, typed)
		if err == nil && match {
			accounts.Link(session.Subject, "account of "+typed)
		}
		return match
	}

	oldCard := issue(w.G2.IssueCard, nationalID)
	namesake := issue(w.G3.IssueCard, otherID)
	for _, card := range []*pkitest.Card{oldCard, issue(w.G3.IssueCard, nationalID), issue(w.G3.IssueMobile, nationalID)} {
		wantAccount(card, "")
		if link(otherID) || link("") {
			t.Error("another person's number matches")
		}
		register.SetDown(true)
		link(nationalID)
		register.SetDown(false)
		wantAccount(card, "")
		if !link(nationalID) {
			t.Error("the person's own number does not match")
		}
		wantAccount(card, "account of "+nationalID)
		wantAccount(namesake, "")
		if link(nationalID) {
			t.Error("the number matches somebody of the same name")
		}
	}
	wantAccount(oldCard, "account of "+nationalID)

	// A card that is renewed under the same number is the same holder.
	person.Number = oldCard.Person.Number
	wantAccount(issue(w.G3.IssueCard, nationalID), "account of "+nationalID)
}
