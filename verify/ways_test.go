package verify_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// sumsOf returns the digests of content that a signer may have used.
func sumsOf(content []byte) map[crypto.Hash][]byte {
	sums := make(map[crypto.Hash][]byte)
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		h := hash.New()
		h.Write(content)
		sums[hash] = h.Sum(nil)
	}
	return sums
}

// A way is one of the methods that judge a message, with content besides.
type way struct {
	name string
	ask  func(der, content []byte) (*verify.Result, error)
}

// waysIn returns those that need the content inside before the others.
func waysIn(t testing.TB, v *verify.Verifier, opts *verify.Options) (inside, apart []way) {
	return []way{
			{"SignedData", func(der, _ []byte) (*verify.Result, error) { return v.SignedData(t.Context(), der, opts) }},
			{"CopyUnverified", func(der, _ []byte) (*verify.Result, error) {
				return v.CopyUnverified(t.Context(), nil, bytes.NewReader(der), opts)
			}},
		}, []way{
			{"Detached", func(der, content []byte) (*verify.Result, error) {
				return v.Detached(t.Context(), der, bytes.NewReader(content), opts)
			}},
			{"Digest", func(der, content []byte) (*verify.Result, error) {
				return v.Digest(t.Context(), der, sumsOf(content), opts)
			}},
		}
}

// An outcome is what comes of asking.
type outcome struct {
	res *verify.Result
	err error
}

func (o outcome) reason() verify.Reason {
	if e, ok := errors.AsType[*verify.Error](o.err); ok {
		return e.Reason
	}
	return ""
}

// wantSame checks that a way has the outcome of SignedData.
func wantSame(t *testing.T, way string, got, want outcome) {
	t.Helper()
	sameSigner := func(a, b verify.Signer) bool {
		return a.Index == b.Index && a.At.Equal(b.At) && a.AtKind == b.AtKind && slices.Equal(a.Deviations, b.Deviations)
	}
	switch {
	case got.err != nil && want.reason() == verify.ReasonPurpose:
		// Content from elsewhere is looked at last: what is wrong besides may come first.
	case got.reason() != want.reason():
		t.Errorf("%s: got %v, of SignedData %v", way, got.err, want.err)
	case got.err == nil && !slices.EqualFunc(got.res.Signers, want.res.Signers, sameSigner):
		t.Errorf("%s: got signers %v, of SignedData %v", way, got.res.Signers, want.res.Signers)
	}
}

