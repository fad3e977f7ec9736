package main

import (
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/citizencert/citizencert/internal/line"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A document that was filed by signing a line, in each form in which a client signs.
func TestVerifyStatement(t *testing.T) {
	w := newWorld(t)
	encode := func(l line.Line) string {
		t.Helper()
		l.Host, l.Service, l.Challenge = "tax.example.gov.tw", "tax", [line.ChallengeSize]byte{1}
		text, err := l.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	digest := sha256.Sum256(w.document)
	soon := time.Now().Add(10 * time.Minute)
	text := encode(line.Line{Purpose: line.File, Expiry: soon, Digest: digest})
	expired := encode(line.Line{Purpose: line.File, Expiry: time.Now().Add(-time.Minute), Digest: digest})
	consent := encode(line.Line{Purpose: line.Consent, Expiry: soon, Digest: digest})

	document, other := writeTemp(t, "document.pdf", w.document), writeTemp(t, "other.pdf", []byte("另一份"))
	card := writeTemp(t, "card.cer", w.card.Cert.Raw)
	skip := with([]string{"verify", "-insecure-skip-revocation"}, w.pathFlags(t)...)
	to := func(line, host, content string) []string {
		return with(skip, "-statement", line, "-statement-host", host, "-statement-service", "tax", "-content", content)
	}
	const host = "tax.example.gov.tw"
	bare := func(signed string) []byte {
		signature, err := w.card.SignPKCS1([]byte(signed))
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	message := func(signed []byte, detached bool) []byte {
		der, err := w.card.SignPKCS7(signed, &pkitest.CMSOptions{Detached: detached})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	var wide []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	signature := writeTemp(t, "signature", bare(text))
	for _, test := range []struct {
		name string
		args []string
		want verify.Reason
	}{
		{"bare", with(to(text, host, document), "-statement-cert", card, signature), ""},
		{"bare, base64", with(to(text, host, document), "-statement-cert", card, writeTemp(t, "s.b64", []byte(base64.StdEncoding.EncodeToString(bare(text))))), ""},
		{"attached", with(to(text, host, document), writeTemp(t, "a.p7m", message([]byte(text), false))), ""},
		{"detached", with(to(text, host, document), writeTemp(t, "d.p7s", message([]byte(text), true))), ""},
		{"of another line", with(to(text, host, document), "-statement-cert", card, writeTemp(t, "other", bare(expired))), verify.ReasonBadSignature},
		{"another document", with(to(text, host, other), "-statement-cert", card, signature), verify.ReasonDigestMismatch},
		{"another host", with(to(text, "other.example.gov.tw", document), "-statement-cert", card, signature), verify.ReasonPurpose},
		{"expired", with(to(expired, host, document), "-statement-cert", card, writeTemp(t, "late", bare(expired))), verify.ReasonPurpose},
		{"a consent", with(to(consent, host, document), "-statement-cert", card, writeTemp(t, "consent", bare(consent))), verify.ReasonPurpose},
		{"in UTF-16", with(to(text, host, document), writeTemp(t, "w.p7m", message(wide, false))), verify.ReasonPurpose},
		{"in UTF-16, waived", with(to(text, host, document), "-insecure-allow-utf16-line", writeTemp(t, "w.p7m", message(wide, false))), ""},
		{"not a statement", with(skip, writeTemp(t, "a.p7m", message([]byte(text), false))), verify.ReasonPurpose},
	} {
		t.Run(test.name, func(t *testing.T) { checkVerdict(t, call(t, test.args...), test.want) })
	}
	for name, args := range map[string][]string{
		"no document": with(skip, "-statement", text, "-statement-host", host, "-statement-service", "tax", signature),
		"no host":     with(skip, "-statement", text, "-statement-service", "tax", "-content", document, signature),
		"no line":     with(skip, "-statement-host", host, signature),
	} {
		t.Run(name, func(t *testing.T) { call(t, args...).checkUsage(t, "-statement") })
	}
}
