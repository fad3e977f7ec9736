package evidence

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"

	"github.com/citizencert/citizencert/verify"
)

// A Seal says who has seen something, or when it was there: the bytes of a record,
// whose SHA-256 is [File.Hash], or a manifest of package batch.
type Seal struct {
	Kind   SealKind `json:"kind"`
	SHA256 Hash     `json:"sha256"` // of Data
	Data   []byte   `json:"data"`
}

// A SealKind says what a Seal is.
type SealKind string

// The kinds of seals: a TimeStampToken (RFC 3161) whose messageImprint is a digest
// of what is sealed; a JWS in compact serialization (RFC 7515) by the service's key.
const (
	SealTimestamp SealKind = "timestamp"
	SealKey       SealKind = "jws"
)

// intact reports whether a seal is what was written, whatever it is worth.
func (s *Seal) intact() bool {
	return (s.Kind == SealTimestamp || s.Kind == SealKey) && HashOf(s.Data) == s.SHA256
}

func newSeal(kind SealKind, data []byte) Seal { return Seal{kind, HashOf(data), data} }

// NewTimestampSeal makes a seal of a time-stamp token over data, which a request with
// a digest of data as messageImprint has brought. What it proves is for CheckTimestamp.
func NewTimestampSeal(token []byte) Seal { return newSeal(SealTimestamp, bytes.Clone(token)) }

// sealType is the typ of a JWS, so that it cannot pass for another of that key's.
const sealType = "citizencert-evidence-seal"

// NewKeySeal signs data by a key of the service: RSA of 2048 bits or more (PS256),
// ECDSA on P-256 (ES256), or Ed25519 (EdDSA). The payload of the JWS is the SHA-256 of
// data in hexadecimal digits, and its header
//
//	{"alg":"ES256","typ":"citizencert-evidence-seal"}
//
// with the algorithm that belongs to the key, and nothing else.
func NewKeySeal(data []byte, key crypto.Signer) (Seal, error) {
	input, alg, err := signingInput(data, key.Public())
	if err != nil {
		return Seal{}, err
	}
	signature, err := alg.sign(key, input)
	if err != nil {
		return Seal{}, fmt.Errorf("evidence: sealing: %w", err)
	}
	jws := append(input, '.')
	return newSeal(SealKey, base64.RawURLEncoding.AppendEncode(jws, signature)), nil
}

// ErrNotSealed is wrapped by the error about what has no seal that counts.
var ErrNotSealed = errors.New("evidence: not sealed")

// CheckKey checks that the seal is a signature over data by a key. The key decides the
// algorithm: nothing that the seal says of itself is believed. The error wraps
// ErrNotSealed, unless the key is none that seals.
func (s *Seal) CheckKey(data []byte, key crypto.PublicKey) error {
	input, alg, err := signingInput(data, key)
	if err != nil {
		return err
	}
	body, ok := bytes.CutPrefix(s.Data, append(bytes.Clone(input), '.'))
	if s.Kind == SealKey && ok {
		signature, err := base64.RawURLEncoding.Strict().DecodeString(string(body))
		if err == nil && alg.verify(key, input, signature) {
			return nil
		}
	}
	return fmt.Errorf("%w by this key", ErrNotSealed)
}

// CheckTimestamp checks that the seal is a time-stamp token over data, by a Verifier that
// has [verify.Config].Timestamping. The error is that of [verify.Verifier.Timestamp], or
// wraps ErrNotSealed of a seal of another kind.
func (s *Seal) CheckTimestamp(ctx context.Context, data []byte, v *verify.Verifier, opts *verify.Options) (*verify.Timestamp, error) {
	if s.Kind != SealTimestamp {
		return nil, fmt.Errorf("%w by a time-stamp", ErrNotSealed)
	}
	return v.Timestamp(ctx, s.Data, data, opts)
}

// AddTimestamp adds a time-stamp token over [File.Bytes]: see [NewTimestampSeal].
func (f *File) AddTimestamp(token []byte) { f.Seals = append(f.Seals, NewTimestampSeal(token)) }

