package signin

import (
	"context"
	"errors"
	"math/big"
)

// EndRevoked ends all sessions of the certificates that a CA has issued under the
// serial numbers given, and reports of how many certificates it has ended any. The
// CA is known by its key, the DER of a SubjectPublicKeyInfo. A service calls it
// with what a new revocation list says is revoked or suspended, and so does not
// wait for the renewal that would find out:
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
		certificate := a.pairwise.certificate(issuerKey, serial)
		_, err := a.sessions.Kept(ctx, keptKey(certificate)) // as long as it has sessions
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return ended, &Error{Reason: ReasonStore, Err: err}
		}
		if err := a.EndCertificate(ctx, certificate); err != nil {
			return ended, err
		}
		ended++
	}
	return ended, nil
}
