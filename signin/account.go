package signin

import (
	"context"
	"crypto/x509"

	"github.com/citizencert/citizencert/verify"
)

// An AccountLinker knows which account of the service a certificate holder has.
//
// The subject it is asked for is all that the certificate proves. A service
// links it to an account once it knows more: because an [IdentityChecker] has
// confirmed the national ID that the account is registered under, or because
// the holder was signed in to that account by other means. Name and last four
// characters are shared by many and never suffice. One account may have several
// subjects: those of an old card, a new card and a phone.
type AccountLinker interface {
	// Account returns the account that subject is linked to, or "" if none is.
	// An error means that it could not be learned, and refuses the request.
	// It is called at sign-in and for each request, concurrently.
	Account(ctx context.Context, subject string) (account string, err error)
}

// An IdentityChecker asks an authority whether a national ID or ARC number
// belongs to the holder of a certificate. The certificate holds no more of it
// than the last four characters.
type IdentityChecker interface {
	// CheckIdentity reports whether nationalID is the number of cert's holder.
	// cert has been verified, path and status included. False without an error
	// is the authority's no; an error means that there is no answer, and neither
	// match nor mismatch may be concluded. Errors do not hold the number.
	CheckIdentity(ctx context.Context, cert *x509.Certificate, nationalID string) (match bool, err error)
}

// Subject returns the subject that sessions of a holder have: with it a service
// compares who signed a document with who is signed in.
func (a *Authenticator) Subject(holder verify.Identity) string {
	return a.pairwise.subject(a.environment, holder)
}

func (a *Authenticator) findAccount(ctx context.Context, s *Session) error {
	if a.accounts == nil {
		return nil
	}
	account, err := a.accounts.Account(ctx, s.Subject)
	if err != nil {
		return &Error{Reason: ReasonAccounts, Err: err}
	}
	s.Account = account
	return nil
}
