package main

import (
	"crypto"
	"crypto/x509"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A policy with dates is asked as of the instant of judgement, and is named in the
// verdict.
func TestVerifyAlgorithms(t *testing.T) {
	w := newWorld(t)
	sha1, err := w.card.SignPKCS7(w.document, &pkitest.CMSOptions{Hash: crypto.SHA1})
	if err != nil {
		t.Fatal(err)
	}
	old, filing := writeTemp(t, "old.p7m", sha1), writeTemp(t, "filing.p7m", w.attached)
	skip := with([]string{"verify", "-insecure-skip-revocation"}, w.pathFlags(t)...)
	end := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	historical := "historical=" + end.Format(time.RFC3339)
	before := end.Add(-time.Second).Format(time.RFC3339)
	for _, test := range []struct {
		name   string
		args   []string
		want   verify.Reason
		policy string
	}{
		{"strict", []string{"-algorithms", "strict", filing}, "", "citizencert-strict 2026.1"},
		{"strict, SHA-1", []string{old}, verify.ReasonAlgorithm, "citizencert-strict 2026.1"},
		{"NIST", []string{"-algorithms", "nist-sp800-57", filing}, "", "nist-sp800-57 2026.1"},
		{"historical, before", []string{"-algorithms", historical, "-at", before, old}, "", "citizencert-" + strings.Replace(historical, "=", "-", 1) + " 2026.1"},
		{"historical, at its end", []string{"-algorithms", historical, "-at", end.Format(time.RFC3339), old}, verify.ReasonAlgorithm, ""},
		{"historical, now", []string{"-algorithms", historical, old}, verify.ReasonAlgorithm, ""},
		{"historical, SHA-256 now", []string{"-algorithms", historical, filing}, "", ""},
		{"any SHA-1", []string{"-insecure-allow-sha1", old}, "", "citizencert-insecure-sha1 2026.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, with(skip, test.args...)...)
			checkVerdict(t, got, test.want)
			if !strings.Contains(got.stdout, `"policy":"`+test.policy) {
				t.Errorf("got %s, want policy %q", got.stdout, test.policy)
			}
		})
	}
}

// The first generation is trusted, and its algorithms are admitted, only where that
// is asked for, and only until its end.
func TestCertificateHistoricalReal(t *testing.T) {
	dir := realPKI(t)
	g1 := filepath.Join(dir, "MOICA-G1.pem")
	flags := []string{"certificate", "-json", "-insecure-skip-revocation", "-profile", "any", "-anchor-dir", dir}
	for _, test := range []struct {
		name string
		args []string
		want verify.Reason
	}{
		{"as in production", []string{"-at", "2020-01-01T00:00:00Z", g1}, verify.ReasonUntrusted},
		{"historical", []string{"-historical", "-at", "2020-01-01T00:00:00Z", g1}, ""},
		{"historical, after its end", []string{"-historical", "-at", "2023-04-21T07:56:08Z", g1}, verify.ReasonAlgorithm},
		{"historical, now", []string{"-historical", g1}, verify.ReasonAlgorithm},
		{"historical, the third generation", []string{"-historical", filepath.Join(dir, "MOICA-G3.pem")}, ""},
	} {
		t.Run(test.name, func(t *testing.T) { checkVerdict(t, call(t, with(flags, test.args...)...), test.want) })
	}
}

// Answers and lists signed with SHA-1 are a matter of their own: what admits SHA-1
// in documents before an instant does not admit it in them.
func TestVerifySHA1Status(t *testing.T) {
	w := newWorld(t)
	answer, err := w.pki.G3.MOICA.OCSP(w.card.Cert, pkitest.OCSPOptions{SignatureAlgorithm: x509.SHA1WithRSA})
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"verify", "-json", "-anchors", writeTemp(t, "moica.cer", w.moica), "-ocsp", writeTemp(t, "card.ors", answer)}
	filing := writeTemp(t, "filing.p7m", w.attached)
	checkVerdict(t, call(t, with(args, filing)...), verify.ReasonStatusUnavailable)
	checkVerdict(t, call(t, with(args, "-insecure-allow-sha1-status", filing)...), "")
}
