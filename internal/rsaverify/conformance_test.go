package rsaverify

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/internal/outside"
)

type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// The RSA vectors of Wycheproof get their verdicts from the arithmetic of this
// package, also those of 2048 bits, which are left to crypto/rsa unless a key is used
// often.
func TestWycheproof(t *testing.T) {
	files, err := filepath.Glob(outside.Conformance(t, "wycheproof", "rsa_*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors found (%v)", err)
	}
	hashes := map[string]crypto.Hash{"SHA-1": crypto.SHA1, "SHA-224": crypto.SHA224, "SHA-256": crypto.SHA256}
	ran, unreadable := 0, 0
	for _, file := range files {
		var vectors struct {
			TestGroups []struct {
				Type       string
				Key        hexBytes `json:"publicKeyDer"`
				SHA        string
				SaltLength int `json:"sLen"`
				Tests      []struct {
					ID       int `json:"tcId"`
					Msg, Sig hexBytes
					Result   string
				}
			} `json:"testGroups"`
		}
		outside.ReadJSON(t, &vectors, "wycheproof", filepath.Base(file))
		for _, g := range vectors.TestGroups {
			parsed, err := x509.ParsePKIXPublicKey(g.Key)
			public, ok := parsed.(*rsa.PublicKey)
			if err != nil || !ok {
				unreadable += len(g.Tests) // id-RSASSA-PSS keys, which crypto/x509 does not read
				continue
			}
			frequent := NewFrequentKey(public)
			for _, v := range g.Tests {
				ran++
				h := hashes[g.SHA].New()
				h.Write(v.Msg)
				verified := frequent.VerifyPKCS1v15(hashes[g.SHA], h.Sum(nil), v.Sig) == nil
				if g.Type != "RsassaPkcs1Verify" {
					verified = frequent.VerifyPSS(hashes[g.SHA], h.Sum(nil), v.Sig, g.SaltLength) == nil
				}
				if want := v.Result == "valid"; verified != want {
					t.Errorf("%s, vector %d, for frequent use: got verified %v, want %v", filepath.Base(file), v.ID, verified, want)
				}
				for _, form := range []*montgomery{nil, newMontgomery(public.N)} {
					got := false
					if g.Type == "RsassaPkcs1Verify" {
						got = computePKCS1v15(public, form, hashes[g.SHA], h.Sum(nil), v.Sig)
					} else {
						got = computePSS(public, form, hashes[g.SHA], h.Sum(nil), v.Sig, g.SaltLength)
					}
					if want := v.Result == "valid"; got != want {
						t.Errorf("%s, vector %d, prepared %v: got verified %v, want %v", filepath.Base(file), v.ID, form != nil, got, want)
					}
				}
			}
		}
	}
	if ran == 0 {
		t.Error("no vector ran")
	}
	t.Logf("%d vectors ran; %d have keys of type id-RSASSA-PSS, which crypto/x509 does not read", ran, unreadable)
}
