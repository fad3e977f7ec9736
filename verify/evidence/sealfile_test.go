package evidence_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// Seals over something that is no record, in a file of their own: each byte of it
// counts, and each seal is over that and nothing else.
func TestSealFile(t *testing.T) {
	w := newWorld(t)
	v := w.verifier(t, nil)
	manifest, other := []byte("a manifest\n"), []byte("another manifest\n")
	token, err := w.tsa.Timestamp(manifest, &pkitest.TimestampOptions{Time: noon()})
	if err != nil {
		t.Fatal(err)
	}
	want := []evidence.Seal{evidence.NewTimestampSeal(token)}
	keys := sealKeys(t)
	for _, key := range keys {
		seal, err := evidence.NewKeySeal(manifest, key)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, seal)
	}
	data, err := evidence.EncodeSeals(want)
	if err != nil {
		t.Fatal(err)
	}
	seals, err := evidence.ParseSeals(data)
	if err != nil || len(seals) != len(want) {
		t.Fatalf("got %d seals, %v, want %d", len(seals), err, len(want))
	}
	if stamp, err := seals[0].CheckTimestamp(t.Context(), manifest, v, nil); err != nil || !stamp.Time.Equal(noon()) {
		t.Errorf("time-stamp: got %v, %v", stamp, err)
	}
	_, err = seals[0].CheckTimestamp(t.Context(), other, v, nil)
	if refused, ok := errors.AsType[*verify.Error](err); !ok || refused.Reason != verify.ReasonDigestMismatch {
		t.Errorf("time-stamp over another: got %v, want %s", err, verify.ReasonDigestMismatch)
	}
	for i, key := range keys {
		seal := &seals[i+1]
		if err := seal.CheckKey(manifest, key.Public()); err != nil {
			t.Errorf("%T: %v", key, err)
		}
		if err := seal.CheckKey(other, key.Public()); !errors.Is(err, evidence.ErrNotSealed) {
			t.Errorf("%T over another: got %v", key, err)
		}
		if err := seals[0].CheckKey(manifest, key.Public()); !errors.Is(err, evidence.ErrNotSealed) {
			t.Errorf("%T, of a time-stamp: got %v", key, err)
		}
		if _, err := seal.CheckTimestamp(t.Context(), manifest, v, nil); !errors.Is(err, evidence.ErrNotSealed) {
			t.Errorf("%T, as a time-stamp: got %v", key, err)
		}
	}

	for i := range data {
		data[i] ^= 1
		_, err := evidence.ParseSeals(data)
		data[i] ^= 1
		damage, ok := errors.AsType[*evidence.DamageError](err)
		if start := int64(bytes.LastIndexByte(data[:i], '\n') + 1); !ok || damage.Part != "seal" || damage.Offset != start {
			t.Fatalf("byte %d flipped: got %v, want the seal at %d", i, err, start)
		}
	}
	for name, spoilt := range map[string][]byte{
		"empty": nil, "no line feed": data[:len(data)-1], "an empty line": append(bytes.Clone(data), '\n'), "half a line more": append(bytes.Clone(data), "{"...),
		"another kind": []byte(strings.Replace(string(data), `"jws"`, `"jwt"`, 1)), "upper case": bytes.ToUpper(data),
	} {
		if _, err := evidence.ParseSeals(spoilt); err == nil {
			t.Errorf("%s: is accepted", name)
		} else if _, ok := errors.AsType[*evidence.DamageError](err); !ok {
			t.Errorf("%s: got %v, want a DamageError", name, err)
		}
	}
}

// What is read as seals is written again as it was, and else it is damaged.
func FuzzParseSeals(f *testing.F) {
	seals, err := evidence.EncodeSeals([]evidence.Seal{evidence.NewTimestampSeal([]byte("a token")), evidence.NewTimestampSeal(nil)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seals)
	f.Add(seals[:len(seals)-1])
	f.Add([]byte(`{"kind":"jws","sha256":"","data":null}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		seals, err := evidence.ParseSeals(data)
		if err != nil {
			if _, ok := errors.AsType[*evidence.DamageError](err); !ok || seals != nil {
				t.Fatalf("got %d seals, and %T, want a *DamageError", len(seals), err)
			}
			return
		}
		if again, err := evidence.EncodeSeals(seals); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q is written %q (%v)", data, again, err)
		}
	})
}
