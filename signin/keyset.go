package signin

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Bounds of a key set: more servers and rotations than a service has.
const (
	MaxKeySet = 64 << 10 // bytes
	MaxKeys   = 32
)

// A jwk is a public key as a JSON Web Key (RFC 7517; RFC 7518, Section 6.2; RFC
// 8037, Section 2). It has no member that could hold a private one.
type jwk struct {
	Algorithm string `json:"alg,omitempty"`
	Curve     string `json:"crv"`
	KeyID     string `json:"kid,omitempty"`
	Type      string `json:"kty"`
	Use       string `json:"use,omitempty"`
	X         string `json:"x"`
	Y         string `json:"y,omitempty"`
}

type keySet struct {
	Keys []jwk `json:"keys"`
}

// newJWK names the key by its thumbprint (RFC 7638, Section 3), which is taken
// over what stands here before the other members are set, in their order.
func newJWK(public crypto.PublicKey) (jwk, error) {
	var j jwk
	var algorithm string
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		if key == nil || key.Curve != elliptic.P256() {
			return jwk{}, errors.New("not an ECDSA key on P-256")
		}
		point, err := key.Bytes() // 04, x, y
		if err != nil {
			return jwk{}, err
		}
		algorithm, j = "ES256", jwk{Type: "EC", Curve: "P-256", X: base64url(point[1:33]), Y: base64url(point[33:])}
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			return jwk{}, fmt.Errorf("an Ed25519 key of %d bytes", len(key))
		}
		algorithm, j = "EdDSA", jwk{Type: "OKP", Curve: "Ed25519", X: base64url(key)}
	default:
		return jwk{}, fmt.Errorf("a %T, want an *ecdsa.PublicKey or an ed25519.PublicKey", public)
	}
	required, err := json.Marshal(j)
	if err != nil {
		return jwk{}, err
	}
	sum := sha256.Sum256(required)
	j.Algorithm, j.KeyID, j.Use = algorithm, base64url(sum[:]), "sig"
	return j, nil
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// public is the key that newJWK makes j of.
func (j jwk) public() (crypto.PublicKey, error) {
	x, err := base64.RawURLEncoding.Strict().DecodeString(j.X)
	if err != nil {
		return nil, errors.New("x is not base64url")
	}
	y, err := base64.RawURLEncoding.Strict().DecodeString(j.Y)
	if err != nil {
		return nil, errors.New("y is not base64url")
	}
	var public crypto.PublicKey
	switch j.Type {
	case "EC":
		if public, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...)); err != nil {
			return nil, errors.New("not a point of P-256")
		}
	case "OKP":
		public = ed25519.PublicKey(x)
	default:
		return nil, fmt.Errorf("kty %.20q is not EC or OKP", j.Type)
	}
	if canonical, err := newJWK(public); err != nil || canonical != j {
		return nil, errors.New("members are not those of the key")
	}
	return public, nil
}

// published is the key set as it is served.
func (t *keyring) published() []byte {
	set := keySet{Keys: make([]jwk, len(t.keys))}
	for i := range t.keys {
		set.Keys[i] = t.keys[i].jwk
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err) // never happens: all members are strings
	}
	return text
}

// PublicKeys serves the public keys of session tokens, Config.Key first, as a
// JSON Web Key Set (RFC 7517, Section 5), to GET and HEAD. It is made of public
// keys when the Authenticator is, and nothing else is in reach of it.
//
// A server of the same service accepts these keys as Config.OtherKeys. Others
// need not know them: session tokens are for this service alone.
func (a *Authenticator) PublicKeys() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		h.Set("Content-Type", "application/jwk-set+json")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "public, max-age=300")
		w.Write(a.keySet)
	})
}

// ParseKeySet reads a key set of the form that [Authenticator.PublicKeys]
// serves, for Config.OtherKeys. It refuses more than MaxKeySet bytes or MaxKeys
// keys, other kinds of keys, and members that it does not know, such as those of
// private keys.
//
// It takes bytes and no address on purpose: which keys are accepted is a matter
// of configuration. A server that fetched them could be given others by whoever
// stands between.
func ParseKeySet(data []byte) ([]crypto.PublicKey, error) {
	if len(data) > MaxKeySet {
		return nil, fmt.Errorf("signin: key set is larger than %d bytes", MaxKeySet)
	}
	var set keySet
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&set); err != nil {
		return nil, errors.New("signin: key set cannot be read as JSON of the expected form") // the cause may quote a key
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("signin: key set has more than one JSON value")
	}
	if len(set.Keys) == 0 || len(set.Keys) > MaxKeys {
		return nil, fmt.Errorf("signin: key set has %d keys, want 1 to %d", len(set.Keys), MaxKeys)
	}
	keys := make([]crypto.PublicKey, len(set.Keys))
	for i, j := range set.Keys {
		var err error
		if keys[i], err = j.public(); err != nil {
			return nil, fmt.Errorf("signin: key %d of the set: %w", i, err)
		}
	}
	return keys, nil
}
