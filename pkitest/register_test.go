package pkitest_test

import (
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
)

// The look-alikes are what package signin asks for.
var (
	_ signin.IdentityChecker = (*pkitest.Register)(nil)
	_ signin.AccountLinker   = (*pkitest.Accounts)(nil)
)

func TestRegister(t *testing.T) {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer pki.Close()
	card, err := pki.G3.IssueCard(pkitest.Person{Name: "王測試"})
	if err != nil {
		t.Fatal(err)
	}
	var register pkitest.Register
	for _, tt := range []struct {
		name    string
		prepare func()
		number  string
		match   bool
		fails   bool
	}{
		{"unknown", func() {}, "A100000009", false, false},
		{"match", func() { register.Enter(card.Cert, "A100000009") }, "A100000009", true, false},
		{"mismatch", func() {}, "A100000008", false, false},
		{"unavailable", func() { register.SetDown(true) }, "A100000009", false, true},
		{"available again", func() { register.SetDown(false) }, "A100000009", true, false},
	} {
		tt.prepare()
		match, err := register.CheckIdentity(t.Context(), card.Cert, tt.number)
		if match != tt.match || (err != nil) != tt.fails {
			t.Errorf("%s: got %v, %v, want %v, failure %v", tt.name, match, err, tt.match, tt.fails)
		}
	}
}

func TestAccounts(t *testing.T) {
	var accounts pkitest.Accounts
	accounts.Link("old card", "account")
	accounts.Link("new card", "account")
	for subject, want := range map[string]string{"old card": "account", "new card": "account", "another": ""} {
		if got, err := accounts.Account(t.Context(), subject); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", subject, got, err, want)
		}
	}
}
