package signin_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// A citizen signs in with card and phone, in both forms of signature.
func TestCeremony(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name      string
		card      *pkitest.Card
		assurance signin.Assurance
	}{
		{"card", w.card, signin.AssuranceCard},
		{"phone", w.issue(t, w.G3.IssueMobile), signin.AssuranceMobile},
		{"older generation", w.issue(t, w.G2.IssueCard), signin.AssuranceCard},
	} {
		for _, kind := range []signin.SignatureType{signin.PKCS1, signin.PKCS7} {
			t.Run(tt.name+"/"+string(kind), func(t *testing.T) {
				b := w.browser(t)
				c := b.beginWith(kind)
				if want := "citizencert:1/signin/tax.example.gov.tw/efiling/1795320300/" + c.ID; c.Request.TBS != want {
					t.Errorf("got line %s, want %s", c.Request.TBS, want)
				}
				rec := b.finish(c, sign(t, tt.card, c))
				b.accepted(rec)
				if got := rec.Body.String(); !strings.Contains(got, string(tt.assurance)) || strings.Contains(got, b.cookies[sessionCookie]) {
					t.Errorf("got %s, want assurance %s and no token", got, tt.assurance)
				}
				if b.account() == "" {
					t.Error("not signed in after signing in")
				}
			})
		}
	}
}

// The session and the result reach the service before the cookie is set.
func TestOnSignIn(t *testing.T) {
	var got *signin.Session
	var identity verify.Identity
	var refusal error
	w := newWorld(t, func(cfg *signin.Config) {
		cfg.OnSignIn = func(_ context.Context, res *verify.Result, s *signin.Session) error {
			got, identity = s, res.Signers[0].Identity
			return refusal
		}
	})
	b := w.browser(t)
	b.signIn(w.card)
	if identity.SerialNumber != w.card.Person.Number || identity.LastFour != "6789" {
		t.Errorf("got identity %+v, want that of the card", identity)
	}
	if got.ID != b.account() || len(got.Subject) != 43 || len(got.Certificate) != 43 || got.Environment != verify.Custom ||
		!got.AuthTime.Equal(noon()) || !got.Expiry.Equal(noon().Add(signin.MaxTokenLife)) {
		t.Errorf("got session %+v", got)
	}

	first := *got
	w.browser(t).signIn(w.card)
	if got.Subject != first.Subject || got.Certificate != first.Certificate || got.ID == first.ID {
		t.Error("a second sign-in must have the same subject and certificate, and another ID")
	}
	w.browser(t).signIn(w.issue(t, w.G3.IssueCard))
	if got.Subject == first.Subject || got.Certificate == first.Certificate {
		t.Error("another citizen must have another subject and certificate")
	}

	refusal = errors.New("closed for maintenance")
	b = w.browser(t)
	c := b.begin()
	w.refused(t, b.finish(c, sign(t, w.card, c)), signin.CodeRefused, signin.ReasonRefused)
}

// Subjects are the service's own: other key, other environment, other subject.
func TestPairwise(t *testing.T) {
	subject := func(w *world, changes ...func(*signin.Config)) string {
		var got string
		var signer verify.Identity
		cfg := w.cfg
		cfg.OnSignIn = func(_ context.Context, res *verify.Result, s *signin.Session) error {
			got, signer = s.Subject, res.Signers[0].Identity
			return nil
		}
		for _, change := range changes {
			change(&cfg)
		}
		auth, site := w.newSite(t, cfg)
		b := w.browser(t)
		b.site = site
		b.host = strings.TrimPrefix(strings.TrimPrefix(cfg.Origins[0], "https://"), "http://")
		b.signIn(w.card)
		if same := auth.Subject(signer); same != got {
			t.Errorf("got subject %s of the identity, want that of the session, %s", same, got)
		}
		return got
	}
	w := newWorld(t)
	all := map[string]string{
		"same": subject(w),
		"other key": subject(w, func(cfg *signin.Config) {
			cfg.PairwiseKey = []byte(strings.Repeat("another ", 4))
		}),
		"other environment": subject(w, func(cfg *signin.Config) {
			cfg.Verifier, cfg.Origins = w.verifier(t, verify.Test), []string{"http://localhost:8080"}
		}),
	}
	seen := map[string]string{}
	for name, s := range all {
		if other, ok := seen[s]; ok {
			t.Errorf("%s and %s give one subject", name, other)
		}
		seen[s] = name
	}
	if subject(w) != all["same"] {
		t.Error("the subject changed between two servers of one service")
	}
}

