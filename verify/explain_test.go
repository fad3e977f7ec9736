package verify_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// outcomes lists the checks of a trace with what became of them, and wants every
// step to say what it checked and by which rule, in one line, without a name.
func outcomes(t testing.TB, trace verify.Trace) []string {
	t.Helper()
	var all []string
	for _, s := range trace {
		if s.What == "" || s.Rule == "" {
			t.Errorf("step %s says too little: %v", s.Check, s)
		}
		all = append(all, string(s.Check)+" "+string(s.Outcome))
	}
	text := trace.String()
	if got := strings.Count(text, "\n"); got != len(trace) {
		t.Errorf("got %d lines for %d steps:\n%s", got, len(trace), text)
	}
	if strings.Contains(text, "王測試") {
		t.Errorf("the trace names the holder:\n%s", text)
	}
	return all
}

func TestExplainResult(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	attached := w.sign(t, w.card, filing, nil)
	detached := w.sign(t, w.card, filing, &pkitest.CMSOptions{Detached: true})
	bare, err := w.card.SignPKCS1([]byte(filing))
	if err != nil {
		t.Fatal(err)
	}
	second := w.issue(t, w.G2)
	two := w.sign(t, w.card, filing, &pkitest.CMSOptions{
		Certificates: []*x509.Certificate{w.card.Cert, second.Cert},
		CoSigners:    []pkitest.CoSigner{{Signer: pkitest.Signer{Cert: second.Cert, Key: second.Key}}},
	})
	sum := crypto.SHA256.New()
	io.WriteString(sum, filing)

	const cms = "message,algorithms,signed-attributes,signer,signature,path,profile"
	for _, tt := range []struct {
		name   string
		verify func() (*verify.Result, error)
		want   string
	}{
		{"SignedData", func() (*verify.Result, error) { return w.verifier.SignedData(ctx, attached, nil) },
			"syntax,purpose," + cms + ",content,status,status"},
		{"Detached", func() (*verify.Result, error) {
			return w.verifier.Detached(ctx, detached, strings.NewReader(filing), nil)
		}, "syntax," + cms + ",purpose,content,status,status"},
		{"Digest", func() (*verify.Result, error) {
			return w.verifier.Digest(ctx, detached, map[crypto.Hash][]byte{crypto.SHA256: sum.Sum(nil)}, nil)
		}, "syntax," + cms + ",content,status,status"},
		{"Signature", func() (*verify.Result, error) {
			return w.verifier.Signature(ctx, w.card.Cert.Raw, x509.SHA256WithRSA, []byte(filing), bare, nil)
		}, "purpose,syntax,algorithms,signature,path,profile,status,status"},
		{"Certificate", func() (*verify.Result, error) { return w.verifier.Certificate(ctx, w.card.Cert.Raw, nil) },
			"syntax,path,profile,status,status"},
		{"two signers", func() (*verify.Result, error) { return w.verifier.SignedData(ctx, two, nil) },
			"syntax,purpose,message,algorithms,algorithms,signed-attributes,signed-attributes,signer,signer,signature,signature," +
				"path,path,profile,profile,content,content,status,status,status,status"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := tt.verify()
			if err != nil {
				t.Fatal(err)
			}
			trace := res.Explain()
			want := strings.ReplaceAll(tt.want, ",", " passed,") + " passed"
			if got := strings.Join(outcomes(t, trace), ","); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
			if serial := fmt.Sprintf("%x", w.card.Cert.SerialNumber); !strings.Contains(trace.String(), serial) {
				t.Errorf("the trace does not name certificate %s:\n%s", serial, trace)
			}
		})
	}
	t.Run("revocation skipped", func(t *testing.T) {
		v := w.newVerifier(t, func(cfg *verify.Config) { cfg.Status, cfg.InsecureSkipRevocation = nil, true })
		res, err := v.Certificate(ctx, w.card.Cert.Raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := outcomes(t, res.Explain()); got[len(got)-1] != "status skipped" {
			t.Errorf("got %v, want the status skipped", got)
		}
	})
}

// explained checks that a refusal is explained: the checks before it passed, one
// refused, and the others were not reached.
func explained(t testing.TB, err error, want verify.Check) {
	t.Helper()
	e, ok := errors.AsType[*verify.Error](err)
	if !ok {
		t.Fatalf("got %v, want a *verify.Error", err)
	}
	if e.Check != want {
		t.Errorf("got check %s (%v), want %s", e.Check, err, want)
	}
	trace := e.Explain()
	steps := outcomes(t, trace)
	at := slices.Index(steps, string(want)+" refused")
	if at < 0 {
		t.Fatalf("got %q, want %s refused", steps, want)
	}
	for i, s := range trace {
		switch {
		case i < at && s.Outcome != verify.Passed, i > at && s.Outcome != verify.NotReached:
			t.Errorf("got %s %s at %d, with the refusal at %d", s.Check, s.Outcome, i, at)
		}
	}
	if !strings.HasPrefix(trace[at].Detail, string(e.Reason)) {
		t.Errorf("got detail %q, want one that begins with %s", trace[at].Detail, e.Reason)
	}
}

