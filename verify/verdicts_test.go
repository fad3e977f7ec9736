package verify_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// cosigned has the filing signed by the world's card and, with the options, by
// others. SignerInfos stand in the order in which they are given.
func (w *world) cosigned(t testing.TB, first pkitest.CMSOptions, others ...pkitest.CoSigner) []byte {
	t.Helper()
	first.Certificates = []*x509.Certificate{w.card.Cert}
	for _, co := range others {
		first.Certificates = append(first.Certificates, co.Cert)
	}
	first.CoSigners = others
	return w.sign(t, w.card, filing, &first)
}

func coSigner(card *pkitest.Card, opts *pkitest.CMSOptions) pkitest.CoSigner {
	return pkitest.CoSigner{Signer: pkitest.Signer{Cert: card.Cert, Key: card.Key}, Options: opts}
}

// Each signer has a verdict. Unless the caller asks for fewer, all must pass.
func TestSignerVerdicts(t *testing.T) {
	w := newWorld(t)
	second, third := w.issue(t, w.G2), w.issue(t, w.G3)
	revoked := w.issue(t, w.G3)
	w.G3.MOICA.Revoke(revoked.Cert, noon().Add(-time.Hour), pkitest.ReasonKeyCompromise)
	good := pkitest.CMSOptions{}
	broken := pkitest.CMSOptions{BreakSignature: true}
	other := pkitest.CMSOptions{MessageDigest: make([]byte, 32)}
	plain := pkitest.CMSOptions{NoSignedAttributes: true}
	for _, tt := range []struct {
		name   string
		der    []byte
		min    int
		want   verify.Reason
		passed []int
		failed map[int]verify.Reason
	}{
		{"three of three", w.cosigned(t, good, coSigner(second, nil), coSigner(third, nil)), 0, "", []int{0, 1, 2}, nil},
		{"three of which two must", w.cosigned(t, good, coSigner(second, nil), coSigner(third, nil)), 2, "", []int{0, 1, 2}, nil},
		{"bad signature", w.cosigned(t, good, coSigner(second, &broken), coSigner(third, &other)), 0, verify.ReasonBadSignature, nil,
			map[int]verify.Reason{1: verify.ReasonBadSignature}},
		{"two bad signatures", w.cosigned(t, good, coSigner(second, &broken), coSigner(third, &broken)), 0, verify.ReasonBadSignature, nil,
			map[int]verify.Reason{1: verify.ReasonBadSignature, 2: verify.ReasonBadSignature}},
		{"one of three", w.cosigned(t, good, coSigner(second, &broken), coSigner(third, &other)), 1, "", []int{0},
			map[int]verify.Reason{1: verify.ReasonBadSignature, 2: verify.ReasonDigestMismatch}},
		{"the last of three", w.cosigned(t, plain, coSigner(second, &broken), coSigner(third, nil)), 1, "", []int{2},
			map[int]verify.Reason{0: verify.ReasonSignedAttributes, 1: verify.ReasonBadSignature}},
		{"one, two must", w.cosigned(t, good, coSigner(second, &broken), coSigner(third, &other)), 2, verify.ReasonBadSignature, nil,
			map[int]verify.Reason{1: verify.ReasonBadSignature, 2: verify.ReasonDigestMismatch}},
		{"none, one must", w.cosigned(t, plain, coSigner(second, &plain)), 1, verify.ReasonSignedAttributes, nil,
			map[int]verify.Reason{0: verify.ReasonSignedAttributes, 1: verify.ReasonSignedAttributes}},
		{"one revoked", w.cosigned(t, good, coSigner(revoked, nil)), 0, verify.ReasonRevoked, nil, map[int]verify.Reason{1: verify.ReasonRevoked}},
		{"one revoked, one must", w.cosigned(t, good, coSigner(revoked, nil)), 1, "", []int{0}, map[int]verify.Reason{1: verify.ReasonRevoked}},
		{"two, three must", w.cosigned(t, good, coSigner(second, nil)), 3, verify.ReasonNoSigner, nil, nil},
		{"one holder twice, two must", w.cosigned(t, good, coSigner(w.card, &pkitest.CMSOptions{SigningTime: noon().Add(time.Hour)})), 2, verify.ReasonNoSigner, nil, nil},
		{"one holder twice", w.cosigned(t, good, coSigner(w.card, &pkitest.CMSOptions{SigningTime: noon().Add(time.Hour)})), 1, "", []int{0, 1}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := w.verifier.SignedData(t.Context(), tt.der, &verify.Options{InsecureMinSigners: tt.min})
			wantReason(t, res, err, tt.want)
			var failed []*verify.Error
			var passed []int
			if e, ok := errors.AsType[*verify.Error](err); ok {
				failed = e.Signers
			} else {
				failed = res.Refused
				for _, s := range res.Signers {
					passed = append(passed, s.Index)
				}
			}
			if len(passed) != len(tt.passed) {
				t.Errorf("got signers %v, want %v", passed, tt.passed)
			}
			for i := range min(len(passed), len(tt.passed)) {
				if passed[i] != tt.passed[i] {
					t.Errorf("got signers %v, want %v", passed, tt.passed)
				}
			}
			if len(failed) != len(tt.failed) {
				t.Errorf("got %d refusals %v, want %v", len(failed), failed, tt.failed)
			}
			for _, e := range failed {
				if tt.failed[e.Signer] != e.Reason {
					t.Errorf("signer %d: got %s, want %s", e.Signer, e.Reason, tt.failed[e.Signer])
				}
			}
		})
	}
}

