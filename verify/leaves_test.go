package verify_test

import (
	"bytes"
	"crypto/fips140"
	"crypto/x509"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// What is remembered of a signer never outlives what it rests on: dates and
// status are judged anew, and another question is another question. Each case
// gets the same answer from a verifier that has accepted the signer before and
// from one that has not.
func TestRememberedSigner(t *testing.T) {
	encryption := moica.EncryptionProfile()
	for _, tt := range []struct {
		name   string
		change func(w *world, opts *verify.Options, message []byte)
		want   verify.Reason
	}{
		{"nothing changed", func(*world, *verify.Options, []byte) {}, ""},
		{"revoked since", func(w *world, _ *verify.Options, _ []byte) {
			w.G3.MOICA.Revoke(w.card.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
			w.clock.Advance(25 * time.Hour)
		}, verify.ReasonRevoked},
		{"another revoked since", func(w *world, _ *verify.Options, _ []byte) {
			w.G3.MOICA.Revoke(w.card.EncryptionCert, w.clock.Now(), pkitest.ReasonKeyCompromise)
			w.clock.Advance(25 * time.Hour)
		}, ""},
		{"suspended since", func(w *world, _ *verify.Options, _ []byte) {
			w.G3.MOICA.Suspend(w.card.Cert, w.clock.Now())
			w.clock.Advance(25 * time.Hour)
		}, verify.ReasonSuspended},
		{"CA revoked since", func(w *world, _ *verify.Options, _ []byte) {
			w.G3.Root.Revoke(w.G3.MOICA.Cert, w.clock.Now(), pkitest.ReasonCACompromise)
			w.clock.Advance(25 * time.Hour)
		}, verify.ReasonRevoked},
		{"status not to be had", func(w *world, _ *verify.Options, _ []byte) {
			w.clock.Advance(25 * time.Hour)
			w.Close()
		}, verify.ReasonStatusStale},
		{"last second", func(w *world, _ *verify.Options, _ []byte) { w.clock.Set(w.card.Cert.NotAfter) }, ""},
		{"a second after the last", func(w *world, _ *verify.Options, _ []byte) {
			w.clock.Set(w.card.Cert.NotAfter.Add(time.Second))
		}, verify.ReasonExpired},
		{"first second", func(w *world, opts *verify.Options, _ []byte) { opts.ReceivedAt = w.card.Cert.NotBefore }, ""},
		{"a second before the first", func(w *world, opts *verify.Options, _ []byte) {
			opts.ReceivedAt = w.card.Cert.NotBefore.Add(-time.Second)
		}, verify.ReasonNotYetValid},
		{"another profile", func(_ *world, opts *verify.Options, _ []byte) { opts.Profile = &encryption }, verify.ReasonProfile},
		{"a bit of its signature", func(w *world, _ *verify.Options, message []byte) {
			flip(message, w.card.Cert.Signature)
		}, verify.ReasonUntrusted},
		{"a bit of its name", func(w *world, _ *verify.Options, message []byte) {
			flip(message, []byte("王測試"))
		}, verify.ReasonUntrusted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			message := w.sign(t, w.card, filing, nil)
			if _, err := w.verifier.SignedData(t.Context(), message, nil); err != nil {
				t.Fatal(err)
			}
			if w.verifier.Remembers() != 1 {
				t.Fatalf("got %d signers remembered, want 1", w.verifier.Remembers())
			}
			var opts verify.Options
			tt.change(w, &opts, message)
			res, err := w.verifier.SignedData(t.Context(), message, &opts)
			wantReason(t, res, err, tt.want)
			if tt.name == "status not to be had" {
				return // the other verifier holds no evidence that could be stale
			}
			res, err = w.newVerifier(t, nil).SignedData(t.Context(), message, &opts)
			wantReason(t, res, err, tt.want)
		})
	}
}

// flip changes the last bit of part where it occurs in message.
func flip(message, part []byte) {
	message[bytes.Index(message, part)+len(part)-1] ^= 1
}

// The dates of every certificate in the path are judged, not the signer's alone.
func TestRememberedExpiredCA(t *testing.T) {
	w := newWorld(t)
	ca := subCA(t, w.G3.Root, pkitest.Template{NotAfter: noon().AddDate(1, 0, 0)})
	scheme := w.scheme(t)
	scheme.Intermediates = append(scheme.Intermediates, ca.Cert)
	leaf := issueUnder(t, ca, pkitest.Template{})
	v := w.newVerifier(t, func(cfg *verify.Config) { cfg.Scheme = scheme })
	for _, tt := range []struct {
		at   time.Time
		want verify.Reason
	}{{noon(), ""}, {ca.Cert.NotAfter, ""}, {ca.Cert.NotAfter.Add(time.Second), verify.ReasonExpired}, {noon(), ""}} {
		w.clock.Set(tt.at)
		res, err := v.Certificate(t.Context(), leaf.DER, nil)
		wantReason(t, res, err, tt.want)
		if e, ok := errors.AsType[*verify.Error](err); ok && !e.Cert.Equal(ca.Cert) {
			t.Errorf("at %v: got an error about another certificate than the CA: %v", tt.at, err)
		}
	}
}

// What depends on the message is not remembered: a path through a CA that came
// with it, and what another profile accepted.
func TestNotRemembered(t *testing.T) {
	w := newWorld(t)
	w.verifier = w.newVerifier(t, func(cfg *verify.Config) { cfg.Scheme.Profile.RequireKnownIssuer = false })
	ca := subCA(t, w.G3.Root, pkitest.Template{})
	below := issueUnder(t, ca, pkitest.Template{})
	w.wantCertificate(t, "without its CA", below.DER, verify.ReasonUntrusted)
	w.wantCertificate(t, "with its CA", below.DER, "", ca.Cert)
	w.wantCertificate(t, "without its CA again", below.DER, verify.ReasonUntrusted)

	encryption := w.card.EncryptionCert.Raw
	w.wantCertificate(t, "for encryption", encryption, verify.ReasonProfile)
	res, err := w.verifier.Certificate(t.Context(), encryption, &verify.Options{Profile: &verify.Profile{}})
	wantReason(t, res, err, "")
	w.wantCertificate(t, "for encryption, accepted for something else", encryption, verify.ReasonProfile)
	w.wantCertificate(t, "an anchor", w.G3.Root.Cert.Raw, verify.ReasonProfile)
	if n := w.verifier.Remembers(); n != 0 {
		t.Errorf("got %d signers remembered, want none", n)
	}
}

// Neither the message nor a result is where the memory lives.
func TestRememberedApart(t *testing.T) {
	w := newWorld(t)
	message := w.sign(t, w.card, filing, nil)
	buffer := bytes.Clone(message)
	res, err := w.verifier.SignedData(t.Context(), buffer, nil)
	if err != nil {
		t.Fatal(err)
	}
	clear(buffer)
	res.Signers[0].Path[0], res.Signers[0].Path[1] = nil, nil
	if res, err = w.verifier.SignedData(t.Context(), message, nil); err != nil {
		t.Fatal(err)
	}
	for i, want := range []*x509.Certificate{w.card.Cert, w.G3.MOICA.Cert, w.G3.Root.Cert} {
		if !res.Signers[0].Path[i].Equal(want) {
			t.Errorf("path[%d]: got another certificate", i)
		}
	}
}

// A leaf that signs often has its key prepared, and what is accepted stays the same.
func TestFrequentSigner(t *testing.T) {
	if fips140.Enabled() {
		t.Skip("FIPS 140-3 mode keeps crypto/rsa")
	}
	w := newWorld(t)
	good := w.sign(t, w.card, filing, nil)
	bad := bytes.Clone(good)
	bad[len(bad)-1] ^= 1 // the end of the signature
	other := w.sign(t, w.card, filing, &pkitest.CMSOptions{Content: []byte("another filing")})
	for i := range 2 * verify.FrequentSignatures {
		for _, tt := range []struct {
			message []byte
			want    verify.Reason
		}{{good, ""}, {bad, verify.ReasonBadSignature}, {other, verify.ReasonDigestMismatch}} {
			res, err := w.verifier.SignedData(t.Context(), tt.message, nil)
			wantReason(t, res, err, tt.want)
		}
		signatures := 3*i + 2 // the first was before the leaf was known
		want := 0
		if signatures >= verify.FrequentSignatures {
			want = 1
		}
		if got := w.verifier.PreparedKeys(); got != want {
			t.Fatalf("after %d signatures: got %d keys prepared, want %d", signatures, got, want)
		}
	}
	w.G3.MOICA.Revoke(w.card.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
	w.clock.Advance(25 * time.Hour)
	res, err := w.verifier.SignedData(t.Context(), good, nil)
	wantReason(t, res, err, verify.ReasonRevoked)
}

func TestRememberedConcurrently(t *testing.T) {
	w := newWorld(t)
	other := w.issue(t, w.G2)
	var group sync.WaitGroup
	for _, card := range []*pkitest.Card{w.card, other, w.card, other} {
		message := w.sign(t, card, filing, nil)
		group.Go(func() {
			for range 8 {
				res, err := w.verifier.SignedData(t.Context(), message, nil)
				wantReason(t, res, err, "")
				if err == nil && !res.Signers[0].Path[0].Equal(card.Cert) {
					t.Error("got another signer")
				}
			}
		})
	}
	group.Wait()
}
