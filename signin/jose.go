package signin

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// MaxToken is the largest session token that is looked at, in bytes: what
// browsers keep in one cookie.
const MaxToken = 4096

// tokenType is the typ of session tokens (RFC 8725, Section 3.11), so that no
// other JWT under the same key passes for one.
const tokenType = "citizencert-session+jwt"

// tokens signs and opens compact JWS (RFC 7515). It knows nothing of claims.
type tokens interface {
	sign(payload []byte) (string, error)
	open(token string) (payload []byte, err error)
}

// es256 is ECDSA on P-256 with SHA-256 (RFC 7518, Section 3.4) by one key.
type es256 struct {
	key    crypto.Signer
	public *ecdsa.PublicKey
	kid    string
	header string // the encoded protected header of every token, and its dot
}

// newES256 checks the key by signing with it once.
func newES256(key crypto.Signer) (*es256, error) {
	if key == nil || key == (*ecdsa.PrivateKey)(nil) {
		return nil, errors.New("signin: Config.Key is required")
	}
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, errors.New("signin: Config.Key is not an ECDSA key on P-256")
	}
	kid, err := thumbprint(public)
	if err != nil {
		return nil, fmt.Errorf("signin: Config.Key: %w", err)
	}
	header, err := json.Marshal(struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
		Type      string `json:"typ"`
	}{"ES256", kid, tokenType})
	if err != nil {
		return nil, fmt.Errorf("signin: encoding the token header: %w", err)
	}
	t := &es256{key: key, public: public, kid: kid, header: base64.RawURLEncoding.EncodeToString(header) + "."}
	token, err := t.sign([]byte("{}"))
	if err == nil {
		_, err = t.open(token)
	}
	if err != nil {
		return nil, fmt.Errorf("signin: trying Config.Key: %w", err)
	}
	return t, nil
}

// thumbprint is the JWK thumbprint of the key (RFC 7638, Section 3).
func thumbprint(public *ecdsa.PublicKey) (string, error) {
	point, err := public.Bytes() // 04, x, y
	if err != nil {
		return "", err
	}
	x, y := point[1:33], point[33:65]
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`,
		base64.RawURLEncoding.EncodeToString(x), base64.RawURLEncoding.EncodeToString(y)))
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

func (t *es256) sign(payload []byte) (string, error) {
	h := jws.NewHeaders()
	if err := errors.Join(h.Set(jws.KeyIDKey, t.kid), h.Set(jws.TypeKey, tokenType)); err != nil {
		return "", fmt.Errorf("setting the token header: %v", err)
	}
	token, err := jws.Sign(payload, jws.WithKey(jwa.ES256, t.key, jws.WithProtectedHeaders(h)))
	if err != nil {
		return "", fmt.Errorf("signing a token: %v", err)
	}
	return string(token), nil
}

// open returns the payload of a token that this key has signed. Form and header
// are judged before the JOSE library sees anything: of all headers there could
// be, with other algorithms, keys of the sender, crit or repeated members, the
// only one accepted is the one we write, byte for byte. So nothing that the
// sender writes there is ever parsed.
func (t *es256) open(token string) ([]byte, error) {
	if err := checkCompact(token); err != nil {
		return nil, &Error{Reason: ReasonTokenForm, Err: err}
	}
	if !strings.HasPrefix(token, t.header) {
		return nil, refuse(ReasonTokenHeader, "header is not the one of key %s", t.kid)
	}
	payload, err := jws.Verify([]byte(token), jws.WithKey(jwa.ES256, t.public))
	if err != nil {
		return nil, refuse(ReasonTokenSignature, "signature does not verify") // the library's text may quote the token
	}
	return payload, nil
}

// checkCompact accepts three parts in base64url without padding, each written
// in the one way there is (RFC 7515, Section 7.1). It refuses JSON
// serialization, JWE, and the line breaks and padding that decoders forgive.
func checkCompact(token string) error {
	if len(token) > MaxToken {
		return fmt.Errorf("longer than %d bytes", MaxToken)
	}
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 {
		return errors.New("not three parts")
	}
	for _, part := range parts {
		if part == "" || strings.ContainsAny(part, "\r\n") {
			return errors.New("a part is empty or broken")
		}
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return errors.New("a part is not base64url")
		}
	}
	return nil
}