func TestExplainSignedDataErrors(t *testing.T) {
	w := newWorld(t)
	revoked := w.issue(t, w.G3)
	w.G3.MOICA.Revoke(revoked.Cert, noon(), pkitest.ReasonKeyCompromise)
	expired := w.issue(t, w.G3, func(tm *pkitest.Template) { tm.NotAfter = noon().AddDate(0, 0, -1) })
	other := w.issue(t, w.G3)
	cut := func(attributes []pkitest.Attribute) []pkitest.Attribute { return attributes[:1] }
	encryption := &pkitest.Card{Cert: w.card.EncryptionCert, Key: w.card.EncryptionKey, Issuer: w.card.Issuer}
	weak := w.issue(t, w.G3, func(tm *pkitest.Template) { tm.RSABits = 1024 })
	for _, tt := range []struct {
		name    string
		message []byte
		want    verify.Check
	}{
		{"garbage", []byte("garbage"), verify.CheckSyntax},
		{"detached", w.sign(t, w.card, filing, &pkitest.CMSOptions{Detached: true}), verify.CheckPurpose},
		{"a line", w.sign(t, w.card, "citizencert:1/signin", nil), verify.CheckPurpose},
		{"no signer", w.sign(t, w.card, filing, &pkitest.CMSOptions{NoSigners: true}), verify.CheckMessage},
		{"another type", w.sign(t, w.card, filing, &pkitest.CMSOptions{ContentType: pkitest.OIDTSTInfo}), verify.CheckMessage},
		{"SHA-1", w.sign(t, w.card, filing, &pkitest.CMSOptions{Hash: crypto.SHA1}), verify.CheckAlgorithms},
		{"no message-digest", w.sign(t, w.card, filing, &pkitest.CMSOptions{EditAttributes: cut}), verify.CheckAttributes},
		{"no certificate", w.sign(t, w.card, filing, &pkitest.CMSOptions{Certificates: []*x509.Certificate{other.Cert}}), verify.CheckSigner},
		{"broken", w.sign(t, w.card, filing, &pkitest.CMSOptions{BreakSignature: true}), verify.CheckSignature},
		{"RSA-1024", w.sign(t, weak, filing, nil), verify.CheckSignature},
		{"ESS names another", w.sign(t, w.card, filing, &pkitest.CMSOptions{
			Attributes: []pkitest.Attribute{pkitest.SigningCertificateV2(other.Cert, crypto.SHA256)}}), verify.CheckSignature},
		{"expired", w.sign(t, expired, filing, nil), verify.CheckPath},
		{"for encryption", w.sign(t, encryption, filing, nil), verify.CheckProfile},
		{"another content", w.sign(t, w.card, filing, &pkitest.CMSOptions{Content: []byte("another")}), verify.CheckContent},
		{"revoked", w.sign(t, revoked, filing, nil), verify.CheckStatus},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.verifier.SignedData(t.Context(), tt.message, nil)
			explained(t, err, tt.want)
		})
	}
	t.Run("of a second signer", func(t *testing.T) {
		message := w.sign(t, w.card, filing, &pkitest.CMSOptions{
			Certificates: []*x509.Certificate{w.card.Cert, expired.Cert},
			CoSigners:    []pkitest.CoSigner{{Signer: pkitest.Signer{Cert: expired.Cert, Key: expired.Key}}},
		})
		_, err := w.verifier.SignedData(t.Context(), message, nil)
		explained(t, err, verify.CheckPath)
	})
}

