package algorithm

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/outside"
)

var hashes = map[string]crypto.Hash{
	"SHA-1": crypto.SHA1, "SHA-224": crypto.SHA224, "SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384, "SHA-512": crypto.SHA512,
}

// A group of Wycheproof vectors has one key.
type group struct {
	Type       string
	Key        hexBytes `json:"publicKeyDer"`
	SHA        string
	SaltLength int `json:"sLen"`
	Tests      []struct {
		ID     int `json:"tcId"`
		Msg    hexBytes
		Sig    hexBytes
		Result string
		Flags  []string
	}
}

type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

func (g *group) algorithm(t *testing.T) Signature {
	t.Helper()
	schemes := map[string]Scheme{"EcdsaVerify": ECDSA, "EddsaVerify": Ed25519, "RsassaPkcs1Verify": RSAPKCS1v15,
		"RsassaPssVerify": RSAPSS, "RsassaPssWithParametersVerify": RSAPSS}
	s := Signature{Scheme: schemes[g.Type], Hash: hashes[g.SHA], SaltLength: g.SaltLength}
	if s.Scheme == 0 {
		t.Fatalf("vectors of type %q", g.Type)
	}
	return s
}

// Every vector gets its verdict. What is merely acceptable there, a DigestInfo
// without NULL, is refused here.
func TestWycheproof(t *testing.T) {
	files, err := filepath.Glob(outside.Conformance(t, "wycheproof", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors found (%v)", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var vectors struct {
				TestGroups []group `json:"testGroups"`
			}
			outside.ReadJSON(t, &vectors, "wycheproof", filepath.Base(file))
			var run, skipped int
			for _, g := range vectors.TestGroups {
				if checkGroup(t, &g) {
					run += len(g.Tests)
				} else {
					skipped += len(g.Tests)
				}
			}
			t.Logf("%d vectors run, %d skipped", run, skipped)
		})
	}
}

// checkGroup reports whether the vectors of a group could be run.
func checkGroup(t *testing.T, g *group) bool {
	t.Helper()
	alg := g.algorithm(t)
	key, err := x509.ParsePKIXPublicKey(g.Key)
	if err != nil {
		// Keys of type id-RSASSA-PSS are not read by crypto/x509, so that no
		// certificate with one gets as far as a signature.
		if g.Type == "RsassaPssWithParametersVerify" {
			t.Logf("skipped: crypto/x509 does not read keys of type id-RSASSA-PSS")
			return false
		}
		t.Fatal(err)
	}
	for _, v := range g.Tests {
		want := v.Result == "valid"
		for _, key := range []crypto.PublicKey{key, Prepare(key)} {
			if got := alg.Verify(key, v.Msg, v.Sig) == nil; got != want {
				t.Errorf("vector %d %v under %T: got verified %v, want %v", v.ID, v.Flags, key, got, want)
			}
		}
	}
	return true
}

// Key type, algorithm identifier and parameters fit together, or are refused. What
// the suite leaves open, a key of type id-RSASSA-PSS, is refused with every other
// key that crypto/x509 does not read.
func TestSignedData(t *testing.T) {
	var suite struct {
		Cases []struct {
			ID        string
			Expect    string
			PublicKey []byte `json:"public_key"`
			Algorithm []byte
			Data      []byte
			Signature []byte
		}
	}
	outside.ReadJSON(t, &suite, "boringssl-signed-data", "cases.json")
	if len(suite.Cases) == 0 {
		t.Fatal("no cases found")
	}
	for _, c := range suite.Cases {
		t.Run(c.ID, func(t *testing.T) {
			err := verifyCase(c.PublicKey, c.Algorithm, c.Data, c.Signature)
			if want := c.Expect == "valid"; (err == nil) != want {
				t.Errorf("got error %v, want %s", err, c.Expect)
			}
		})
	}
	t.Logf("%d cases run, none skipped", len(suite.Cases))
}

func verifyCase(spki, identifier, data, signature []byte) error {
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return err
	}
	doc, err := der.Strict(identifier, der.Limits{})
	if err != nil {
		return err
	}
	id, err := ParseIdentifier(doc.Root())
	if err != nil {
		return err
	}
	alg, err := ParseSignature(id)
	if err != nil {
		return err
	}
	if err := (Policy{InsecureAllowSHA1: true}).CheckSignature(alg, key); err != nil {
		return err
	}
	if doc, err = der.Strict(signature, der.Limits{}); err != nil {
		return err
	}
	sig, unused, err := doc.Root().BitString()
	if err != nil {
		return err
	}
	if unused != 0 {
		return errors.New("signature has unused bits")
	}
	return alg.Verify(key, data, sig)
}
