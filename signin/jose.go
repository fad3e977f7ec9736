package signin

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
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

// signatureSize is that of ES256 and EdDSA, in bytes.
const signatureSize = 64

// tokens signs and opens compact JWS (RFC 7515). It knows nothing of claims.
type tokens interface {
	sign(payload []byte) (string, error)
	open(token string) (payload []byte, err error)
}

// A keyring signs by one key and opens what any of its keys has signed. It is
// immutable: a key is withdrawn by making an Authenticator without it.
type keyring struct {
	signer crypto.Signer
	jws    jws.Signer        // for the signer's algorithm
	keys   []verificationKey // the signer's first
}

// A verificationKey has one algorithm (RFC 8725, Section 3.1), which goes with
// the key and is never read out of a token.
type verificationKey struct {
	algorithm jwa.SignatureAlgorithm
	public    crypto.PublicKey
	verifier  jws.Verifier
	jwk       jwk
	header    string // the encoded protected header of its tokens, and the dot
}

// newKeyring checks the signer by signing with it once.
func newKeyring(signer crypto.Signer, others []crypto.PublicKey) (*keyring, error) {
	switch key := signer.(type) {
	case nil:
		return nil, errors.New("signin: Config.Key is required")
	case *ecdsa.PrivateKey:
		if key == nil {
			return nil, errors.New("signin: Config.Key is required")
		}
	case ed25519.PrivateKey:
		if len(key) != ed25519.PrivateKeySize {
			return nil, fmt.Errorf("signin: Config.Key has %d bytes, want %d", len(key), ed25519.PrivateKeySize)
		}
	}
	if len(others) >= MaxKeys {
		return nil, fmt.Errorf("signin: Config.OtherKeys has %d keys, want fewer than %d", len(others), MaxKeys)
	}
	t := &keyring{signer: signer}
	for i, public := range append([]crypto.PublicKey{signer.Public()}, others...) {
		key, err := newVerificationKey(public)
		if err != nil {
			return nil, fmt.Errorf("signin: %s: %w", keyName(i), err)
		}
		for j, other := range t.keys {
			if key.jwk.KeyID == other.jwk.KeyID {
				return nil, fmt.Errorf("signin: %s is the same as %s", keyName(i), keyName(j))
			}
		}
		t.keys = append(t.keys, key)
	}
	var err error
	if t.jws, err = jws.NewSigner(t.keys[0].algorithm); err != nil {
		return nil, fmt.Errorf("signin: no signer for %s: %v", t.keys[0].algorithm, err)
	}
	token, err := t.sign([]byte("{}"))
	if err == nil {
		_, err = t.open(token)
	}
	if err != nil {
		return nil, fmt.Errorf("signin: trying Config.Key: %w", err)
	}
	return t, nil
}

func keyName(i int) string {
	if i == 0 {
		return "Config.Key"
	}
	return fmt.Sprintf("Config.OtherKeys[%d]", i-1)
}

func newVerificationKey(public crypto.PublicKey) (verificationKey, error) {
	j, err := newJWK(public)
	if err != nil {
		return verificationKey{}, err
	}
	header, err := json.Marshal(struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
		Type      string `json:"typ"`
	}{j.Algorithm, j.KeyID, tokenType})
	if err != nil {
		return verificationKey{}, err
	}
	algorithm := jwa.SignatureAlgorithm(j.Algorithm)
	verifier, err := jws.NewVerifier(algorithm)
	if err != nil {
		return verificationKey{}, fmt.Errorf("no verifier for %s: %v", algorithm, err)
	}
	return verificationKey{
		algorithm: algorithm,
		public:    public,
		verifier:  verifier,
		jwk:       j,
		header:    base64.RawURLEncoding.EncodeToString(header) + ".",
	}, nil
}

// sign writes the header that open asks for. The JOSE library gets what is signed
// and the key, and no more.
func (t *keyring) sign(payload []byte) (string, error) {
	header := t.keys[0].header
	size := len(header) + base64.RawURLEncoding.EncodedLen(len(payload)) + 1 + base64.RawURLEncoding.EncodedLen(signatureSize)
	signed := append(make([]byte, 0, size), header...)
	signed = base64.RawURLEncoding.AppendEncode(signed, payload)
	signature, err := t.jws.Sign(signed, t.signer)
	if err != nil {
		return "", fmt.Errorf("signing a token: %v", err)
	}
	return string(base64.RawURLEncoding.AppendEncode(append(signed, '.'), signature)), nil
}

// open returns the payload of a token that one of our keys has signed. Of all
// headers there could be, with other algorithms, keys of the sender, crit or
// repeated members, the only ones accepted are those we write, byte for byte. So
// nothing that the sender writes there is ever parsed, and the JOSE library gets
// no more than what is signed, the signature and the key.
func (t *keyring) open(token string) ([]byte, error) {
	signed, payload, signature, err := splitCompact(token)
	if err != nil {
		return nil, &Error{Reason: ReasonTokenForm, Err: err}
	}
	for i := range t.keys {
		key := &t.keys[i]
		if !strings.HasPrefix(token, key.header) {
			continue
		}
		if err := key.verifier.Verify([]byte(signed), signature, key.public); err != nil {
			return nil, refuse(ReasonTokenSignature, "signature by key %s does not verify: %v", key.jwk.KeyID, err)
		}
		return payload, nil
	}
	return nil, refuse(ReasonTokenHeader, "header is not the one of any of our keys")
}

// splitCompact takes three parts in base64url without padding apart, each written
// in the one way there is (RFC 7515, Section 7.1): what is signed, as it stands,
// and of it the payload, and the signature. It refuses JSON serialization, JWE,
// and the line breaks and padding that decoders forgive.
func splitCompact(token string) (signed string, payload, signature []byte, err error) {
	if len(token) > MaxToken {
		return "", nil, nil, fmt.Errorf("longer than %d bytes", MaxToken)
	}
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 {
		return "", nil, nil, errors.New("not three parts")
	}
	var decoded [3][]byte
	for i, part := range parts {
		if part == "" || strings.ContainsAny(part, "\r\n") {
			return "", nil, nil, errors.New("a part is empty or broken")
		}
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return "", nil, nil, errors.New("a part is not base64url")
		}
	}
	return token[:len(parts[0])+1+len(parts[1])], decoded[1], decoded[2], nil
}