func TestExplainOtherErrors(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	detached := w.sign(t, w.card, filing, &pkitest.CMSOptions{Detached: true})
	with := func(content io.Reader) error {
		_, err := w.verifier.Detached(ctx, detached, content, nil)
		return err
	}
	bare, err := w.card.SignPKCS1([]byte(filing))
	if err != nil {
		t.Fatal(err)
	}
	signature := func(certificate []byte, alg x509.SignatureAlgorithm, signed string) error {
		_, err := w.verifier.Signature(ctx, certificate, alg, []byte(signed), bare, nil)
		return err
	}
	certificate := func(der []byte) error {
		_, err := w.verifier.Certificate(ctx, der, nil)
		return err
	}
	digest := func() error {
		_, err := w.verifier.Digest(ctx, detached, nil, nil)
		return err
	}
	_, begun := w.verifier.SignedData(canceled, detached, nil)
	_, asked := w.verifier.Certificate(canceled, w.card.Cert.Raw, nil)
	for _, tt := range []struct {
		name string
		err  error
		want verify.Check
	}{
		{"canceled before", begun, verify.CheckSyntax},
		{"canceled while asking", asked, verify.CheckStatus},
		{"Detached: no reader", with(nil), verify.CheckSyntax},
		{"Detached: a line", with(strings.NewReader("citizencert:1/file")), verify.CheckPurpose},
		{"Detached: reader fails", with(iotest.ErrReader(io.ErrUnexpectedEOF)), verify.CheckPurpose},
		{"Detached: another content", with(strings.NewReader("another")), verify.CheckContent},
		{"Digest: none", digest(), verify.CheckContent},
		{"Signature: a line", signature(w.card.Cert.Raw, x509.SHA256WithRSA, "citizencert:1/signin"), verify.CheckPurpose},
		{"Signature: no certificate", signature([]byte("garbage"), x509.SHA256WithRSA, filing), verify.CheckSyntax},
		{"Signature: unknown", signature(w.card.Cert.Raw, x509.MD5WithRSA, filing), verify.CheckAlgorithms},
		{"Signature: SHA-1", signature(w.card.Cert.Raw, x509.SHA1WithRSA, filing), verify.CheckSignature},
		{"Signature: another text", signature(w.card.Cert.Raw, x509.SHA256WithRSA, "another"), verify.CheckSignature},
		{"Certificate: garbage", certificate([]byte("garbage")), verify.CheckSyntax},
		{"Certificate: a CA's", certificate(w.G3.MOICA.Cert.Raw), verify.CheckProfile},
	} {
		t.Run(tt.name, func(t *testing.T) { explained(t, tt.err, tt.want) })
	}
}

// An error that does not come from a Verifier is explained as far as it goes.
func TestExplainForeignError(t *testing.T) {
	e := &verify.Error{Reason: verify.ReasonStatusStale, Signer: -1, Err: errors.New("old\nand \x1b[31mred")}
	if got := outcomes(t, e.Explain()); !slices.Equal(got, []string{"status refused"}) {
		t.Errorf("got %q, want the status refused", got)
	}
	if strings.Contains(e.Explain().String(), "\x1b") {
		t.Error("the trace contains a control character")
	}
}

// Every reason has a sentence in both languages and an indication.
func TestReasonsAreComplete(t *testing.T) {
	unknown := verify.Reason("unheard-of")
	for _, reason := range verify.Reasons() {
		zh, en := reason.Sentence("zh-TW"), reason.Sentence("en")
		if zh == unknown.Sentence("zh-TW") || en == unknown.Sentence("en") {
			t.Errorf("reason %s has no sentence of its own: %q, %q", reason, zh, en)
		}
		if !strings.HasSuffix(zh, "。") || !strings.HasSuffix(en, ".") || isASCII(zh) || !isASCII(en) {
			t.Errorf("reason %s: got %q and %q, want Chinese and English", reason, zh, en)
		}
		main, sub := reason.Indication()
		if (main != verify.TotalFailed && main != verify.Indeterminate) || sub == "" {
			t.Errorf("reason %s: got indication %q, %q", reason, main, sub)
		}
		e := &verify.Error{Reason: reason, Signer: -1}
		if got := outcomes(t, e.Explain()); len(got) != 1 || strings.HasPrefix(got[0], " ") {
			t.Errorf("reason %s belongs to no check: %q", reason, got)
		}
		if e.Retryable() && sub != "TRY_LATER" {
			t.Errorf("reason %s may pass later, and is %s", reason, sub)
		}
	}
	if got := verify.ReasonRevoked.Sentence("zh-Hant-TW"); got != verify.ReasonRevoked.Sentence("zh-TW") {
		t.Errorf("got %q for zh-Hant-TW", got)
	}
	if got := verify.ReasonRevoked.Sentence("fr"); got != verify.ReasonRevoked.Sentence("en") {
		t.Errorf("got %q for fr, want English", got)
	}
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7e }) < 0
}

func TestIndicationOfRevokedCA(t *testing.T) {
	w := newWorld(t)
	w.G3.Root.Revoke(w.G3.MOICA.Cert, noon(), pkitest.ReasonCACompromise)
	_, err := w.verifier.Certificate(t.Context(), w.card.Cert.Raw, nil)
	asJSON, jsonErr := json.Marshal(err)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	var got map[string]any
	if err := json.Unmarshal(asJSON, &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"reason": "revoked", "retryable": false, "indication": "INDETERMINATE", "subIndication": "REVOKED_CA_NO_POE"} {
		if got[name] != want {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
}
