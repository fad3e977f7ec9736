package pkitest

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"sync"
)

// A Register is a look-alike of the official identity check: it knows which
// national ID belongs to a certificate, says yes or no, and never gives a number
// out. The zero Register knows nobody. It serves as a signin.IdentityChecker. Its
// methods may be called concurrently.
type Register struct {
	mu      sync.Mutex
	numbers map[[sha256.Size]byte]string // by digest of the certificate
	down    bool
}

// Enter records that nationalID is the number of the holder of cert. Give it a
// number that cannot be anybody's, such as one with a wrong check digit.
func (r *Register) Enter(cert *x509.Certificate, nationalID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.numbers == nil {
		r.numbers = make(map[[sha256.Size]byte]string)
	}
	r.numbers[sha256.Sum256(cert.Raw)] = nationalID
}

// SetDown makes the register unavailable, or available again.
func (r *Register) SetDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// CheckIdentity reports whether nationalID belongs to cert. An unknown
// certificate is a mismatch, like a wrong number: the difference is nobody's
// business. An error means that there is no answer.
func (r *Register) CheckIdentity(ctx context.Context, cert *x509.Certificate, nationalID string) (match bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return false, errors.New("pkitest: the register is not available")
	}
	number, ok := r.numbers[sha256.Sum256(cert.Raw)]
	return ok && number == nationalID, nil
}

// Accounts are the accounts of a service, in memory: a look-alike of the table in
// which a real one keeps whose they are. The zero value has none. It serves as a
// signin.AccountLinker. Its methods may be called concurrently.
type Accounts struct {
	mu        sync.Mutex
	bySubject map[string]string
}

// Link gives a holder the use of an account. An account may have several holders:
// a person's old card, new card and phone.
func (a *Accounts) Link(subject, account string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bySubject == nil {
		a.bySubject = make(map[string]string)
	}
	a.bySubject[subject] = account
}

// Account returns the account that subject is linked to, or "".
func (a *Accounts) Account(ctx context.Context, subject string) (account string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bySubject[subject], ctx.Err()
}
