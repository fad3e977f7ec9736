package main

import (
	"encoding/asn1"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

const cardSubject = "serialNumber=0000000012345678,CN=王測試,C=TW"

// The members of the JSON object, by the names that callers rely on.
func TestVerifyJSON(t *testing.T) {
	w := newWorld(t)
	got := call(t, with(with([]string{"verify"}, w.trustFlags(t)...), writeTemp(t, "filing.p7m", w.attached))...)
	var v map[string]any
	got.decodeJSON(t, &v)
	for name, want := range map[string]any{
		"verdict": "valid", "reason": "", "message": "", "retryable": false,
		"policy": "citizencert-strict 2026.1", "environment": "custom", "profile": "any", "revocationSkipped": false,
	} {
		if v[name] != want {
			t.Errorf("%s: got %v, want %v", name, v[name], want)
		}
	}
	signers, _ := v["signers"].([]any)
	if got.code != exitGood || len(signers) != 1 {
		t.Fatalf("got exit code %d and %d signers, want 0 and 1: %s", got.code, len(signers), got.stdout)
	}
	s := signers[0].(map[string]any)
	if s["subject"] != cardSubject || s["signatureAlgorithm"] == "" {
		t.Errorf("got subject %v, signature %v", s["subject"], s["signatureAlgorithm"])
	}
	if path := s["path"].([]any); len(path) != 3 || path[0] != cardSubject {
		t.Errorf("got path %v, want three subjects, the signer first", path)
	}
	facts := s["revocation"].([]any)
	if len(facts) != 2 {
		t.Fatalf("got %d revocation facts, want 2", len(facts))
	}
	if fact := facts[0].(map[string]any); fact["status"] != "good" || fact["rung"] != "held" || fact["nextUpdate"] == nil {
		t.Errorf("got fact %v, want good by evidence held", fact)
	}
}

func TestVerify(t *testing.T) {
	w := newWorld(t)
	attached, detached := writeTemp(t, "filing.p7m", w.attached), writeTemp(t, "filing.p7s", w.detached)
	document, other := writeTemp(t, "filing.txt", w.document), writeTemp(t, "other.txt", []byte("另一份"))
	moica := writeTemp(t, "moica.cer", w.moica)
	past := w.card.Cert.NotBefore.Add(-time.Second).Format(time.RFC3339)
	future := w.card.Cert.NotAfter.Add(time.Second).Format(time.RFC3339)
	full, path := w.trustFlags(t), w.pathFlags(t)
	skip := with(path, "-insecure-skip-revocation")
	for _, test := range []struct {
		name string
		args []string
		want verify.Reason // empty if valid
	}{
		{"attached", with(full, attached), ""},
		{"detached", with(full, "-content", document, detached), ""},
		{"attached with its content", with(full, "-content", document, attached), ""},
		{"by OCSP", with(full, "-ocsp", writeTemp(t, "card.ors", w.cardOCSP), attached), ""},
		{"detached without content", with(full, detached), verify.ReasonContentMissing},
		{"other content", with(full, "-content", other, detached), verify.ReasonDigestMismatch},
		{"no evidence", with(path, attached), verify.ReasonStatusUnavailable},
		{"evidence about the CA alone", with(path, "-crl", writeTemp(t, "root.crl", w.rootCRL), attached), verify.ReasonStatusUnavailable},
		{"skipped", with(skip, attached), ""},
		{"other root", []string{"-json", "-insecure-skip-revocation", "-anchors", writeTemp(t, "g2.cer", w.otherRoot), "-intermediates", moica, attached}, verify.ReasonUntrusted},
		{"CA missing", []string{"-json", "-insecure-skip-revocation", "-anchors", writeTemp(t, "g3.cer", w.root), attached}, verify.ReasonUntrusted},
		{"CA as anchor", []string{"-json", "-insecure-skip-revocation", "-anchors", moica, attached}, ""},
		{"before", with(skip, "-at", past, attached), verify.ReasonNotYetValid},
		{"after", with(skip, "-at", future, attached), verify.ReasonExpired},
		{"profile moica", with(skip, "-profile", "moica", attached), verify.ReasonPolicy},
		{"profile moica-encryption", with(skip, "-profile", "moica-encryption", attached), verify.ReasonProfile},
		{"purpose, unrestricted", with(skip, "-eku", "emailProtection", attached), ""},
		{"explicit policy", with(skip, "-require-explicit-policy", "-initial-policy", "2.16.886.101.0.3.0", attached), ""},
		{"other explicit policy", with(skip, "-require-explicit-policy", "-initial-policy", "1.2.3", attached), verify.ReasonPolicy},
		{"not a SignedData", with(skip, moica), verify.ReasonMalformed},
		{"garbage", with(skip, document), verify.ReasonMalformed},
		{"garbage as anchors", []string{"-json", "-anchors", document, attached}, verify.ReasonMalformed},
		{"garbage as intermediates", with(skip, "-intermediates", document, attached), verify.ReasonMalformed},
		{"garbage as list", with(full, "-crl", document, attached), verify.ReasonMalformed},
		{"garbage as OCSP response", with(full, "-ocsp", document, attached), verify.ReasonMalformed},
		{"list as OCSP response", with(full, "-ocsp", writeTemp(t, "root.crl", w.rootCRL), attached), verify.ReasonMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkVerdict(t, call(t, append([]string{"verify"}, test.args...)...), test.want)
		})
	}
}

func with(flags []string, more ...string) []string { return slices.Concat(flags, more) }

