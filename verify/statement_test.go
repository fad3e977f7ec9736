package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// fileLine is a line about the filing that is good for ten minutes, with changes.
func fileLine(t testing.TB, change func(*signin.Line)) string {
	t.Helper()
	l := signin.Line{
		Purpose:   signin.File,
		Host:      "localhost:8080",
		Service:   "tax",
		Expiry:    noon().Add(10 * time.Minute),
		Challenge: [signin.ChallengeSize]byte{1},
		Digest:    sha256.Sum256([]byte(filing)),
	}
	if change != nil {
		change(&l)
	}
	text, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func here() *verify.StatementOptions {
	return &verify.StatementOptions{Host: "localhost:8080", Service: "tax"}
}

// Every line is signed in each of the forms; what is wrong with it is found
// whatever the form.
func TestStatement(t *testing.T) {
	w := newWorld(t)
	purpose := verify.ReasonPurpose
	for _, tt := range []struct {
		name, line, document string
		opts                 *verify.StatementOptions
		want                 verify.Reason
	}{
		{"a filing", fileLine(t, nil), filing, here(), ""},
		{"an empty document", fileLine(t, func(l *signin.Line) { l.Digest = sha256.Sum256(nil) }), "", here(), ""},
		{"another document", fileLine(t, nil), filing + ".", here(), verify.ReasonDigestMismatch},
		{"no octets", fileLine(t, nil), "", here(), verify.ReasonDigestMismatch},
		{"no options", fileLine(t, nil), filing, nil, purpose},
		{"no host", fileLine(t, nil), filing, &verify.StatementOptions{Service: "tax"}, purpose},
		{"no service", fileLine(t, nil), filing, &verify.StatementOptions{Host: "localhost:8080"}, purpose},
		{"another host", fileLine(t, func(l *signin.Line) { l.Host = "localhost:8081" }), filing, here(), purpose},
		{"another service", fileLine(t, func(l *signin.Line) { l.Service = "health" }), filing, here(), purpose},
		{"a sign-in", fileLine(t, func(l *signin.Line) { l.Purpose, l.Digest = signin.SignIn, [32]byte{} }), filing, here(), purpose},
		{"a consent", fileLine(t, func(l *signin.Line) { l.Purpose = signin.Consent }), filing, here(), purpose},
		{"a public host in the test environment", fileLine(t, func(l *signin.Line) { l.Host = "tax.example.gov.tw" }), filing,
			&verify.StatementOptions{Host: "tax.example.gov.tw", Service: "tax"}, verify.ReasonEnvironment},
		{"one second left", fileLine(t, func(l *signin.Line) { l.Expiry = noon().Add(time.Second) }), filing, here(), ""},
		{"expired", fileLine(t, func(l *signin.Line) { l.Expiry = noon() }), filing, here(), purpose},
		{"expired since it was received", fileLine(t, func(l *signin.Line) { l.Expiry = noon() }), filing,
			&verify.StatementOptions{Host: "localhost:8080", Service: "tax", Options: verify.Options{ReceivedAt: noon().Add(-time.Second)}}, ""},
		{"no line", "", filing, here(), purpose},
		{"a line and a line break", fileLine(t, nil) + "\n", filing, here(), purpose},
		{"in upper case", strings.ToUpper(fileLine(t, nil)), filing, here(), purpose},
		{"the document for the line", filing, filing, here(), purpose},
		{"a line as document", fileLine(t, func(l *signin.Line) { l.Digest = sha256.Sum256([]byte("citizencert:1/x")) }), "citizencert:1/x", here(), purpose},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for form, signed := range w.statements(t, tt.line) {
				res, err := w.verifier.Statement(t.Context(), tt.line, signed.signature, signed.certificate, strings.NewReader(tt.document), tt.opts)
				wantReason(t, res, err, tt.want)
				if err == nil && !res.Signers[0].Path[0].Equal(w.card.Cert) {
					t.Errorf("%s: got another signer", form)
				}
			}
		})
	}
}

// A signedStatement is what comes back from a client.
type signedStatement struct{ signature, certificate []byte }

