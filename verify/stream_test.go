package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// attachedHeads returns what stands before and behind n octets of content, of which
// sum is the SHA-256, in a SignedData in DER.
func (w *world) attachedHeads(t testing.TB, n int, sum []byte) (before, behind []byte) {
	t.Helper()
	doc, err := der.Scan(w.sign(t, w.card, "", &pkitest.CMSOptions{MessageDigest: sum}), der.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	inside := func(e der.Element) []der.Element {
		r := e.Reader()
		return slices.Collect(r.All())
	}
	contentInfo := inside(doc.Root())
	signedData := inside(inside(contentInfo[1])[0])
	for _, e := range signedData[3:] {
		behind = append(behind, e.Raw...)
	}
	around := func(identifier byte, first []byte, rest int) []byte {
		length := len(first) + n + rest
		return append([]byte{identifier, 0x84, byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}, first...)
	}
	before = around(0xa0, around(0x04, nil, 0), 0)
	before = around(0x30, slices.Concat(inside(signedData[2])[0].Raw, before), 0)
	before = around(0x30, slices.Concat(signedData[0].Raw, signedData[1].Raw, before), len(behind))
	before = around(0xa0, before, len(behind))
	before = around(0x30, slices.Concat(contentInfo[0].Raw, before), len(behind))
	return before, behind
}

// streamedHeads returns the same for content in pieces, whatever its length.
func (w *world) streamedHeads(t testing.TB, sum []byte) (before, behind []byte) {
	t.Helper()
	empty := []byte{0x24, 0x80, 0x00, 0x00}
	der := w.sign(t, w.card, "", &pkitest.CMSOptions{Chunks: 1, RawContent: empty, MessageDigest: sum})
	at := bytes.Index(der, empty) + 2
	return der[:at], der[at:]
}

// The verdict and the content are those of the message in memory.
func TestCopyUnverified(t *testing.T) {
	w := newWorld(t)
	line := "citizencert:1/signin/tax.example/tax/1/abc"
	for _, tt := range []struct {
		name, content string
		opts          pkitest.CMSOptions
		line          string
		want          verify.Reason
	}{
		{"attached", filing, pkitest.CMSOptions{}, "", ""},
		{"in pieces", filing, pkitest.CMSOptions{Chunks: 7}, "", ""},
		{"no octets", "", pkitest.CMSOptions{}, "", ""},
		{"SHA-512", filing, pkitest.CMSOptions{Hash: crypto.SHA512}, "", ""},
		{"a megabyte", strings.Repeat("x", 1<<20), pkitest.CMSOptions{}, "", ""},
		{"a megabyte in pieces", strings.Repeat("x", 1<<20), pkitest.CMSOptions{Chunks: 10_000}, "", ""},
		{"detached", filing, pkitest.CMSOptions{Detached: true}, "", verify.ReasonContentMissing},
		{"another content", filing, pkitest.CMSOptions{Content: []byte("another")}, "", verify.ReasonDigestMismatch},
		{"bad signature", filing, pkitest.CMSOptions{BreakSignature: true}, "", verify.ReasonBadSignature},
		{"no signedAttrs", filing, pkitest.CMSOptions{NoSignedAttributes: true}, "", verify.ReasonSignedAttributes},
		{"SHA-1", filing, pkitest.CMSOptions{Hash: crypto.SHA1}, "", verify.ReasonAlgorithm},
		{"a time-stamp", filing, pkitest.CMSOptions{ContentType: pkitest.OIDTSTInfo}, "", verify.ReasonContentType},
		{"trailing bytes", filing, pkitest.CMSOptions{Trailing: []byte{0}}, "", verify.ReasonMalformed},
		{"no SignerInfo", filing, pkitest.CMSOptions{NoSigners: true}, "", verify.ReasonNoSigner},
		{"another type of content", filing, pkitest.CMSOptions{RawContent: []byte{0x30, 0}}, "", verify.ReasonMalformed},
		{"a line", line, pkitest.CMSOptions{}, "", verify.ReasonPurpose},
		{"the line", line, pkitest.CMSOptions{}, line, ""},
		{"the line and more", line + "d", pkitest.CMSOptions{}, line, verify.ReasonPurpose},
		{"a document for the line", strings.Repeat("x", 10_000), pkitest.CMSOptions{}, line, verify.ReasonPurpose},
	} {
		t.Run(tt.name, func(t *testing.T) {
			der := w.sign(t, w.card, tt.content, &tt.opts)
			opts := &verify.Options{Line: tt.line}
			res, err := w.verifier.SignedData(t.Context(), der, opts)
			wantReason(t, res, err, tt.want)
			var got bytes.Buffer
			res, err = w.verifier.CopyUnverified(t.Context(), &got, bytes.NewReader(der), opts)
			wantReason(t, res, err, tt.want)
			if err == nil && (got.String() != tt.content || res.Content != nil) {
				t.Errorf("got %.100q and in the result %.100q, want %.100q in the copy", got.String(), res.Content, tt.content)
			}
			res, err = w.verifier.CopyUnverified(t.Context(), nil, iotest.HalfReader(bytes.NewReader(der)), opts)
			wantReason(t, res, err, tt.want)
		})
	}
	t.Run("digestAlgorithms without that of the signer", func(t *testing.T) {
		der := w.sign(t, w.card, filing, &pkitest.CMSOptions{DigestAlgorithms: []crypto.Hash{crypto.SHA512}})
		res, err := w.verifier.CopyUnverified(t.Context(), nil, bytes.NewReader(der), nil)
		wantReason(t, res, err, verify.ReasonAlgorithm)
		res, err = w.verifier.SignedData(t.Context(), der, nil)
		wantReason(t, res, err, "")
	})
	t.Run("without signedAttrs, tolerated", func(t *testing.T) {
		v := w.newVerifier(t, func(cfg *verify.Config) { cfg.InsecureAllowNoSignedAttributes = true })
		der := w.sign(t, w.card, filing, &pkitest.CMSOptions{NoSignedAttributes: true})
		res, err := v.CopyUnverified(t.Context(), nil, bytes.NewReader(der), nil)
		wantReason(t, res, err, "")
		attributes := string(pkitest.EncodeAttributes([]pkitest.Attribute{pkitest.MessageDigest(make([]byte, 32))}))
		der = w.sign(t, w.card, attributes, &pkitest.CMSOptions{NoSignedAttributes: true})
		res, err = v.CopyUnverified(t.Context(), nil, bytes.NewReader(der), nil)
		wantReason(t, res, err, verify.ReasonSignedAttributes)
	})
	t.Run("2 MiB besides the content", func(t *testing.T) {
		der := w.sign(t, w.card, filing, &pkitest.CMSOptions{CRLs: [][]byte{pkitest.MessageDigest(make([]byte, 2<<20)).Values[0]}})
		res, err := w.verifier.CopyUnverified(t.Context(), nil, bytes.NewReader(der), nil)
		wantReason(t, res, err, verify.ReasonLimit)
	})
}

// What goes wrong outside the message says nothing of it.
func TestCopyUnverifiedFailures(t *testing.T) {
	w := newWorld(t)
	der := w.sign(t, w.card, filing, nil)
	gone := errors.New("gone")
	for n := range der {
		r := io.MultiReader(bytes.NewReader(der[:n]), iotest.ErrReader(gone))
		res, err := w.verifier.CopyUnverified(t.Context(), nil, r, nil)
		wantReason(t, res, err, verify.ReasonCanceled)
		if !errors.Is(err, gone) {
			t.Errorf("got %v, want the reader's error in it", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	res, err := w.verifier.CopyUnverified(ctx, nil, bytes.NewReader(der), nil)
	wantReason(t, res, err, verify.ReasonCanceled)
	in, out := io.Pipe()
	in.CloseWithError(gone)
	res, err = w.verifier.CopyUnverified(t.Context(), out, bytes.NewReader(der), nil)
	wantReason(t, res, err, verify.ReasonCanceled)
	res, err = w.verifier.CopyUnverified(t.Context(), nil, nil, nil)
	wantReason(t, res, err, verify.ReasonMalformed)
}

// FuzzStream checks that the verdict on a message does not depend on how it is
// read.
func FuzzStream(f *testing.F) {
	w := newWorld(f)
	for _, opts := range []*pkitest.CMSOptions{nil, {Chunks: 3}, {ByKeyID: true}, {Detached: true}, {NoSignedAttributes: true}, {Hash: crypto.SHA512}} {
		f.Add(w.sign(f, w.card, filing, opts))
	}
	v := w.newVerifier(f, func(cfg *verify.Config) {
		cfg.Status, cfg.InsecureSkipRevocation, cfg.InsecureAllowNoSignedAttributes = nil, true, true
	})
	f.Fuzz(func(t *testing.T, der []byte) {
		want, wantErr := v.SignedData(t.Context(), der, nil)
		var content bytes.Buffer
		got, err := v.CopyUnverified(t.Context(), &content, bytes.NewReader(der), nil)
		checkOutcome(t, got, err)
		if wantErr == nil && err != nil && strings.Contains(err.Error(), "is not among the digestAlgorithms") {
			return
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("got error %v, of the whole %v", err, wantErr)
		}
		if err == nil && (!bytes.Equal(content.Bytes(), want.Content) || !got.Signers[0].Path[0].Equal(want.Signers[0].Path[0])) {
			t.Errorf("got content %q, of the whole %q", content.Bytes(), want.Content)
		}
	})
}

// The cost beside that of hashing the content.
func BenchmarkCopyUnverified(b *testing.B) {
	w := newWorld(b)
	v := w.newVerifier(b, func(cfg *verify.Config) { cfg.Status, cfg.InsecureSkipRevocation = nil, true })
	for _, size := range []int{10 << 10, 100 << 20} {
		content := make([]byte, size)
		sum := sha256.Sum256(content)
		before, behind := w.attachedHeads(b, size, sum[:])
		message := slices.Concat(before, content, behind)
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.CopyUnverified(b.Context(), nil, bytes.NewReader(message), nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("size=%d/hash-alone", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				sha256.Sum256(content)
			}
		})
	}
}
