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

// A Seal says who has seen a record, or when it was there: over the bytes of the
// record, whose SHA-256 is [File.Hash].
type Seal struct {
	Kind   SealKind `json:"kind"`
	SHA256 Hash     `json:"sha256"` // of Data
	Data   []byte   `json:"data"`
}

// A SealKind says what a Seal is.
type SealKind string

// The kinds of seals: a TimeStampToken (RFC 3161) whose messageImprint is a digest
// of the record; a JWS in compact serialization (RFC 7515) by the service's key.
const (
	SealTimestamp SealKind = "timestamp"
	SealKey       SealKind = "jws"
)

func (f *File) addSeal(kind SealKind, data []byte) {
	f.Seals = append(f.Seals, Seal{kind, HashOf(data), data})
}

// AddTimestamp adds a time-stamp token over [File.Bytes], which a request with
// [File.Hash] as messageImprint has brought. What it proves is for CheckTimestamps.
func (f *File) AddTimestamp(token []byte) { f.addSeal(SealTimestamp, bytes.Clone(token)) }

// sealType is the typ of a JWS, so that it cannot pass for another of that key's.
const sealType = "citizencert-evidence-seal"

// SealWith adds a signature by a key of the service: RSA of 2048 bits or more (PS256),
// ECDSA on P-256 (ES256), or Ed25519 (EdDSA). The payload of the JWS is the hash of
// the record in hexadecimal digits, and its header
//
//	{"alg":"ES256","typ":"citizencert-evidence-seal"}
//
// with the algorithm that belongs to the key, and nothing else.
func (f *File) SealWith(key crypto.Signer) error {
	input, alg, err := f.signingInput(key.Public())
	if err != nil {
		return err
	}
	signature, err := alg.sign(key, input)
	if err != nil {
		return fmt.Errorf("evidence: sealing: %w", err)
	}
	jws := append(input, '.')
	f.addSeal(SealKey, base64.RawURLEncoding.AppendEncode(jws, signature))
	return nil
}

// ErrNotSealed is wrapped by the error about a file without a seal that counts.
var ErrNotSealed = errors.New("evidence: not sealed")

// CheckKey checks that the file is sealed by a key. The key decides the algorithm:
// nothing that the seal says of itself is believed.
func (f *File) CheckKey(key crypto.PublicKey) error {
	input, alg, err := f.signingInput(key)
	if err != nil {
		return err
	}
	for _, s := range f.Seals {
		body, ok := bytes.CutPrefix(s.Data, append(bytes.Clone(input), '.'))
		if s.Kind != SealKey || !ok {
			continue
		}
		signature, err := base64.RawURLEncoding.Strict().DecodeString(string(body))
		if err == nil && alg.verify(key, input, signature) {
			return nil
		}
	}
	return fmt.Errorf("%w by this key", ErrNotSealed)
}

// CheckTimestamps returns the time-stamp tokens that prove when the record existed,
// judged by a Verifier that has [verify.Config].Timestamping. The error wraps
// ErrNotSealed if none does, and what is wrong with each.
func (f *File) CheckTimestamps(ctx context.Context, v *verify.Verifier, opts *verify.Options) ([]*verify.Timestamp, error) {
	var good []*verify.Timestamp
	errs := []error{fmt.Errorf("%w by a time-stamp", ErrNotSealed)}
	for _, s := range f.Seals {
		if s.Kind != SealTimestamp {
			continue
		}
		token, err := v.Timestamp(ctx, s.Data, f.record, opts)
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

// signingInput returns header and payload of the JWS by a key (RFC 7515, Section 5.1).
func (f *File) signingInput(key crypto.PublicKey) ([]byte, sealAlgorithm, error) {
	alg, err := algorithmOf(key)
	if err != nil {
		return nil, "", err
	}
	header := fmt.Appendf(nil, `{"alg":%q,"typ":%q}`, alg, sealType)
	input := base64.RawURLEncoding.AppendEncode(nil, header)
	input = append(input, '.')
	return base64.RawURLEncoding.AppendEncode(input, []byte(f.Hash().String())), alg, nil
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
