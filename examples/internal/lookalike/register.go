package lookalike

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"sync"

	"github.com/citizencert/citizencert/signin"
)

// A Register knows which national ID number belongs to a certificate, which does
// not carry the whole number. It answers yes or no and never gives a number out.
type Register struct {
	mu      sync.Mutex
	numbers map[[sha256.Size]byte]string // by digest of the certificate
	down    bool
}

var _ signin.IdentityChecker = (*Register)(nil)

func newRegister() *Register {
	return &Register{numbers: make(map[[sha256.Size]byte]string)}
}

func (r *Register) enter(cert *x509.Certificate, nationalID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.numbers[sha256.Sum256(cert.Raw)] = nationalID
}

// SetDown makes the register unavailable, or available again.
func (r *Register) SetDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// CheckIdentity implements [signin.IdentityChecker]. An unknown certificate is a
// mismatch, like a wrong number: the difference is nobody's business.
func (r *Register) CheckIdentity(ctx context.Context, cert *x509.Certificate, nationalID string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return false, errors.New("lookalike: the register is not available")
	}
	number, ok := r.numbers[sha256.Sum256(cert.Raw)]
	return ok && number == nationalID, nil
}
