package signin

import (
	"context"
	"log/slog"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A Verdict is what the verifier was asked about a signature that a browser or a phone
// has brought, and what it has answered: all that a record of it needs. With package evidence,
//
//	q := evidence.Question{Method: evidence.SignedData, Signature: v.Signature, Options: v.Options}
//	if v.Type == signin.PKCS1 {
//		q.Method, q.Certificate, q.Signed = evidence.Signature, v.Certificate, []byte(v.Line)
//	}
//	if v.Detached {
//		sum := sha256.Sum256([]byte(v.Line))
//		q.Method, q.Sums = evidence.Detached, map[crypto.Hash][]byte{crypto.SHA256: sum[:]}
//	}
//	rec, err := recorder.Record(ctx, q, v.Clock, v.Result, v.Refusal)
//
// The renewal of a session asks about the certificate alone, and makes none.
type Verdict struct {
	Line      string // that had to be signed; see ParseLine
	Type      SignatureType
	Signature []byte // of PKCS1, or a SignedData

	// Detached says that Verifier.Detached was asked, with Line for content, since a
	// phone may leave that out of its SignedData.
	Detached bool

	// Certificate is what came with a signature of PKCS1, in DER.
	Certificate []byte

	Options *verify.Options // of the call
	Clock   time.Time       // of the verifier, when it was asked

	// Result or Refusal is the answer.
	Result  *verify.Result
	Refusal error
}

// LogValue leaves out what belongs to a person.
func (v *Verdict) LogValue() slog.Value {
	return slog.GroupValue(slog.String("type", string(v.Type)), slog.Any("result", v.Result), slog.Any("refusal", v.Refusal))
}

// tell hands a verdict to whoever keeps them.
func (a *Authenticator) tell(ctx context.Context, v *Verdict) error {
	if a.onVerdict == nil {
		return nil
	}
	err := a.onVerdict(ctx, v)
	if err != nil && v.Refusal != nil { // which stands, so that nobody else tells of this
		a.logger.ErrorContext(ctx, "signin: verdict not kept", "err", err)
	}
	return err
}