// What is wrong with the certificate reaches operator and citizen.
func TestCertificateRefusals(t *testing.T) {
	w := newWorld(t)
	changed := func(change func(*pkitest.Template)) *pkitest.Card {
		return w.issue(t, w.G3.IssueCard, change)
	}
	for _, tt := range []struct {
		name   string
		card   *pkitest.Card
		says   verify.Status
		err    error
		code   signin.Code
		reason verify.Reason
	}{
		{"good", w.card, verify.Good, nil, "", ""},
		{"revoked", w.card, verify.Revoked, nil, signin.CodeRevoked, verify.ReasonRevoked},
		{"suspended", w.card, verify.Suspended, nil, signin.CodeSuspended, verify.ReasonSuspended},
		{"status unavailable", w.card, verify.Good, errors.New("no route"), signin.CodeUnavailable, verify.ReasonStatusUnavailable},
		{"expired", changed(func(tm *pkitest.Template) { tm.NotAfter = noon().Add(-time.Second) }), verify.Good, nil,
			signin.CodeExpired, verify.ReasonExpired},
		{"valid to the second", changed(func(tm *pkitest.Template) { tm.NotAfter = noon() }), verify.Good, nil, "", ""},
		{"not yet valid", changed(func(tm *pkitest.Template) { tm.NotBefore = noon().Add(time.Second) }), verify.Good, nil,
			signin.CodeNotYetValid, verify.ReasonNotYetValid},
		{"encryption certificate", changed(func(tm *pkitest.Template) { tm.KeyUsage = 0; tm.Encryption = true }), verify.Good, nil,
			signin.CodeCertificate, verify.ReasonProfile},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.status.set(tt.says, tt.err)
			defer w.status.set(verify.Good, nil)
			b := w.browser(t)
			c := b.begin()
			rec := b.finish(c, sign(t, tt.card, c))
			if tt.code == "" {
				b.accepted(rec)
				return
			}
			w.refused(t, rec, tt.code, signin.Reason(tt.reason))
			if retryable := strings.Contains(rec.Body.String(), `"retryable":true`); retryable != (tt.code == signin.CodeUnavailable) {
				t.Errorf("got retryable %v", retryable)
			}
		})
	}
}

// The log has causes, and nothing of a person.
func TestLogWithoutPersonalData(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	b.signIn(w.card)
	token := b.cookies[sessionCookie]
	for _, says := range []verify.Status{verify.Revoked, verify.Suspended} {
		w.status.set(says, nil)
		for _, kind := range []signin.SignatureType{signin.PKCS1, signin.PKCS7} {
			c := b.beginWith(kind)
			b.finish(c, sign(t, w.card, c))
		}
	}
	b.cookies[sessionCookie] = token[:len(token)-2] + "AA"
	b.account()
	log := w.log.String()
	testbed.Nameless(t, w.card, log)
	for _, secret := range []string{token, b.cookies[attemptCookie]} {
		if strings.Contains(log, secret) {
			t.Errorf("log holds %q:\n%s", secret, log)
		}
	}
	if !strings.Contains(log, "revoked") {
		t.Errorf("log does not hold the cause:\n%s", log)
	}
}

// A scheme whose certificates do not say enough cannot make a session.
func TestIncompleteIdentity(t *testing.T) {
	for name, identity := range map[string]verify.Identity{
		"complete":   {SerialNumber: "1", Carrier: verify.Card},
		"no number":  {Carrier: verify.Card},
		"no carrier": {SerialNumber: "1"},
		"new one":    {SerialNumber: "1", Carrier: "implant"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			cfg := w.cfg
			cfg.Verifier = w.verifier(t, verify.Custom, func(s *verify.Scheme) {
				s.Profile.Identify = func(*x509.Certificate) (verify.Identity, error) { return identity, nil }
			})
			b := w.browser(t)
			_, b.site = w.newSite(t, cfg)
			c := b.begin()
			rec := b.finish(c, sign(t, w.card, c))
			if name == "complete" {
				b.accepted(rec)
			} else {
				w.refused(t, rec, signin.CodeCertificate, signin.ReasonIdentity)
			}
		})
	}
}

// Two who sign together do not sign in together.
func TestTwoSigners(t *testing.T) {
	w := newWorld(t)
	other := w.issue(t, w.G3.IssueCard)
	b := w.browser(t)
	c := b.beginWith(signin.PKCS7)
	signedData, err := w.card.SignPKCS7([]byte(c.Request.TBS), &pkitest.CMSOptions{
		Certificates: []*x509.Certificate{w.card.Cert, other.Cert},
		CoSigners:    []pkitest.CoSigner{{Signer: pkitest.Signer{Cert: other.Cert, Key: other.Key}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := answer{"func": "sign", "ret_code": 0, "signature": base64.StdEncoding.EncodeToString(signedData)}
	w.refused(t, b.finish(c, a), signin.CodeSignature, signin.ReasonSigners)
}
