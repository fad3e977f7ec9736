package main

import (
	"crypto"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// Each deviation is refused, and accepted under the flag of its name alone, which
// the verdict then reports.
func TestVerifyDeviations(t *testing.T) {
	w := newWorld(t)
	skip := with([]string{"verify", "-insecure-skip-revocation"}, w.pathFlags(t)...)
	reversed := func(attributes []pkitest.Attribute) []pkitest.Attribute {
		slices.Reverse(attributes)
		return attributes
	}
	flags := []string{"-insecure-allow-mixed-hashes", "-insecure-allow-unsorted-attributes", "-insecure-allow-no-signed-attributes", "-insecure-allow-utf16-line"}
	for _, test := range []struct {
		flag, deviation string
		opts            pkitest.CMSOptions
		strict          verify.Reason
	}{
		{flags[0], "mixed-hashes", pkitest.CMSOptions{SignatureHash: crypto.SHA512}, verify.ReasonAlgorithm},
		{flags[1], "unsorted-attributes", pkitest.CMSOptions{AttributeOrder: pkitest.AttributesAsGiven, EditAttributes: reversed}, verify.ReasonNotDER},
		{flags[2], "no-signed-attributes", pkitest.CMSOptions{NoSignedAttributes: true}, verify.ReasonSignedAttributes},
	} {
		t.Run(test.deviation, func(t *testing.T) {
			message, err := w.card.SignPKCS7(w.document, &test.opts)
			if err != nil {
				t.Fatal(err)
			}
			filing := writeTemp(t, "filing.p7m", message)
			checkVerdict(t, call(t, with(skip, filing)...), test.strict)
			others := slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return f == test.flag })
			checkVerdict(t, call(t, with(with(skip, others...), filing)...), test.strict)
			got := call(t, with(skip, test.flag, filing)...)
			checkVerdict(t, got, "")
			if want := `"deviations":["` + test.deviation + `"]`; !strings.Contains(got.stdout, want) {
				t.Errorf("got %s, want %s in it", got.stdout, want)
			}
			if text := call(t, with(skip, test.flag, "-json=false", filing)...).stdout; !strings.Contains(text, test.deviation+"\n") {
				t.Errorf("got no %s in\n%s", test.deviation, text)
			}
		})
	}
}

// Of several signers each that was refused is told, whether the message is refused
// for it or not.
func TestVerifyRefusedSigners(t *testing.T) {
	w := newWorld(t)
	other, err := w.pki.G3.IssueCard(pkitest.Person{Name: "李測試"})
	if err != nil {
		t.Fatal(err)
	}
	message, err := w.card.SignPKCS7(w.document, &pkitest.CMSOptions{
		Certificates: []*x509.Certificate{w.card.Cert, other.Cert},
		CoSigners: []pkitest.CoSigner{
			{Signer: pkitest.Signer{Cert: other.Cert, Key: other.Key}, Options: &pkitest.CMSOptions{BreakSignature: true}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	filing := writeTemp(t, "filing.p7m", message)
	skip := with([]string{"verify", "-insecure-skip-revocation"}, w.pathFlags(t)...)
	for _, test := range []struct {
		name string
		args []string
		want verify.Reason
	}{
		{"all", []string{filing}, verify.ReasonBadSignature},
		{"one of them", []string{"-insecure-min-signers", "1", filing}, ""},
		{"two of them", []string{"-insecure-min-signers", "2", filing}, verify.ReasonBadSignature},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, with(skip, test.args...)...)
			checkVerdict(t, got, test.want)
			var v struct{ RefusedSigners []refusedSigner }
			got.decodeJSON(t, &v)
			if len(v.RefusedSigners) != 1 {
				t.Fatalf("got %s, want one refused signer", got.stdout)
			}
			if s := v.RefusedSigners[0]; s.Index != 1 || s.Reason != verify.ReasonBadSignature || s.Check != verify.CheckSignature || s.Indication != verify.TotalFailed || s.Message == "" {
				t.Errorf("got %+v, want the second, by its signature", s)
			}
			text := call(t, with(skip, append([]string{"-json=false"}, test.args...)...)...).stdout
			if !strings.Contains(text, "\nsigner 1 refused     bad-signature: ") {
				t.Errorf("got no refused signer in\n%s", text)
			}
		})
	}
}
