package signin_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/signin"
)

func newEd25519(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func published(t testing.TB, auth *signin.Authenticator) string {
	t.Helper()
	rec := httptest.NewRecorder()
	auth.PublicKeys().ServeHTTP(rec, httptest.NewRequest("GET", "/keys", nil))
	if rec.Code != 200 || rec.Header().Get("Content-Type") != "application/jwk-set+json" {
		t.Errorf("got %d, %s", rec.Code, rec.Header().Get("Content-Type"))
	}
	return rec.Body.String()
}

// A service goes from one key to the next, of another algorithm, without anyone
// being signed out, and the old key is worth nothing once it is left out.
func TestKeyRotation(t *testing.T) {
	before, after := crypto.Signer(testbed.Key(t)), crypto.Signer(newEd25519(t))
	store := &signin.MemoryStore{}
	w := newWorld(t, func(cfg *signin.Config) { cfg.Key, cfg.Sessions = before, store })
	store.Now = w.clock.Now
	b := w.browser(t)
	b.signIn(w.card)
	old := b.cookies[sessionCookie]
	for _, step := range []struct {
		name   string
		key    crypto.Signer
		others []crypto.PublicKey
		oldOK  bool
	}{
		{"announced", before, []crypto.PublicKey{after.Public()}, true},
		{"turned", after, []crypto.PublicKey{before.Public()}, true},
		{"withdrawn", after, nil, false},
	} {
		cfg := w.cfg
		cfg.Key, cfg.OtherKeys = step.key, step.others
		_, b.site = w.newSite(t, cfg)
		b.cookies[sessionCookie] = old
		if got := b.account() != ""; got != step.oldOK {
			t.Errorf("%s: old token accepted %v, want %v", step.name, got, step.oldOK)
		}
		if !step.oldOK && w.log.reason() != signin.ReasonTokenHeader {
			t.Errorf("%s: operator is told %s", step.name, w.log.reason())
		}
		fresh := w.browser(t)
		fresh.site = b.site
		fresh.signIn(w.card)
		if fresh.account() == "" {
			t.Errorf("%s: new token refused", step.name)
		}
	}

	// A renewal is signed by the key of the day.
	cfg := w.cfg
	cfg.Key, cfg.OtherKeys = after, []crypto.PublicKey{before.Public()}
	_, b.site = w.newSite(t, cfg)
	b.cookies[sessionCookie] = old
	w.clock.Advance(signin.MaxTokenLife / 2)
	b.accepted(b.do("GET", "/account", nil))
	if header := string(unb64(t, strings.Split(b.cookies[sessionCookie], ".")[0])); !strings.Contains(header, `"alg":"EdDSA"`) {
		t.Errorf("got header %s, want EdDSA", header)
	}
}

// Keys take no token of each other's algorithm, and none of each other.
func TestKeysApart(t *testing.T) {
	ed := newEd25519(t)
	w := newWorld(t, func(cfg *signin.Config) { cfg.OtherKeys = []crypto.PublicKey{ed.Public()} })
	b := w.browser(t)
	b.signIn(w.card)
	token := b.cookies[sessionCookie]
	cfg := w.cfg
	cfg.Key, cfg.OtherKeys = ed, nil
	_, b.site = w.newSite(t, cfg)
	b.signIn(w.card)
	b.site = w.site
	parts, other := strings.Split(token, "."), strings.Split(b.cookies[sessionCookie], ".")
	b.accepted(b.do("GET", "/account", nil))
	for _, swapped := range [][]string{
		{parts[0], other[1], other[2]}, {other[0], parts[1], parts[2]},
		{parts[0], parts[1], other[2]}, {other[0], other[1], parts[2]},
	} {
		b.cookies[sessionCookie] = strings.Join(swapped, ".")
		w.refused(t, b.do("GET", "/account", nil), signin.CodeSession, signin.ReasonTokenSignature)
	}
}

// T07, publication: what is served is public, whatever the service holds, and as
// another implementation reads it.
func attackPublication(t *testing.T, w *world, ed ed25519.PrivateKey) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.PublicKey{
		"secret": []byte(strings.Repeat("k", 32)), "text": "k", "nil": nil, "typed nil": (*ecdsa.PublicKey)(nil),
		"private": testbed.Key(t), "private Ed25519": ed, "P-384": &p384.PublicKey, "by value": testbed.Key(t).PublicKey,
		"RSA": w.card.Key.(*rsa.PrivateKey).Public(), "RSA private": w.card.Key, "short": ed25519.PublicKey(ed[:31]),
		"the signer's": w.key.Public(),
	} {
		cfg := w.cfg
		cfg.OtherKeys = []crypto.PublicKey{key}
		if _, err := signin.New(cfg); err == nil {
			t.Errorf("key %s was accepted for publication", name)
		}
	}
	cfg := w.cfg
	cfg.OtherKeys = []crypto.PublicKey{ed.Public(), testbed.Key(t).Public()}
	auth, _ := w.newSite(t, cfg)
	text := published(t, auth)
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal([]byte(text), &set); err != nil || len(set.Keys) != 3 {
		t.Fatalf("got %s, want three keys", text)
	}
	for _, key := range set.Keys {
		for member := range key {
			if !slices.Contains([]string{"alg", "crv", "kid", "kty", "use", "x", "y"}, member) {
				t.Errorf("member %q is published", member)
			}
		}
	}
	d, err := w.key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{`"oct"`, b64(d), b64(ed.Seed()), b64(ed)} {
		if strings.Contains(text, secret) {
			t.Error("a secret is published")
		}
	}
	theirs, err := jwk.ParseString(text)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range append([]crypto.PublicKey{w.key.Public()}, cfg.OtherKeys...) {
		key, _ := theirs.Key(i)
		var got any
		if err := key.Raw(&got); err != nil {
			t.Fatal(err)
		}
		if !want.(interface{ Equal(crypto.PublicKey) bool }).Equal(got) {
			t.Errorf("key %d is not the one configured", i)
		}
		kid := key.KeyID()
		if err := jwk.AssignKeyID(key); err != nil || key.KeyID() != kid {
			t.Errorf("got kid %s, want thumbprint %s (%v)", kid, key.KeyID(), err)
		}
	}
	rec := httptest.NewRecorder()
	auth.PublicKeys().ServeHTTP(rec, httptest.NewRequest("POST", "/keys", nil))
	if rec.Code != 405 {
		t.Errorf("POST: got %d, want 405", rec.Code)
	}
}

