package signin_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

func attackOtherAudience(t *testing.T) {
	f := newForger(t)
	for reason, change := range map[signin.Reason]func(*signin.Config){
		signin.ReasonNoSession: func(cfg *signin.Config) { cfg.Service = "payroll" }, // its cookie has another name
		signin.ReasonTokenEnvironment: func(cfg *signin.Config) {
			cfg.Verifier = f.verifier(t, verify.Production)
		},
		signin.ReasonTokenHeader: func(cfg *signin.Config) { cfg.Key = testbed.Key(t) },
		signin.ReasonTokenIssuer: func(cfg *signin.Config) { cfg.Origins = []string{"https://www.example.gov.tw"} },
	} {
		cfg := f.cfg
		change(&cfg)
		_, site := f.newSite(t, cfg)
		b := &browser{t: t, site: site, host: strings.TrimPrefix(cfg.Origins[0], "https://"), cookies: map[string]string{sessionCookie: f.token}}
		f.world.refused(t, b.do("GET", "/account", nil), signin.CodeSession, reason)
	}
	f.refused(f.forge(f.header, replace(t, f.payload, `"aud":"efiling"`, `"aud":"payroll"`)), signin.ReasonTokenAudience)

	delete(f.b.cookies, sessionCookie)
	f.b.header.Set("Authorization", "Bearer "+f.token)
	f.world.refused(t, f.b.do("GET", "/account", nil), signin.CodeSession, signin.ReasonNoSession)
	f.b.header.Set("Cookie", sessionCookie+"="+f.token+"; "+sessionCookie+"="+f.token)
	f.world.refused(t, f.b.do("GET", "/account", nil), signin.CodeSession, signin.ReasonNoSession)
}

func attackAlgNone(t *testing.T) {
	f := newForger(t)
	for _, alg := range []string{`"alg":"none"`, `"alg":"None"`, `"alg":"nOnE"`, `"alg":""`, `"alg":null`, `"al":"ES256"`} {
		header := replace(t, f.header, `"alg":"ES256"`, alg)
		f.refused(f.forge(header, f.payload), signin.ReasonTokenHeader)
		f.refused(b64([]byte(header))+"."+b64([]byte(f.payload))+".", signin.ReasonTokenForm)
	}
	f.refused(f.token[:strings.LastIndex(f.token, ".")+1], signin.ReasonTokenForm)
	f.refused(f.token[:strings.LastIndex(f.token, ".")], signin.ReasonTokenForm)
}

func attackAlgConfusion(t *testing.T) {
	f := newForger(t)
	der, err := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	point, err := f.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := json.Marshal(map[string]string{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])})
	if err != nil {
		t.Fatal(err)
	}
	header := replace(t, f.header, "ES256", "HS256")
	input := b64([]byte(header)) + "." + b64([]byte(f.payload))
	for _, secret := range [][]byte{der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), jwk, point, nil} {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		f.refused(input+"."+b64(mac.Sum(nil)), signin.ReasonTokenHeader)
		// Under the right header the sum is just no signature.
		f.refused(f.token[:strings.LastIndex(f.token, ".")+1]+b64(mac.Sum(nil)), signin.ReasonTokenSignature)
	}
	for _, alg := range []string{"ES384", "ES512", "ES256K", "RS256", "PS256", "EdDSA", "es256", "ES256 "} {
		f.refused(f.forge(replace(t, f.header, "ES256", alg), f.payload), signin.ReasonTokenHeader)
	}
	sum := sha512.Sum384([]byte(f.token[:strings.LastIndex(f.token, ".")]))
	r, s, err := ecdsa.Sign(rand.Reader, f.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	f.refused(f.token[:strings.LastIndex(f.token, ".")+1]+b64(rs(r, s)), signin.ReasonTokenSignature)
}

func attackUnfitKey(t *testing.T) {
	w := newWorld(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{
		"none": nil, "P-384": p384, "short Ed25519": ed[:32], "RSA": w.card.Key.(*rsa.PrivateKey), "of another": mismatched{testbed.Key(t), testbed.Key(t)},
		"typed nil": (*ecdsa.PrivateKey)(nil), "empty": ed25519.PrivateKey(nil), "of another kind": mismatched{ed, testbed.Key(t)},
	} {
		cfg := w.cfg
		cfg.Key = key
		if _, err := signin.New(cfg); err == nil {
			t.Errorf("key %s was accepted", name)
		}
	}
	for _, key := range []crypto.Signer{opaque{w.key}, ed, opaque{ed}} { // opaque as one in an HSM
		cfg := w.cfg
		cfg.Key = key
		_, site := w.newSite(t, cfg)
		b := w.browser(t)
		b.site = site
		b.signIn(w.card)
		if b.account() == "" {
			t.Errorf("a token by %T was refused", key)
		}
	}
	attackPublication(t, w, ed)
}

// opaque hides the type of a key.
type opaque struct{ crypto.Signer }

// mismatched says that it is another key than it is.
type mismatched struct {
	crypto.Signer
	other crypto.Signer
}

func (m mismatched) Public() crypto.PublicKey { return m.other.Public() }

func attackRespelled(t *testing.T) {
	f := newForger(t)
	end := strings.LastIndex(f.token, ".")
	again := f.forge(f.header, f.payload) // another signature of the same claims
	f.accepted(again)
	f.b.cookies[sessionCookie] = f.token
	f.b.accepted(f.b.do("POST", "/signin/logout", nil))
	f.refused(f.token, signin.ReasonSessionEnded)
	f.refused(again, signin.ReasonSessionEnded)

	// s and n-s are both good: the two tokens are one session.
	sig := unb64(t, f.token[end+1:])
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	s.Sub(f.key.Params().N, s)
	f.refused(f.token[:end+1]+b64(rs(r, s)), signin.ReasonSessionEnded)

	// The same two numbers in more bytes than the algorithm has (RFC 7518, Section 3.4).
	for _, size := range []int{33, 64, 256} {
		longer := append(r.FillBytes(make([]byte, size)), new(big.Int).SetBytes(sig[32:]).FillBytes(make([]byte, size))...)
		f.refused(f.token[:end+1]+b64(longer), signin.ReasonTokenSignature)
	}

	f.refused(f.token+"=", signin.ReasonTokenForm)
	f.refused(f.token+"==", signin.ReasonTokenForm)
	f.refused(f.token[:end]+"=="+f.token[end:], signin.ReasonTokenForm)
	f.refused(f.token[:end+1]+base64.StdEncoding.EncodeToString(append(sig[:63:63], 0xff, 0xff)), signin.ReasonTokenForm)
	for last := range 4 { // 64 bytes end in a character with four unused bits
		spelled := f.token[:len(f.token)-1] + string("AQgw"[last])
		want := signin.ReasonTokenSignature
		if spelled == f.token {
			want = signin.ReasonSessionEnded
		}
		f.refused(spelled, want)
		f.refused(f.token[:len(f.token)-1]+string("BRhx"[last]), signin.ReasonTokenForm)
	}
	f.refused(fmt.Sprintf("%s.%s", f.token, "AA"), signin.ReasonTokenForm)
}
