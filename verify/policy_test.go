package verify_test

import (
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// under returns a verifier with an algorithm policy, for certificates alone.
func (w *world) under(t *testing.T, policy verify.AlgorithmPolicy, intermediates ...*x509.Certificate) (*verify.Verifier, error) {
	t.Helper()
	scheme := w.scheme(t)
	scheme.Intermediates = append(scheme.Intermediates, intermediates...)
	return verify.New(verify.Config{Scheme: scheme, Algorithms: policy, InsecureSkipRevocation: true, Clock: w.clock.Now})
}

// What the historical policy admits, it admits to the second before its instant,
// in signatures, certificates and CAs known beforehand.
func TestHistoricalPolicy(t *testing.T) {
	w := newWorld(t)
	before := noon().AddDate(0, -1, 0)
	issued := before.AddDate(-1, 0, 0)
	old := func(tm *pkitest.Template) { tm.NotBefore = issued }
	signedBySHA1 := func(tm *pkitest.Template) { old(tm); tm.SignatureAlgorithm = x509.SHA1WithRSA }
	short := func(tm *pkitest.Template) { old(tm); tm.RSABits = 1024 }
	ca := subCA(t, w.G3.Root, pkitest.Template{NotBefore: issued, SignatureAlgorithm: x509.SHA1WithRSA})
	below := issueUnder(t, ca, pkitest.Template{NotBefore: issued})
	under := &pkitest.Card{Cert: below.Cert, Key: below.Key, Issuer: ca}
	weak := &pkitest.CMSOptions{Hash: crypto.SHA1}

	strict, err := w.under(t, verify.StrictPolicy())
	if err != nil {
		t.Fatal(err)
	}
	historical, err := w.under(t, verify.HistoricalPolicy(before), ca.Cert)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		message []byte
	}{
		{"digest", w.sign(t, w.issue(t, w.G3, old), filing, weak)},
		{"digest alone", w.sign(t, w.issue(t, w.G3, old, func(tm *pkitest.Template) { tm.KeyAlgorithm = x509.Ed25519 }), filing, weak)},
		{"certificate", w.sign(t, w.issue(t, w.G3, signedBySHA1), filing, nil)},
		{"key", w.sign(t, w.issue(t, w.G3, short), filing, nil)},
		{"known CA", w.sign(t, under, filing, nil)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			last, first := before.Add(-time.Second), before
			res, err := historical.SignedData(t.Context(), tt.message, &verify.Options{ReceivedAt: last})
			wantReason(t, res, err, "")
			if err == nil && res.Policy != "citizencert-historical-2026-10-22T04:00:00Z" {
				t.Errorf("got policy %q in the result, want the historical one", res.Policy)
			}
			res, err = historical.SignedData(t.Context(), tt.message, &verify.Options{ReceivedAt: first})
			wantReason(t, res, err, verify.ReasonAlgorithm)
			if err != nil && !strings.Contains(err.Error(), "before 2026-10-22T04:00:00Z") {
				t.Errorf("got error %v, want one that says until when", err)
			}
			res, err = historical.SignedData(t.Context(), tt.message, nil)
			wantReason(t, res, err, verify.ReasonAlgorithm)
			res, err = strict.SignedData(t.Context(), tt.message, &verify.Options{ReceivedAt: last, Certificates: [][]byte{ca.Cert.Raw}})
			wantReason(t, res, err, verify.ReasonAlgorithm)
		})
	}
	t.Run("bare signature", func(t *testing.T) {
		card := w.issue(t, w.G3, old)
		sum := sha1.Sum([]byte(filing))
		bare, err := card.Key.Sign(nil, sum[:], crypto.SHA1)
		if err != nil {
			t.Fatal(err)
		}
		for at, want := range map[time.Time]verify.Reason{before.Add(-time.Second): "", before: verify.ReasonAlgorithm} {
			res, err := historical.Signature(t.Context(), card.Cert.Raw, x509.SHA1WithRSA, []byte(filing), bare, &verify.Options{ReceivedAt: at})
			wantReason(t, res, err, want)
		}
	})
	t.Run("strict, of today", func(t *testing.T) {
		res, err := historical.SignedData(t.Context(), w.sign(t, w.card, filing, nil), nil)
		wantReason(t, res, err, "")
	})
	t.Run("known CA, strict", func(t *testing.T) {
		if _, err := w.under(t, verify.StrictPolicy(), ca.Cert); err == nil || !strings.Contains(err.Error(), "SHA-1") {
			t.Errorf("got error %v, want one that names SHA-1", err)
		}
	})
}

// The keys of 112 bits of strength end with 2030, and no others do.
func TestSP80057Policy(t *testing.T) {
	w := newWorld(t)
	v, err := w.under(t, verify.SP80057Policy())
	if err != nil {
		t.Fatal(err)
	}
	end := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	issue := func(change func(*pkitest.Template)) []byte {
		tm := pkitest.Template{NotAfter: end.AddDate(1, 0, 0)}
		change(&tm)
		return issueUnder(t, w.G3.MOICA, tm).DER
	}
	for _, tt := range []struct {
		name string
		cert []byte
		at   time.Time
		want verify.Reason
	}{
		{"RSA-2048, the last second", issue(func(*pkitest.Template) {}), end.Add(-time.Second), ""},
		{"RSA-2048, the first second after", issue(func(*pkitest.Template) {}), end, verify.ReasonAlgorithm},
		{"RSA-3072", issue(func(tm *pkitest.Template) { tm.RSABits = 3072 }), end, ""},
		{"P-256", issue(func(tm *pkitest.Template) { tm.KeyAlgorithm = x509.ECDSA }), end, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := v.Certificate(t.Context(), tt.cert, &verify.Options{ReceivedAt: tt.at})
			wantReason(t, res, err, tt.want)
		})
	}
}

func TestPolicyNames(t *testing.T) {
	var zero verify.AlgorithmPolicy
	if zero != verify.StrictPolicy() || zero.Name() != "citizencert-strict" || zero.Version() == "" {
		t.Errorf("the zero value is %s %s, want the strict policy", zero.Name(), zero.Version())
	}
	for _, rule := range zero.Rules() {
		if !rule.Until.IsZero() || rule.Algorithm == "SHA-1" || rule.Algorithm == "RSA" && rule.MinBits < 2048 {
			t.Errorf("got %+v in the strict policy", rule)
		}
	}
}

func TestNewRefusesPolicies(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name string
		cfg  verify.Config
		ok   bool
	}{
		{"until now", verify.Config{Algorithms: verify.HistoricalPolicy(noon())}, true},
		{"until a second from now", verify.Config{Algorithms: verify.HistoricalPolicy(noon().Add(time.Second))}, false},
		{"until no instant", verify.Config{Algorithms: verify.HistoricalPolicy(time.Time{})}, false},
		{"SHA-1 at any time", verify.Config{InsecureAllowSHA1: true}, true},
		{"SHA-1 by two options", verify.Config{InsecureAllowSHA1: true, Algorithms: verify.HistoricalPolicy(noon())}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Scheme, tt.cfg.Status, tt.cfg.Clock = w.scheme(t), w.sources(t), w.clock.Now
			if _, err := verify.New(tt.cfg); (err == nil) != tt.ok {
				t.Errorf("got error %v, want none: %v", err, tt.ok)
			}
		})
	}
}