// T12: key sets that are too large, or hold something else than public keys.
func attackKeySet(t *testing.T) {
	ed := newEd25519(t)
	w := newWorld(t, func(cfg *signin.Config) { cfg.OtherKeys = []crypto.PublicKey{ed.Public()} })
	text := published(t, w.auth)
	keys, err := signin.ParseKeySet([]byte(text))
	if err != nil || len(keys) != 2 || !w.key.PublicKey.Equal(keys[0]) || !ed.Public().(ed25519.PublicKey).Equal(keys[1]) {
		t.Fatalf("got %v, %v, want the keys that are published", keys, err)
	}
	one := text[len(`{"keys":[`) : strings.Index(text, "}")+1]
	set := func(n int) string { return `{"keys":[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]}` }
	if _, err := signin.ParseKeySet([]byte(set(signin.MaxKeys))); err != nil {
		t.Errorf("%d keys: %v", signin.MaxKeys, err)
	}
	x := strings.Split(strings.Split(one, `"x":"`)[1], `"`)[0]
	for name, bad := range map[string]string{
		"10,000 keys":       set(10_000),
		"one too many":      set(signin.MaxKeys + 1),
		"100 MB":            text + strings.Repeat(" ", 100<<20),
		"no keys":           `{"keys":[]}`,
		"null":              "null",
		"empty":             "",
		"cut short":         text[:len(text)-1],
		"two sets":          text + text,
		"a key":             one,
		"deep":              strings.Repeat(`{"keys":[`, 5_000),
		"private member":    replace(t, set(1), `"use"`, fmt.Sprintf(`"d":%q,"use"`, x)),
		"other member":      replace(t, set(1), `"use"`, `"x5u":"https://evil.example","use"`),
		"secret":            `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`,
		"RSA":               `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`,
		"other algorithm":   replace(t, set(1), "ES256", "HS256"),
		"no algorithm":      replace(t, set(1), `"alg":"ES256",`, ""),
		"other kid":         replace(t, set(1), `"kid":"`, `"kid":"A`),
		"for encryption":    replace(t, set(1), `"sig"`, `"enc"`),
		"other curve":       replace(t, set(1), "P-256", "P-384"),
		"not on the curve":  replace(t, set(1), x, challenge),
		"padded":            replace(t, set(1), x, x+"="),
		"short coordinate":  replace(t, set(1), x, x[:40]),
		"coordinate absent": replace(t, set(1), `"x":"`+x+`"`, `"x":""`),
	} {
		if got, err := signin.ParseKeySet([]byte(bad)); err == nil || got != nil {
			t.Errorf("%s: got %v, want an error", name, got)
		}
	}
}

func FuzzParseKeySet(f *testing.F) {
	w := newWorld(f, func(cfg *signin.Config) { cfg.OtherKeys = []crypto.PublicKey{newEd25519(f).Public()} })
	f.Add([]byte(published(f, w.auth)))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := signin.ParseKeySet(data)
		if (err == nil) != (len(keys) > 0) {
			t.Errorf("got %v, %v, want keys or an error", keys, err)
		}
		for _, key := range keys {
			switch key.(type) {
			case *ecdsa.PublicKey, ed25519.PublicKey:
			default:
				t.Errorf("got a %T, want a public key", key)
			}
		}
	})
}