// The verdict on a message does not depend on which method is asked, nor on
// whether the content is inside or apart.
func TestWaysIn(t *testing.T) {
	w := newWorld(t)
	second := w.issue(t, w.G2)
	line := "citizencert:1/signin/tax.example/tax/1/abc"
	two := func(opts *pkitest.CMSOptions) pkitest.CMSOptions {
		return pkitest.CMSOptions{Certificates: []*x509.Certificate{w.card.Cert, second.Cert}, CoSigners: []pkitest.CoSigner{coSigner(second, opts)}}
	}
	direct := pkitest.CMSOptions{NoSignedAttributes: true}
	attributes := string(pkitest.EncodeAttributes([]pkitest.Attribute{pkitest.MessageDigest(make([]byte, 32))}))
	messages := []struct {
		name, content string
		opts          pkitest.CMSOptions
	}{
		{"a document", filing, pkitest.CMSOptions{}},
		{"a long document", strings.Repeat(filing, 1000), pkitest.CMSOptions{}},
		{"no octets", "", pkitest.CMSOptions{}},
		{"by key identifier", filing, pkitest.CMSOptions{ByKeyID: true}},
		{"SHA-512", filing, pkitest.CMSOptions{Hash: crypto.SHA512}},
		{"SHA-1", filing, pkitest.CMSOptions{Hash: crypto.SHA1}},
		{"two hashes", filing, pkitest.CMSOptions{SignatureHash: crypto.SHA512}},
		{"RSA-PSS", filing, pkitest.CMSOptions{PSS: &pkitest.PSS{}}},
		{"bad signature", filing, pkitest.CMSOptions{BreakSignature: true}},
		{"another digest", filing, pkitest.CMSOptions{MessageDigest: make([]byte, 32)}},
		{"a time-stamp", filing, pkitest.CMSOptions{ContentType: pkitest.OIDTSTInfo}},
		{"out of order", filing, pkitest.CMSOptions{AttributeOrder: pkitest.AttributesAsGiven, EditAttributes: reversed}},
		{"two signers", filing, two(nil)},
		{"two digests", filing, two(&pkitest.CMSOptions{Hash: crypto.SHA512})},
		{"two signers, one bad", filing, two(&pkitest.CMSOptions{BreakSignature: true})},
		{"two signers, one of another content", filing, two(&pkitest.CMSOptions{MessageDigest: make([]byte, 32)})},
		{"no signedAttrs", filing, direct},
		{"attributes as content", attributes, direct},
		{"a line", line, pkitest.CMSOptions{}},
		{"a line without signedAttrs", line, direct},
		{"another line", line + "d", pkitest.CMSOptions{}},
		{"a wide line", wide(line), pkitest.CMSOptions{}},
		{"a wide line with a mark", "\xff\xfe" + wide(line), pkitest.CMSOptions{}},
	}
	for name, change := range map[string]func(*verify.Config){"strict": nil, "tolerant": tolerateAll} {
		v := w.newVerifier(t, change)
		for about, opts := range map[string]verify.Options{
			"a document":   {},
			"the line":     {Line: line},
			"one signer":   {InsecureMinSigners: 1},
			"two holders":  {InsecureMinSigners: 2},
			"a time-stamp": {ContentTypes: []string{pkitest.OIDTSTInfo.String()}},
			"the past":     {ReceivedAt: noon().AddDate(-10, 0, 0)},
		} {
			inside, apart := waysIn(t, v, &opts)
			for _, m := range messages {
				t.Run(name+"/"+about+"/"+m.name, func(t *testing.T) {
					content := []byte(m.content)
					attached := w.sign(t, w.card, m.content, &m.opts)
					m.opts.Detached = true
					detached := w.sign(t, w.card, m.content, &m.opts)
					ask := func(way way, der []byte) outcome {
						res, err := way.ask(der, content)
						return outcome{res, err}
					}
					want := ask(inside[0], attached)
					wantSame(t, inside[1].name, ask(inside[1], attached), want)
					for _, way := range apart {
						of, ofDetached := ask(way, attached), ask(way, detached)
						if way.name == "Digest" && m.opts.NoSignedAttributes {
							// There is nothing to look at whether it is a set of attributes.
							if of.err == nil || ofDetached.err == nil {
								t.Error("Digest: got no error for a signature over the content itself")
							}
							continue
						}
						wantSame(t, way.name, of, want)
						if way.name == "Digest" && opts.Line == "" && want.reason() == verify.ReasonPurpose {
							continue // whoever gives a digest answers for what it is of
						}
						wantSame(t, way.name+" of content apart", ofDetached, want)
					}
				})
			}
		}
	}
}

func tolerateAll(cfg *verify.Config) {
	cfg.InsecureAllowSHA1, cfg.InsecureAllowMixedHashes, cfg.InsecureAllowUnsortedAttributes = true, true, true
	cfg.InsecureAllowNoSignedAttributes, cfg.InsecureAllowUTF16Line = true, true
}

// FuzzWaysIn checks that content given apart gets the verdict that it gets inside.
// FuzzStream does so for content that is streamed.
func FuzzWaysIn(f *testing.F) {
	w := newWorld(f)
	line := "citizencert:1/signin/tax.example/tax/1/abc"
	for _, opts := range []*pkitest.CMSOptions{nil, {Chunks: 3}, {ByKeyID: true}, {NoSignedAttributes: true}, {Hash: crypto.SHA512}} {
		f.Add(w.sign(f, w.card, filing, opts), "")
		f.Add(w.sign(f, w.card, line, opts), line)
	}
	v := w.newVerifier(f, func(cfg *verify.Config) {
		tolerateAll(cfg)
		cfg.Status, cfg.InsecureSkipRevocation = nil, true
	})
	f.Fuzz(func(t *testing.T, der []byte, line string) {
		message, err := cms.Parse(der, cms.Limits{})
		if err != nil || message.Detached {
			return
		}
		content := message.Content.Bytes()
		inside, apart := waysIn(t, v, &verify.Options{Line: line})
		res, err := inside[0].ask(der, content)
		want := outcome{res, err}
		for _, way := range apart {
			res, err := way.ask(der, content)
			checkOutcome(t, res, err)
			got := outcome{res, err}
			if way.name == "Digest" && got.reason() == verify.ReasonSignedAttributes {
				continue
			}
			if (got.err == nil) != (want.err == nil) {
				t.Errorf("%s: got %v, of SignedData %v", way.name, got.err, want.err)
			}
		}
	})
}