// What might pass another time is told apart from what never will.
func TestSignerVerdictsRetryable(t *testing.T) {
	w := newWorld(t)
	second := w.issue(t, w.G2)
	silent := w.newVerifier(t, func(cfg *verify.Config) { cfg.Status = []verify.StatusSource{knowsNothing{}} })
	res, err := silent.SignedData(t.Context(), w.cosigned(t, pkitest.CMSOptions{BreakSignature: true}, coSigner(second, nil)), &verify.Options{InsecureMinSigners: 1})
	wantReason(t, res, err, verify.ReasonStatusUnavailable)
	res, err = silent.SignedData(t.Context(), w.cosigned(t, pkitest.CMSOptions{BreakSignature: true}, coSigner(second, nil)), nil)
	wantReason(t, res, err, verify.ReasonBadSignature)
}

// counterSignature signs the signature of the first SignerInfo of der, and returns
// the attribute that carries it.
func counterSignature(t testing.TB, der []byte, card *pkitest.Card, opts pkitest.CMSOptions) pkitest.Attribute {
	t.Helper()
	message, err := cms.Parse(der, cms.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if opts.EditAttributes == nil {
		opts.EditAttributes = without(pkitest.OIDContentType)
	}
	counter, err := card.SignPKCS7(message.SignerInfos[0].Signature, &opts)
	if err != nil {
		t.Fatal(err)
	}
	if message, err = cms.Parse(counter, cms.Limits{}); err != nil {
		t.Fatal(err)
	}
	return pkitest.Attribute{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}, Values: [][]byte{message.SignerInfos[0].Raw}}
}

