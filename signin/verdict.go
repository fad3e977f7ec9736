package signin

import (
	"context"
	"log/slog"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A Verdict is what the verifier was asked about a signature, of a card or a phone,
// or about the certificate of a session that is renewed, and what it has answered:
// all that a record of it needs. With package evidence,
//
//	q := evidence.Question{Signature: v.Signature, Certificate: v.Certificate, Options: v.Options}
//	switch {
//	case v.Type == "":
//		q.Method = evidence.Certificate
//	case v.Type == signin.PKCS1:
//		q.Method, q.Signed = evidence.Signature, []byte(v.Line)
//	case v.Detached:
//		sum := sha256.Sum256([]byte(v.Line))
//		q.Method, q.Sums = evidence.Detached, map[crypto.Hash][]byte{crypto.SHA256: sum[:]}
//	default:
//		q.Method = evidence.SignedData
//	}
//	rec, err := recorder.Record(ctx, q, v.Clock, v.Result, v.Refusal)
type Verdict struct {
	// Session is the one that is renewed. For a signature it is nil: a session may
	// come of it.
	Session *Session

	Line      string        // that had to be signed; see ParseLine. Empty for a renewal
	Type      SignatureType // likewise
	Detached  bool          // Line was given as what a SignedData is over: it may be inside, or not
	Signature []byte        // of PKCS1, or a SignedData

	// Certificate is what came with a signature of PKCS1, or is renewed by, in DER.
	Certificate []byte

	Options *verify.Options // of the call
	Clock   time.Time       // of the verifier, when it was asked

	// Result or Refusal is the answer.
	Result  *verify.Result
	Refusal error
}

// LogValue leaves out what belongs to a person.
func (v *Verdict) LogValue() slog.Value {
	answer := slog.Any("result", v.Result)
	if v.Refusal != nil {
		answer = slog.Any("refusal", v.Refusal)
	}
	return slog.GroupValue(slog.String("type", string(v.Type)), answer)
}

// tell hands a verdict to whoever keeps them. An error is theirs: a good verdict that
// is not kept must not count.
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
