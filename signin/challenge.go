package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/internal/line"
	"github.com/citizencert/citizencert/verify"
)

// A ChallengeStore remembers challenges until they are redeemed. All servers of
// a service share one. Methods may be called concurrently. Package storetest
// tests implementations.
type ChallengeStore interface {
	// Put stores value under key until expiry. Keys are 43 characters of
	// base64url and never come twice, but that a value that was taken may be put
	// back. A store that has no room returns an error that wraps [ErrStoreFull]; it
	// must not drop a live value for a new one.
	Put(ctx context.Context, key string, value []byte, expiry time.Time) error

	// Take returns the value under key and removes it in one step: of any number
	// of calls at once, one gets the value. If there is none the error is
	// [ErrNotFound]. A value past its expiry may be returned or not; the caller
	// checks.
	Take(ctx context.Context, key string) ([]byte, error)
}

// Errors of stores.
var (
	ErrStoreFull = errors.New("signin: store is full")
	ErrNotFound  = errors.New("signin: not found")
)

// A SignatureType is the form in which the component returns a signature.
type SignatureType string

// PKCS1 is the bare signature with the certificate beside it, PKCS7 a SignedData
// with the line inside.
const (
	PKCS1 SignatureType = "PKCS1"
	PKCS7 SignatureType = "PKCS7"
)

func (t SignatureType) valid() bool { return t == PKCS1 || t == PKCS7 }

// A Challenge is what a page needs to have the card sign.
type Challenge struct {
	ID      string           `json:"challenge"` // to be given to Finish
	Expiry  time.Time        `json:"expiry"`
	Request ComponentRequest `json:"request"`
}

// A ComponentRequest is the request to the card reader component, to which the
// page adds the PIN. The component wants every value as a string.
type ComponentRequest struct {
	Func          string        `json:"func"`
	SignatureType SignatureType `json:"signatureType"`
	TBS           string        `json:"tbs"` // the line
	TBSEncoding   string        `json:"tbsEncoding"`
	HashAlgorithm string        `json:"hashAlgorithm"`
	WithCardSN    string        `json:"withCardSN"` // the card number is not needed, so it is not asked for
}

func newChallenge(value [ChallengeSize]byte, line string, issued pending) *Challenge {
	return &Challenge{
		ID:     base64.RawURLEncoding.EncodeToString(value[:]),
		Expiry: time.Unix(issued.Expiry, 0).UTC(),
		Request: ComponentRequest{
			Func:          "MakeSignature",
			SignatureType: issued.Type,
			TBS:           line,
			TBSEncoding:   "NONE",
			HashAlgorithm: "SHA256",
			WithCardSN:    "false",
		},
	}
}

// pending is what the server remembers of a challenge. The line is built from
// it again at verification.
type pending struct {
	Purpose Purpose       `json:"purpose"`
	Host    string        `json:"host"`
	Expiry  int64         `json:"expiry"` // Unix seconds
	Type    SignatureType `json:"type"`

	// Of a consent: the SHA-256 of the text, and the session that asked for it.
	Digest  []byte `json:"digest,omitempty"`
	Session string `json:"session,omitempty"`

	// Of a RemoteAttempt: its State.
	Remote []byte `json:"remote,omitempty"`
}

func (p pending) line(service string, value [ChallengeSize]byte) Line {
	l := Line{
		Purpose:   p.Purpose,
		Host:      p.Host,
		Service:   service,
		Expiry:    time.Unix(p.Expiry, 0),
		Challenge: value,
	}
	copy(l.Digest[:], p.Digest)
	return l
}

// attempt returns the secret that this browser holds during its attempts to sign
// in: the one it has, so that several tabs go side by side, or a new one.
func (a *Authenticator) attempt(r *http.Request, o origin) string {
	if held := onlyCookie(r, a.attemptCookie(o)); is32Bytes(held) {
		return held
	}
	return a.randomText()
}

// is32Bytes reports whether text is 32 bytes in base64url, as all our random
// values and sums are.
func is32Bytes(text string) bool {
	_, err := line.DecodeChallenge(text)
	return err == nil
}