// checkVerdict checks the verdict, the exit code and what goes with them. want is
// empty if valid.
func checkVerdict(t *testing.T, got outcome, want verify.Reason) {
	t.Helper()
	var v struct {
		Verdict, Message string
		Reason           verify.Reason
		Retryable        bool
		Signers          []any
	}
	got.decodeJSON(t, &v)
	if want == "" {
		if v.Verdict != "valid" || got.code != exitGood || len(v.Signers) == 0 {
			t.Errorf("got exit code %d: %s", got.code, got.stdout)
		}
		return
	}
	if v.Verdict != "refused" || v.Reason != want || got.code != exitRefused || v.Message == "" || v.Signers == nil || len(v.Signers) > 0 {
		t.Errorf("got exit code %d, want %s: %s", got.code, want, got.stdout)
	}
	if retryable := want == verify.ReasonStatusUnavailable || want == verify.ReasonStatusStale; v.Retryable != retryable {
		t.Errorf("got retryable %t for %s", v.Retryable, want)
	}
}

// The verdict of the lists and answers that an authority gives about a signer.
func TestVerifyRevocation(t *testing.T) {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer pki.Close()
	ca := pki.G2.MOICA
	for _, test := range []struct {
		name   string
		change func(*pkitest.Card)
		want   verify.Reason
	}{
		{"good", func(*pkitest.Card) {}, ""},
		{"revoked", func(c *pkitest.Card) { ca.Revoke(c.Cert, time.Now().Add(-time.Minute), pkitest.ReasonKeyCompromise) }, verify.ReasonRevoked},
		{"suspended", func(c *pkitest.Card) { ca.Suspend(c.Cert, time.Now().Add(-time.Minute)) }, verify.ReasonSuspended},
	} {
		t.Run(test.name, func(t *testing.T) {
			card, err := pki.G2.IssueCard(pkitest.Person{})
			if err != nil {
				t.Fatal(err)
			}
			message, err := card.SignPKCS7([]byte("申報書"), nil)
			if err != nil {
				t.Fatal(err)
			}
			test.change(card)
			list, err := ca.CRL(pkitest.CRLOptions{})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := ca.OCSP(card.Cert, pkitest.OCSPOptions{})
			if err != nil {
				t.Fatal(err)
			}
			filing := writeTemp(t, "filing.p7m", message)
			common := []string{"verify", "-json", "-anchors", writeTemp(t, "moica.cer", ca.Cert.Raw)}
			checkVerdict(t, call(t, append(common, "-crl", writeTemp(t, "moica.crl", list), filing)...), test.want)
			checkVerdict(t, call(t, append(common, "-ocsp", writeTemp(t, "card.ors", answer), filing)...), test.want)
		})
	}
}

// Lists inside a message count for certificates that lead to no partition, and
// for others only if they say what they cover.
func TestVerifyCarriedList(t *testing.T) {
	w := newWorld(t)
	ca := w.pki.G3.MOICA
	for _, test := range []struct {
		name string
		omit []asn1.ObjectIdentifier
		want verify.Reason
	}{
		{"distribution points", nil, verify.ReasonStatusUnavailable},
		{"no distribution points", []asn1.ObjectIdentifier{pkitest.OIDCRLDistributionPoints}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			card, err := w.pki.G3.IssueCard(pkitest.Person{}, func(tm *pkitest.Template) { tm.Omit = test.omit })
			if err != nil {
				t.Fatal(err)
			}
			message, err := card.SignPKCS7(w.document, &pkitest.CMSOptions{CRLs: [][]byte{w.moicaCRL}})
			if err != nil {
				t.Fatal(err)
			}
			checkVerdict(t, call(t, "verify", "-json", "-anchors", writeTemp(t, "moica.cer", ca.Cert.Raw), writeTemp(t, "filing.p7m", message)), test.want)
		})
	}
}

// Loopback addresses are asked only if they are named.
func TestVerifyOnline(t *testing.T) {
	w := newWorld(t)
	filing := writeTemp(t, "filing.p7m", w.attached)
	flags := append([]string{"verify", "-online"}, w.pathFlags(t)...)
	before := w.pki.Requests(w.pki.G3.MOICA.URLs.OCSP)
	checkVerdict(t, call(t, append(flags, filing)...), verify.ReasonStatusUnavailable)
	if n := w.pki.Requests(w.pki.G3.MOICA.URLs.OCSP) - before; n != 0 {
		t.Errorf("%d requests to an address that nobody named", n)
	}
	got := call(t, append(flags, "-host", "127.0.0.1", filing)...)
	checkVerdict(t, got, "")
	if !strings.Contains(got.stdout, `"rung":"ocsp"`) {
		t.Errorf("got %s, want a fact by OCSP", got.stdout)
	}
}

func TestVerifyText(t *testing.T) {
	w := newWorld(t)
	filing := writeTemp(t, "filing.p7m", w.attached)
	flags := w.trustFlags(t)[1:] // without -json
	got := call(t, with(with([]string{"verify"}, flags...), filing)...)
	for _, want := range []string{"valid\n", cardSubject, "good (held: added)", "profile any, custom"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("got\n%swant %q in it", got.stdout, want)
		}
	}
	got = call(t, with(with([]string{"verify"}, flags...), "-content", writeTemp(t, "x", []byte("x")), filing)...)
	if !strings.HasPrefix(got.stdout, "refused: digest-mismatch\n") || got.stderr != "" || strings.Contains(got.stdout, "王") {
		t.Errorf("got\n%s%s", got.stdout, got.stderr)
	}
}