// statements has the world's card sign a line in every form.
func (w *world) statements(t testing.TB, line string) map[string]signedStatement {
	t.Helper()
	bare, err := w.card.SignPKCS1([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]signedStatement{
		"PKCS#1":          {bare, w.card.Cert.Raw},
		"PKCS#7":          {w.sign(t, w.card, line, nil), nil},
		"PKCS#7 detached": {w.sign(t, w.card, line, &pkitest.CMSOptions{Detached: true}), nil},
	}
}

// The signature is over this line, by a certificate that holds.
func TestStatementSignatures(t *testing.T) {
	w := newWorld(t)
	line := fileLine(t, nil)
	other := fileLine(t, func(l *signin.Line) { l.Challenge[1] = 1 })
	stranger := w.issue(t, w.G3)
	revoked := w.issue(t, w.G3)
	w.G3.MOICA.Revoke(revoked.Cert, noon().Add(-time.Hour), pkitest.ReasonKeyCompromise)
	bare, ofOther := w.statements(t, line)["PKCS#1"], w.statements(t, other)
	sum := sha512.Sum512([]byte(line))
	bySHA512, err := w.card.Key.Sign(nil, sum[:], crypto.SHA512)
	if err != nil {
		t.Fatal(err)
	}
	byRevoked, err := revoked.SignPKCS1([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	withSHA512 := here()
	withSHA512.Algorithm = x509.SHA512WithRSA
	for _, tt := range []struct {
		name                   string
		signature, certificate []byte
		opts                   *verify.StatementOptions
		want                   verify.Reason
	}{
		{"as signed", bare.signature, bare.certificate, here(), ""},
		{"of another line", ofOther["PKCS#1"].signature, bare.certificate, here(), verify.ReasonBadSignature},
		{"of another line, attached", ofOther["PKCS#7"].signature, nil, here(), verify.ReasonPurpose},
		{"of another line, detached", ofOther["PKCS#7 detached"].signature, nil, here(), verify.ReasonDigestMismatch},
		{"of the document", w.sign(t, w.card, filing, nil), nil, here(), verify.ReasonPurpose},
		{"UTF-16LE", w.sign(t, w.card, wide(line), nil), nil, here(), verify.ReasonPurpose},
		{"another citizen's certificate", bare.signature, stranger.Cert.Raw, here(), verify.ReasonBadSignature},
		{"no certificate", bare.signature, nil, here(), verify.ReasonMalformed},
		{"an empty certificate", bare.signature, []byte{}, here(), verify.ReasonMalformed},
		{"SHA-512, not asked for", bySHA512, bare.certificate, here(), verify.ReasonBadSignature},
		{"SHA-512, asked for", bySHA512, bare.certificate, withSHA512, ""},
		{"revoked", byRevoked, revoked.Cert.Raw, here(), verify.ReasonRevoked},
		{"revoked, PKCS#7", w.sign(t, revoked, line, nil), nil, here(), verify.ReasonRevoked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := w.verifier.Statement(t.Context(), line, tt.signature, tt.certificate, strings.NewReader(filing), tt.opts)
			wantReason(t, res, err, tt.want)
		})
	}
	t.Run("no document", func(t *testing.T) {
		res, err := w.verifier.Statement(t.Context(), line, bare.signature, bare.certificate, nil, here())
		wantReason(t, res, err, verify.ReasonContentMissing)
	})
	t.Run("a reader that fails", func(t *testing.T) {
		res, err := w.verifier.Statement(t.Context(), line, bare.signature, bare.certificate, iotest.ErrReader(errors.New("gone")), here())
		wantReason(t, res, err, verify.ReasonCanceled)
	})
	t.Run("a context that has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		res, err := w.verifier.Statement(ctx, line, bare.signature, bare.certificate, strings.NewReader(filing), here())
		wantReason(t, res, err, verify.ReasonCanceled)
	})
	t.Run("legacy forms", func(t *testing.T) {
		v := w.newVerifier(t, func(cfg *verify.Config) { cfg.InsecureAllowUTF16Line, cfg.InsecureAllowNoSignedAttributes = true, true })
		der := w.sign(t, w.card, wide(line), &pkitest.CMSOptions{NoSignedAttributes: true})
		res, err := v.Statement(t.Context(), line, der, nil, strings.NewReader(filing), here())
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Signers[0].Deviations; len(got) != 2 {
			t.Errorf("got deviations %v, want two", got)
		}
	})
}

// A line signed under a scheme for the public serves no developer's desk.
func TestStatementEnvironment(t *testing.T) {
	w := newWorld(t)
	custom := func(e verify.Environment) *verify.Verifier {
		return w.newVerifier(t, func(cfg *verify.Config) { cfg.Scheme.Environment = e })
	}
	for _, tt := range []struct {
		environment verify.Environment
		host        string
		want        verify.Reason
	}{
		{verify.Production, "tax.example.gov.tw", ""},
		{verify.Production, "localhost:8080", verify.ReasonEnvironment},
		{verify.Test, "localhost:8080", ""},
		{verify.Test, "tax.example.gov.tw", verify.ReasonEnvironment},
		{verify.Custom, "localhost:8080", ""},
		{verify.Custom, "tax.example.gov.tw", ""},
	} {
		line := fileLine(t, func(l *signin.Line) { l.Host = tt.host })
		opts := &verify.StatementOptions{Host: tt.host, Service: "tax"}
		for _, signed := range w.statements(t, line) {
			res, err := custom(tt.environment).Statement(t.Context(), line, signed.signature, signed.certificate, strings.NewReader(filing), opts)
			wantReason(t, res, err, tt.want)
		}
	}
}

// Whatever the line and the signature, the outcome is a result or a *verify.Error.
func FuzzStatement(f *testing.F) {
	w := newWorld(f)
	v := w.newVerifier(f, func(cfg *verify.Config) { cfg.Status, cfg.InsecureSkipRevocation = nil, true })
	line := fileLine(f, nil)
	for _, signed := range w.statements(f, line) {
		f.Add(line, signed.signature, signed.certificate)
	}
	f.Fuzz(func(t *testing.T, line string, signature, certificate []byte) {
		res, err := v.Statement(t.Context(), line, signature, certificate, bytes.NewReader([]byte(filing)), here())
		checkOutcome(t, res, err)
		if err == nil {
			l, err := signin.ParseLine(line)
			if err != nil || l.Purpose != signin.File || l.Digest != sha256.Sum256([]byte(filing)) {
				t.Errorf("accepted %q (%v)", line, err)
			}
		}
	})
}