func (a *Authenticator) randomText() string {
	var b [ChallengeSize]byte
	a.random(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// storeKey makes a key of the browser's secret and the challenge. Whoever has
// another secret looks in another place: the challenge stays with its browser,
// who can still redeem it, and reading the store is not enough to redeem any.
func (a *Authenticator) storeKey(attempt string, value [ChallengeSize]byte) string {
	sum := sha256.Sum256(joined("citizencert challenge", a.service, attempt, string(value[:])))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// joined returns each field behind its length, so that no two lists of fields give
// the same bytes.
func joined(fields ...string) []byte {
	size := 0
	for _, f := range fields {
		size += 8 + len(f)
	}
	b := make([]byte, 0, size)
	for _, f := range fields {
		b = append(binary.BigEndian.AppendUint64(b, uint64(len(f))), f...)
	}
	return b
}

func (a *Authenticator) remember(ctx context.Context, attempt string, value [ChallengeSize]byte, issued pending) error {
	encoded, err := json.Marshal(issued)
	if err != nil {
		return &Error{Reason: ReasonInternal, Err: err}
	}
	return storeError(a.challenges.Put(ctx, a.storeKey(attempt, value), encoded, time.Unix(issued.Expiry, 0)))
}

// storeError gives an error of a store its reason.
func storeError(err error) error {
	switch {
	case errors.Is(err, ErrStoreFull):
		return &Error{Reason: ReasonStoreFull, Err: err}
	case err != nil:
		return &Error{Reason: ReasonStore, Err: err}
	}
	return nil
}

// take gets what is remembered of a challenge that was issued to the browser that
// sent r, and forgets it.
func (a *Authenticator) take(r *http.Request, o origin, id string) (value [ChallengeSize]byte, key string, issued pending, err error) {
	if value, err = line.DecodeChallenge(id); err != nil {
		return value, "", issued, &Error{Reason: ReasonChallengeUnknown, Err: err}
	}
	attempt := onlyCookie(r, a.attemptCookie(o))
	if !is32Bytes(attempt) {
		return value, "", issued, refuse(ReasonChallengeUnknown, "the browser has no attempt cookie")
	}
	key = a.storeKey(attempt, value)
	encoded, err := a.challenges.Take(r.Context(), key)
	if errors.Is(err, ErrNotFound) {
		return value, "", issued, refuse(ReasonChallengeUnknown, "never issued, issued to another browser, redeemed or expired")
	}
	if err != nil {
		return value, "", issued, &Error{Reason: ReasonStore, Err: err}
	}
	if err := json.Unmarshal(encoded, &issued); err != nil {
		return value, "", pending{}, refuse(ReasonStore, "stored challenge cannot be read")
	}
	return value, key, issued, nil
}

// redeem uses a challenge up and returns the line that must have been signed,
// for the purpose given, with what is remembered of it.
func (a *Authenticator) redeem(r *http.Request, o origin, id string, purpose Purpose) (string, pending, error) {
	value, _, issued, err := a.take(r, o, id)
	if err != nil {
		return "", pending{}, err
	}
	switch {
	case issued.Remote != nil:
		return "", pending{}, refuse(ReasonChallengeUnknown, "the challenge was not issued to a card")
	case !issued.Type.valid():
		return "", pending{}, refuse(ReasonStore, "stored challenge cannot be read")
	case issued.Purpose != purpose:
		return "", pending{}, refuse(Reason(verify.ReasonPurpose), "the challenge was issued for %q", issued.Purpose)
	case issued.Host != o.host:
		return "", pending{}, refuse(ReasonChallengeUnknown, "issued at %s, redeemed at %s", issued.Host, o.host)
	case a.now().Unix() >= issued.Expiry:
		return "", pending{}, refuse(ReasonChallengeExpired, "expired at %d", issued.Expiry)
	}
	line, err := issued.line(a.service, value).Encode()
	if err != nil {
		return "", pending{}, &Error{Reason: ReasonStore, Err: err}
	}
	return line, issued, nil
}