// Counter-signatures have verdicts of their own and leave that on the signer alone.
func TestCounterSignatures(t *testing.T) {
	w := newWorld(t)
	notary := w.issue(t, w.G2)
	revoked := w.issue(t, w.G3)
	w.G3.MOICA.Revoke(revoked.Cert, noon().Add(-time.Hour), pkitest.ReasonKeyCompromise)
	certificates := []*x509.Certificate{w.card.Cert, notary.Cert, revoked.Cert}
	bare := w.sign(t, w.card, filing, &pkitest.CMSOptions{Certificates: certificates})
	another := w.sign(t, w.card, filing+"?", nil)
	keep := func(a []pkitest.Attribute) []pkitest.Attribute { return a }
	for _, tt := range []struct {
		name      string
		attribute pkitest.Attribute
		want      verify.Reason
	}{
		{"good", counterSignature(t, bare, notary, pkitest.CMSOptions{}), ""},
		{"SHA-512", counterSignature(t, bare, notary, pkitest.CMSOptions{Hash: crypto.SHA512}), ""},
		{"by the signer", counterSignature(t, bare, w.card, pkitest.CMSOptions{}), ""},
		{"of another signature", counterSignature(t, another, notary, pkitest.CMSOptions{}), verify.ReasonDigestMismatch},
		{"broken", counterSignature(t, bare, notary, pkitest.CMSOptions{BreakSignature: true}), verify.ReasonBadSignature},
		{"with a content type", counterSignature(t, bare, notary, pkitest.CMSOptions{EditAttributes: keep}), verify.ReasonSignedAttributes},
		{"without signedAttrs", counterSignature(t, bare, notary, pkitest.CMSOptions{NoSignedAttributes: true}), verify.ReasonSignedAttributes},
		{"SHA-1", counterSignature(t, bare, notary, pkitest.CMSOptions{Hash: crypto.SHA1}), verify.ReasonAlgorithm},
		{"revoked", counterSignature(t, bare, revoked, pkitest.CMSOptions{}), verify.ReasonRevoked},
		{"by nobody", counterSignature(t, bare, w.issue(t, w.G3), pkitest.CMSOptions{}), verify.ReasonNoSigner},
		{"no SignerInfo", pkitest.Attribute{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}, Values: [][]byte{{5, 0}}}, verify.ReasonMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			der := w.sign(t, w.card, filing, &pkitest.CMSOptions{Certificates: certificates, UnsignedAttributes: []pkitest.Attribute{tt.attribute}})
			res, err := w.verifier.SignedData(t.Context(), der, nil)
			if err != nil {
				t.Fatal(err)
			}
			all := res.Signers[0].CounterSignatures
			if len(res.Signers) != 1 || len(all) != 1 {
				t.Fatalf("got %d signers and %d counter-signatures, want one each", len(res.Signers), len(all))
			}
			switch got := all[0]; {
			case tt.want == "" && got.Err != nil, tt.want == "" && len(got.Signer.Revocation) != 2:
				t.Errorf("got %+v, want a signer with status", got)
			case tt.want != "" && (got.Signer != nil || got.Err == nil || got.Err.Reason != tt.want):
				t.Errorf("got %+v, want %s", got, tt.want)
			}
		})
	}
	t.Run("more than there may be", func(t *testing.T) {
		attribute := counterSignature(t, bare, notary, pkitest.CMSOptions{})
		for range 19 {
			attribute.Values = append(attribute.Values, attribute.Values[0])
		}
		der := w.sign(t, w.card, filing, &pkitest.CMSOptions{Certificates: certificates, UnsignedAttributes: []pkitest.Attribute{attribute}})
		res, err := w.verifier.SignedData(t.Context(), der, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(res.Signers[0].CounterSignatures); got != 20 {
			t.Errorf("got %d counter-signatures, want 20", got)
		}
		for i, c := range res.Signers[0].CounterSignatures {
			if looked := c.Signer != nil; looked != (i < 15) || !looked && c.Err.Reason != verify.ReasonLimit {
				t.Errorf("counter-signature %d: got %+v", i, c)
			}
		}
	})
	t.Run("on a refused message", func(t *testing.T) {
		attribute := counterSignature(t, bare, notary, pkitest.CMSOptions{})
		der := w.sign(t, w.card, filing, &pkitest.CMSOptions{Certificates: certificates, BreakSignature: true, UnsignedAttributes: []pkitest.Attribute{attribute}})
		res, err := w.verifier.SignedData(t.Context(), der, nil)
		wantReason(t, res, err, verify.ReasonBadSignature)
	})
}

// knowsNothing is a source of status that is not to be reached.
type knowsNothing struct{}

func (knowsNothing) Status(context.Context, verify.StatusQuery) ([]verify.StatusReport, error) {
	return nil, errors.New("no answer")
}