// SealWith adds a signature over [File.Bytes] by a key of the service: see [NewKeySeal].
func (f *File) SealWith(key crypto.Signer) error {
	seal, err := NewKeySeal(f.record, key)
	if err == nil {
		f.Seals = append(f.Seals, seal)
	}
	return err
}

// CheckKey checks that the file is sealed by a key: that one of its seals is, as
// [Seal.CheckKey] has it.
func (f *File) CheckKey(key crypto.PublicKey) error {
	if _, err := algorithmOf(key); err != nil {
		return err
	}
	for i := range f.Seals {
		if f.Seals[i].CheckKey(f.record, key) == nil {
			return nil
		}
	}
	return fmt.Errorf("%w by this key", ErrNotSealed)
}

// CheckTimestamps returns the time-stamp tokens that prove when the record existed, as
// [Seal.CheckTimestamp] has it. The error wraps ErrNotSealed if none does, and what is
// wrong with each.
func (f *File) CheckTimestamps(ctx context.Context, v *verify.Verifier, opts *verify.Options) ([]*verify.Timestamp, error) {
	var good []*verify.Timestamp
	errs := []error{fmt.Errorf("%w by a time-stamp", ErrNotSealed)}
	for i := range f.Seals {
		if f.Seals[i].Kind != SealTimestamp {
			continue
		}
		token, err := f.Seals[i].CheckTimestamp(ctx, f.record, v, opts)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		good = append(good, token)
	}
	if len(good) == 0 {
		return nil, errors.Join(errs...)
	}
	return good, nil
}

// signingInput returns header and payload of the JWS over data by a key (RFC 7515,
// Section 5.1).
func signingInput(data []byte, key crypto.PublicKey) ([]byte, sealAlgorithm, error) {
	alg, err := algorithmOf(key)
	if err != nil {
		return nil, "", err
	}
	header := fmt.Appendf(nil, `{"alg":%q,"typ":%q}`, alg, sealType)
	input := base64.RawURLEncoding.AppendEncode(nil, header)
	input = append(input, '.')
	return base64.RawURLEncoding.AppendEncode(input, []byte(HashOf(data).String())), alg, nil
}

// A sealAlgorithm is one of RFC 7518, Section 3.1, or RFC 8037.
type sealAlgorithm string

const (
	ps256 sealAlgorithm = "PS256"
	es256 sealAlgorithm = "ES256"
	eddsa sealAlgorithm = "EdDSA"
)

func algorithmOf(key crypto.PublicKey) (sealAlgorithm, error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() >= 2048 {
			return ps256, nil
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return es256, nil
		}
	case ed25519.PublicKey:
		return eddsa, nil
	}
	return "", fmt.Errorf("evidence: key of type %T does not seal: want RSA of 2048 bits or more, P-256 or Ed25519", key)
}

var pssOptions = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}

const es256Half = 32

func (alg sealAlgorithm) sign(key crypto.Signer, input []byte) ([]byte, error) {
	sum := HashOf(input)
	switch alg {
	case ps256:
		return key.Sign(rand.Reader, sum[:], pssOptions)
	case eddsa:
		return key.Sign(rand.Reader, input, crypto.Hash(0))
	}
	der, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 {
		return nil, errors.New("the key has not made an ECDSA signature")
	}
	signature := make([]byte, 2*es256Half)
	if pair.R.BitLen() > 8*es256Half || pair.S.BitLen() > 8*es256Half || pair.R.Sign() <= 0 || pair.S.Sign() <= 0 {
		return nil, errors.New("the key has not made a signature on P-256")
	}
	pair.R.FillBytes(signature[:es256Half])
	pair.S.FillBytes(signature[es256Half:])
	return signature, nil
}

func (alg sealAlgorithm) verify(key crypto.PublicKey, input, signature []byte) bool {
	sum := HashOf(input)
	switch alg {
	case ps256:
		return rsa.VerifyPSS(key.(*rsa.PublicKey), crypto.SHA256, sum[:], signature, pssOptions) == nil
	case eddsa:
		return ed25519.Verify(key.(ed25519.PublicKey), input, signature)
	}
	if len(signature) != 2*es256Half {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:es256Half]), new(big.Int).SetBytes(signature[es256Half:])
	return ecdsa.Verify(key.(*ecdsa.PublicKey), sum[:], r, s)
}
