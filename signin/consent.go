package signin

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"unicode/utf8"

	"github.com/citizencert/citizencert/verify"
)

// MaxConsentText is the largest text that a citizen is asked to consent to, in
// bytes: more than anyone reads before entering a PIN.
const MaxConsentText = 64 << 10

// A SignedConsent is what a citizen who is signed in has signed besides: that a text
// was shown, and agreed to. A service that wants to prove it later keeps Text,
// Line and Signature, and of Result the evidence: Line holds the SHA-256 of Text,
// and Signature is over Line.
type SignedConsent struct {
	Session *Session // in which it was given
	Text    string
	Line    string // as signed; see ParseLine

	// Signature is of the type Type, as the component returned it: PKCS1, by the
	// certificate in Result, or a SignedData in DER.
	Type      SignatureType
	Signature []byte

	Result *verify.Result
}

// LogValue leaves out what belongs to a person.
func (c *SignedConsent) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("session", c.Session), slog.Any("result", c.Result))
}

// BeginConsent issues a challenge, as [Authenticator.Begin] does, for consent to
// a text that the service is about to show to the citizen who is signed in. s is
// the session of this request, as SessionFrom, Renew or Check returns it. The
// text is UTF-8, as it is shown; the line that the card signs has its SHA-256.
//
// Errors are of type [*Error].
func (a *Authenticator) BeginConsent(w http.ResponseWriter, r *http.Request, s *Session, kind SignatureType, text string) (*Challenge, error) {
	digest, err := consentDigest(s, text)
	if err != nil {
		return nil, err
	}
	o, err := a.admit(r)
	if err != nil {
		return nil, err
	}
	return a.begin(w, r, o, pending{Purpose: Consent, Type: kind, Digest: digest[:], Session: s.ID})
}

// FinishConsent redeems a challenge of [Authenticator.BeginConsent] with the
// component's answer. s is the session of this request, and text what the
// service is about to act on. Beyond what [Authenticator.Finish] checks of
// request, challenge, line and signature, it checks that
//
//   - the challenge was issued for consent, in this session
//   - text is the one that it was issued for, byte for byte
//   - whoever signed is the holder who is signed in, or has the same account
//     (see Config.Accounts)
//
// The session remains as it is: its AuthTime does not move, and no other begins.
// Errors are of type [*Error].
func (a *Authenticator) FinishConsent(r *http.Request, s *Session, id string, answer *Answer, text string) (*SignedConsent, error) {
	digest, err := consentDigest(s, text)
	if err != nil {
		return nil, err
	}
	o, err := a.admit(r)
	if err != nil {
		return nil, err
	}
	if err := answer.check(); err != nil {
		return nil, err
	}
	line, issued, err := a.redeem(r, o, id, Consent)
	if err != nil {
		return nil, err
	}
	switch {
	case issued.Session != s.ID:
		return nil, refuse(ReasonChallengeUnknown, "issued in another session")
	case string(issued.Digest) != string(digest[:]):
		return nil, refuse(ReasonConsentText, "the text is not the one that the challenge was issued for")
	}
	res, signature, err := a.verify(r.Context(), answer, line, issued.Type)
	if err != nil {
		return nil, err
	}
	if err := a.sameHolder(r, s, res); err != nil {
		return nil, err
	}
	return &SignedConsent{Session: s, Text: text, Line: line, Type: issued.Type, Signature: signature, Result: res}, nil
}

// sameHolder refuses a signature of somebody else than who is signed in. Card and
// phone of one person are two holders, with one account.
func (a *Authenticator) sameHolder(r *http.Request, s *Session, res *verify.Result) error {
	signer, err := a.holder(res)
	if err != nil {
		return err
	}
	if signer.Subject == s.Subject {
		return nil
	}
	if err := a.findAccount(r.Context(), signer); err != nil {
		return err
	}
	if signer.Account == "" || signer.Account != s.Account {
		return refuse(ReasonOtherHolder, "signed by another holder than who is signed in")
	}
	return nil
}

// consentDigest refuses texts that cannot be what a citizen was shown. They come
// from the service, not from the browser.
func consentDigest(s *Session, text string) ([sha256.Size]byte, error) {
	var err error
	switch {
	case s == nil:
		err = errors.New("consent without a session")
	case text == "":
		err = errors.New("the text to consent to is empty")
	case len(text) > MaxConsentText:
		err = errors.New("the text to consent to is larger than MaxConsentText")
	case !utf8.ValidString(text):
		err = errors.New("the text to consent to is not UTF-8")
	}
	if err != nil {
		return [sha256.Size]byte{}, &Error{Reason: ReasonInternal, Err: err}
	}
	return sha256.Sum256([]byte(text)), nil
}
