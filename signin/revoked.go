package signin

import (
	"context"
	"errors"
	"math/big"
	"time"
)

// EndRevoked ends all sessions of the certificates that a CA has issued under the
// serial numbers given, and reports of how many certificates it has ended any. The
// CA is known by its key, the DER of a SubjectPublicKeyInfo. A service that learns
// by a way of its own what is revoked or suspended calls it, and so does not wait
// for the renewal that would find out; [Authenticator.Watch] does for revocation
// lists:
//
//	ended, err := auth.EndRevoked(ctx, issuer.RawSubjectPublicKeyInfo, serials...)
//
// Lists are long, and few of their certificates are signed in: a serial number
// that has no session costs a look-up in the SessionStore and leaves nothing
// there. A session that begins at the same moment, of a certificate that was still
// good when it was verified, may go on until its renewal.
//
// At the first failure of the store EndRevoked gives up; sessions that it has not
// come to end at their renewal, too. Errors are of type [*Error].
func (a *Authenticator) EndRevoked(ctx context.Context, issuerKey []byte, serials ...*big.Int) (ended int, err error) {
	for _, serial := range serials {
		found, err := a.endListed(ctx, a.pairwise.certificate(issuerKey, serial), a.now())
		if err != nil {
			return ended, err
		}
		if found {
			ended++
		}
	}
	return ended, nil
}

// endListed ends the sessions of a certificate that began by an instant, if it has
// any, and reports whether.
func (a *Authenticator) endListed(ctx context.Context, certificate string, at time.Time) (found bool, err error) {
	_, err = a.sessions.Kept(ctx, keptKey(certificate)) // as long as it has sessions
	switch {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, &Error{Reason: ReasonStore, Err: err}
	}
	return true, a.deny(ctx, certificateKey(certificate), at)
}
