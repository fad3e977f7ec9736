package evidence_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// sealKeys are keys of services, of each kind.
func sealKeys(t testing.TB) []crypto.Signer {
	t.Helper()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return []crypto.Signer{p256, ed, rsa2048}
}

func TestKeySeal(t *testing.T) {
	w := newWorld(t)
	record := func(content string) *evidence.File {
		return ask(t, w.recorder(t), evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, content, nil)}, nil, "")
	}
	keys := sealKeys(t)
	other := record("another filing")
	for i, key := range keys {
		f := record("a filing")
		if err := f.CheckKey(key.Public()); !errors.Is(err, evidence.ErrNotSealed) {
			t.Errorf("%T: before: got %v", key, err)
		}
		if err := f.SealWith(key); err != nil {
			t.Fatal(err)
		}
		f = reread(t, f)
		if err := f.CheckKey(key.Public()); err != nil {
			t.Errorf("%T: %v", key, err)
		}
		if err := f.CheckKey(keys[(i+1)%len(keys)].Public()); !errors.Is(err, evidence.ErrNotSealed) {
			t.Errorf("%T: by another key: got %v", key, err)
		}
		moved := *other
		moved.Seals = f.Seals
		if err := moved.CheckKey(key.Public()); !errors.Is(err, evidence.ErrNotSealed) {
			t.Errorf("%T: seal of another record: got %v", key, err)
		}
		seal := f.Seals[0].Data
		if bytes.Count(seal, []byte(".")) != 2 {
			t.Errorf("%T: %s is not a JWS in compact serialization", key, seal)
		}
		for j := range seal {
			changed := *f
			changed.Seals = []evidence.Seal{{Kind: evidence.SealKey, Data: bytes.Clone(seal)}}
			changed.Seals[0].Data[j] ^= 1
			if err := changed.CheckKey(key.Public()); err == nil {
				t.Fatalf("%T: byte %d of the seal changed, and it counts", key, j)
			}
		}
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.SealWith(p384); err == nil || !strings.Contains(err.Error(), "P-256") {
		t.Errorf("P-384: got %v", err)
	}
}

func TestTimestampSeal(t *testing.T) {
	w := newWorld(t)
	v := w.verifier(t, nil)
	f := ask(t, w.recorder(t), evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", nil)}, nil, "")
	if _, err := f.CheckTimestamps(t.Context(), v, nil); !errors.Is(err, evidence.ErrNotSealed) {
		t.Errorf("before: got %v", err)
	}
	stamp := func(data []byte) []byte {
		token, err := w.tsa.Timestamp(data, &pkitest.TimestampOptions{Time: noon()})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	f.AddTimestamp(stamp([]byte("something else")))
	if _, err := f.CheckTimestamps(t.Context(), v, nil); !errors.Is(err, evidence.ErrNotSealed) || !strings.Contains(err.Error(), string(verify.ReasonDigestMismatch)) {
		t.Errorf("of something else: got %v", err)
	}
	f.AddTimestamp(stamp(f.Bytes()))
	f = reread(t, f)
	good, err := f.CheckTimestamps(t.Context(), v, nil)
	if err != nil || len(good) != 1 || !good[0].Time.Equal(noon()) || good[0].Latest().Sub(noon()) > time.Minute {
		t.Errorf("got %v, %v, want one of noon", good, err)
	}
	blind := w.verifier(t, func(cfg *verify.Config) { cfg.Timestamping = nil })
	if _, err := f.CheckTimestamps(t.Context(), blind, nil); !errors.Is(err, evidence.ErrNotSealed) {
		t.Errorf("without anchors of authorities: got %v", err)
	}
	w.tsa.Issuer.Revoke(w.tsa.Cert, noon(), pkitest.ReasonKeyCompromise)
	fresh := w.verifier(t, nil)
	if _, err := f.CheckTimestamps(t.Context(), fresh, nil); !errors.Is(err, evidence.ErrNotSealed) {
		t.Errorf("of an authority that was revoked: got %v", err)
	}
}
