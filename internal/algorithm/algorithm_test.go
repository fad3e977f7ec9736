package algorithm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/citizencert/citizencert/internal/der"
)

// rsaKey is a key of n bits that nobody has the private half of.
func rsaKey(n, e int) *rsa.PublicKey {
	modulus := new(big.Int).SetBit(big.NewInt(1), n-1, 1)
	return &rsa.PublicKey{N: modulus, E: e}
}

func TestPolicyKeys(t *testing.T) {
	even := rsaKey(2048, 65537)
	even.N.SetBit(even.N, 0, 0)
	for _, tt := range []struct {
		name           string
		key            crypto.PublicKey
		strict, legacy bool
	}{
		{"RSA-1023", rsaKey(1023, 65537), false, false},
		{"RSA-1024", rsaKey(1024, 65537), false, true},
		{"RSA-2047", rsaKey(2047, 65537), false, true},
		{"RSA-2048", rsaKey(2048, 65537), true, true},
		{"RSA-8192", rsaKey(8192, 65537), true, true},
		{"RSA-8193", rsaKey(8193, 65537), false, false},
		{"exponent 1", rsaKey(2048, 1), false, false},
		{"exponent 3", rsaKey(2048, 3), true, true},
		{"even exponent", rsaKey(2048, 65536), false, false},
		{"exponent 2^32-1", rsaKey(2048, 1<<32-1), true, true},
		{"exponent 2^32+1", rsaKey(2048, 1<<32+1), false, false},
		{"even modulus", even, false, false},
		{"P-224", &ecdsa.PublicKey{Curve: elliptic.P224()}, false, false},
		{"P-256", &ecdsa.PublicKey{Curve: elliptic.P256()}, true, true},
		{"P-384", &ecdsa.PublicKey{Curve: elliptic.P384()}, true, true},
		{"P-521", &ecdsa.PublicKey{Curve: elliptic.P521()}, true, true},
		{"Ed25519", ed25519.PublicKey(make([]byte, 32)), true, true},
		{"not supported", nil, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := (Policy{}).CheckKey(tt.key) == nil; got != tt.strict {
				t.Errorf("strict policy: got accepted %v, want %v", got, tt.strict)
			}
			if got := (Policy{InsecureAllowSHA1: true}).CheckKey(tt.key) == nil; got != tt.legacy {
				t.Errorf("with SHA-1: got accepted %v, want %v", got, tt.legacy)
			}
		})
	}
}

func TestPolicySignatures(t *testing.T) {
	key := rsaKey(2048, 65537)
	for _, tt := range []struct {
		name           string
		alg            Signature
		key            crypto.PublicKey
		strict, legacy bool
	}{
		{"SHA-256", Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA256}, key, true, true},
		{"SHA-1", Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA1}, key, false, true},
		{"MD5", Signature{Scheme: RSAPKCS1v15, Hash: crypto.MD5}, key, false, false},
		{"no hash", Signature{Scheme: RSAPKCS1v15}, key, false, false},
		{"ECDSA by an RSA key", Signature{Scheme: ECDSA, Hash: crypto.SHA256}, key, false, false},
		{"RSA by an EC key", Signature{Scheme: RSAPSS, Hash: crypto.SHA256}, &ecdsa.PublicKey{Curve: elliptic.P256()}, false, false},
		{"Ed25519", Signature{Scheme: Ed25519}, ed25519.PublicKey(make([]byte, 32)), true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Policy{}.CheckSignature(tt.alg, tt.key)
			if _, ok := errors.AsType[*Refusal](err); (err == nil) != tt.strict || err != nil && !ok {
				t.Errorf("strict policy: got %v, want accepted %v", err, tt.strict)
			}
			if got := (Policy{InsecureAllowSHA1: true}).CheckSignature(tt.alg, tt.key) == nil; got != tt.legacy {
				t.Errorf("with SHA-1: got accepted %v, want %v", got, tt.legacy)
			}
		})
	}
}

// A policy is asked about keys that would take minutes to compute with.
func BenchmarkPolicyDecoy(b *testing.B) {
	key := rsaKey(65536, 1<<31-1)
	alg := Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA256}
	b.ReportAllocs()
	for b.Loop() {
		if (Policy{}).CheckSignature(alg, key) == nil {
			b.Fatal("a decoy was accepted")
		}
	}
}

func identifier(t *testing.T, build func(*cryptobyte.Builder)) Identifier {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, build)
	doc, err := der.Strict(b.BytesOrPanic(), der.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	id, err := ParseIdentifier(doc.Root())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestIdentifiers(t *testing.T) {
	sha256WithRSA := []int{1, 2, 840, 113549, 1, 1, 11}
	with := func(oid []int, parameters []byte) Identifier {
		return identifier(t, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			b.AddBytes(parameters)
		})
	}
	for _, tt := range []struct {
		name string
		id   Identifier
		want bool
	}{
		{"NULL", with(sha256WithRSA, null), true},
		{"absent", with(sha256WithRSA, nil), true},
		{"another parameter", with(sha256WithRSA, []byte{2, 1, 0}), false},
		{"ECDSA", with([]int{1, 2, 840, 10045, 4, 3, 2}, nil), true},
		{"ECDSA with NULL", with([]int{1, 2, 840, 10045, 4, 3, 2}, null), false},
		{"Ed25519 with NULL", with([]int{1, 3, 101, 112}, null), false},
		{"RSA-PSS without parameters", with([]int{1, 2, 840, 113549, 1, 1, 10}, nil), false},
		{"RSA-PSS with NULL", with([]int{1, 2, 840, 113549, 1, 1, 10}, null), false},
		{"unknown", with([]int{1, 2, 3}, nil), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseSignature(tt.id)
			if (err == nil) != tt.want || err != nil && !errors.Is(err, ErrUnsupported) {
				t.Errorf("got %v, want accepted %v", err, tt.want)
			}
		})
	}
	if a, b := with(sha256WithRSA, null), with(sha256WithRSA, nil); !a.Equal(b) {
		t.Error("NULL and absent parameters are told apart")
	}
	if a, b := with(sha256WithRSA, null), with([]int{1, 2, 840, 113549, 1, 1, 12}, null); a.Equal(b) {
		t.Error("two algorithms are not told apart")
	}
}
