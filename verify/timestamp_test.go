package verify_test

import (
	"crypto"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// token returns a proper token over a signature.
func (w *stampedWorld) token(t testing.TB, signature []byte, o pkitest.TimestampOptions) []byte {
	t.Helper()
	token, err := w.tsa.Timestamp(signature, &o)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// signatureOf signs a filing and returns its signature value, too.
func (w *stampedWorld) signatureOf(t testing.TB, card *pkitest.Card) (der, signature []byte) {
	t.Helper()
	der = w.sign(t, card, filing, &pkitest.CMSOptions{Timestamp: func(value []byte) ([][]byte, error) {
		signature = value
		return nil, nil
	}})
	return der, signature
}

func stampAt(d time.Duration) pkitest.TimestampOptions {
	return pkitest.TimestampOptions{Time: noon().Add(d), Accuracy: &pkitest.Accuracy{Seconds: 2}}
}

// The earliest instant that is proven is the one that counts: the card was revoked
// at one o'clock.
func TestInstant(t *testing.T) {
	w := newStampedWorld(t)
	der, signature := w.signatureOf(t, w.revoked)
	early, exact, late := w.token(t, signature, stampAt(0)), w.token(t, signature, stampAt(time.Hour-2*time.Second)), w.token(t, signature, stampAt(time.Hour-3*time.Second))
	other := w.token(t, []byte("another signature"), stampAt(0))
	for _, tt := range []struct {
		name     string
		received time.Duration // after noon, or 0
		tokens   [][]byte
		want     verify.Reason
		at       time.Duration
		kind     verify.InstantKind
	}{
		{"nothing", 0, nil, verify.ReasonRevoked, 0, ""},
		{"a token", 0, [][]byte{early}, "", 2 * time.Second, verify.InstantTimestamp},
		{"a token until a second before the revocation", 0, [][]byte{late}, "", time.Hour - time.Second, verify.InstantTimestamp},
		{"a token that may be of the revocation's second", 0, [][]byte{exact}, verify.ReasonRevoked, 0, ""},
		{"a token of something else", 0, [][]byte{other}, verify.ReasonRevoked, 0, ""},
		{"both", 0, [][]byte{other, early}, "", 2 * time.Second, verify.InstantTimestamp},
		{"late and early", 0, [][]byte{exact, early}, "", 2 * time.Second, verify.InstantTimestamp},
		{"early and late", 0, [][]byte{early, exact}, "", 2 * time.Second, verify.InstantTimestamp},
		{"received early", time.Minute, nil, "", time.Minute, verify.InstantReceipt},
		{"received early, stamped late", time.Minute, [][]byte{exact}, "", time.Minute, verify.InstantReceipt},
		{"received late, stamped early", 90 * time.Minute, [][]byte{early}, "", 2 * time.Second, verify.InstantTimestamp},
		{"received late, stamped late", 90 * time.Minute, [][]byte{exact}, verify.ReasonRevoked, 0, ""},
		{"nonsense", 0, [][]byte{nil, {5, 0}}, verify.ReasonRevoked, 0, ""},
		{"a proper token after four others", 0, [][]byte{exact, w.token(t, signature, stampAt(61*time.Minute)), w.token(t, signature, stampAt(62*time.Minute)),
			w.token(t, signature, stampAt(63*time.Minute)), early}, verify.ReasonRevoked, 0, ""},
		{"a proper token after four of something else", 0, [][]byte{other, w.token(t, nil, stampAt(1)), w.token(t, nil, stampAt(2)), w.token(t, nil, stampAt(3)), early}, "", 2 * time.Second, verify.InstantTimestamp},
		{"a proper token after four copies of another", 0, [][]byte{exact, exact, exact, exact, early}, "", 2 * time.Second, verify.InstantTimestamp},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := &verify.Options{Timestamps: tt.tokens}
			if tt.received != 0 {
				opts.ReceivedAt = noon().Add(tt.received)
			}
			res, err := w.verifier.SignedData(t.Context(), der, opts)
			wantReason(t, res, err, tt.want)
			if err == nil && (!res.At.Equal(noon().Add(tt.at)) || res.AtKind != tt.kind) {
				t.Errorf("judged at %v (%v), want %v after noon (%v)", res.At, res.AtKind, tt.at, tt.kind)
			}
		})
	}
}

// A signature value that is older than the certificate was not made under it,
// whatever the receipt says.
func TestTimestampBeforeCertificate(t *testing.T) {
	w := newStampedWorld(t)
	w.card = w.issue(t, w.G3, func(tm *pkitest.Template) { tm.NotBefore = noon().Add(10 * time.Second) })
	der, signature := w.signatureOf(t, w.card)
	for seconds, want := range map[time.Duration]verify.Reason{7: verify.ReasonNotYetValid, 8: ""} {
		opts := &verify.Options{Timestamps: [][]byte{w.token(t, signature, stampAt(seconds*time.Second))}}
		res, err := w.verifier.SignedData(t.Context(), der, opts)
		wantReason(t, res, err, want)
	}
}

// Years later, everything that the verdict rested on proves it again, without any
// network. Without the token the certificate has expired.
func TestTimestampYearsLater(t *testing.T) {
	w := newStampedWorld(t)
	der, signature := w.signatureOf(t, w.card)
	res, err := w.verifier.SignedData(t.Context(), der, &verify.Options{Timestamps: [][]byte{w.token(t, signature, stampAt(0))}})
	if err != nil {
		t.Fatal(err)
	}
	kept := res.Evidence
	w.clock.Set(w.card.Cert.NotAfter.Add(time.Hour))
	fresh := w.newVerifier(t, w.believe)
	again, err := fresh.SignedData(t.Context(), der, &verify.Options{Evidence: kept})
	wantReason(t, again, err, "")
	if err == nil && (!again.At.Equal(res.At) || again.AtKind != verify.InstantTimestamp) {
		t.Errorf("judged at %v (%v), want %v again", again.At, again.AtKind, res.At)
	}
	again, err = fresh.SignedData(t.Context(), der, nil)
	wantReason(t, again, err, verify.ReasonExpired)
	var without []verify.Evidence
	for _, e := range kept {
		if e.Kind != verify.OCSPEvidence {
			without = append(without, e)
		}
	}
	again, err = fresh.SignedData(t.Context(), der, &verify.Options{Evidence: without})
	wantReason(t, again, err, verify.ReasonStatusStale)
}

// That the authority's status cannot be learned makes a refusal that its token
// would have averted a temporary one, and no other.
func TestTimestampStatusUnavailable(t *testing.T) {
	w := newStampedWorld(t)
	down := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) })
	w.Script(w.tsa.Issuer.URLs.OCSP, down)
	w.Script(w.tsa.Issuer.URLs.CRL, down)
	late := stampAt(90 * time.Minute)
	for name, tt := range map[string]struct {
		der  []byte
		want verify.Reason
	}{
		"not needed":    {w.stamp(t, w.card, w.tsa, stampAt(0)), ""},
		"needed":        {w.stamp(t, w.revoked, w.tsa, stampAt(0)), verify.ReasonStatusUnavailable},
		"would not do":  {w.stamp(t, w.revoked, w.tsa, late), verify.ReasonRevoked},
		"another fault": {w.stamp(t, &pkitest.Card{Cert: w.card.EncryptionCert, Key: w.card.EncryptionKey, Issuer: w.card.Issuer}, w.tsa, stampAt(0)), verify.ReasonProfile},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := w.verifier.SignedData(t.Context(), tt.der, nil)
			wantReason(t, res, err, tt.want)
		})
	}
}

// An authority whose certificate has expired is believed as long as its lists
// still cover it.
func TestTimestampAuthorityExpired(t *testing.T) {
	w := newStampedWorld(t)
	tsa, err := w.tsa.Issuer.IssueTSA(func(tm *pkitest.Template) { tm.NotBefore, tm.NotAfter = noon(), noon().Add(time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	w.Script(tsa.Issuer.URLs.OCSP, http.NotFoundHandler())
	for name, tt := range map[string]struct {
		since  time.Time
		reason int // of a revocation, or 0
		want   verify.Reason
	}{
		"dropped":                      {tsa.Cert.NotAfter.Add(time.Second), 0, verify.ReasonStatusStale},
		"retained":                     {tsa.Cert.NotAfter, 0, ""},
		"retained, compromised since":  {tsa.Cert.NotAfter, pkitest.ReasonKeyCompromise, verify.ReasonRevoked},
		"dropped, compromised since":   {time.Time{}, pkitest.ReasonKeyCompromise, verify.ReasonRevoked},
		"retained, out of service now": {tsa.Cert.NotAfter, pkitest.ReasonCessationOfOperation, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := pkitest.CRLOptions{ExpiredCertsOnCRL: tt.since, OnlyEntries: true}
			if tt.reason != 0 {
				o.Entries = []pkitest.CRLEntry{{Serial: tsa.Cert.SerialNumber, RevocationDate: noon().Add(100 * time.Minute), Reason: tt.reason}}
			}
			w.Script(tsa.Issuer.URLs.CRL, tsa.Issuer.CRLHandler(o))
			w.verifier = w.newVerifier(t, w.believe)
			w.wantToken(t, tsa, stampAt(0), tt.want)
		})
	}
}

// A bare signature, and several signers with one token each beside the file.
func TestTimestampsBeside(t *testing.T) {
	w := newStampedWorld(t)
	bare, err := w.revoked.SignPKCS1([]byte(filing))
	if err != nil {
		t.Fatal(err)
	}
	opts := &verify.Options{Use: verify.UseFiling, Timestamps: [][]byte{w.token(t, bare, stampAt(0))}}
	res, err := w.verifier.Signature(t.Context(), w.revoked.Cert.Raw, x509.SHA256WithRSA, []byte(filing), bare, opts)
	wantReason(t, res, err, "")
	opts.Use = verify.UseDefault // a sign-in
	res, err = w.verifier.Signature(t.Context(), w.revoked.Cert.Raw, x509.SHA256WithRSA, []byte(filing), bare, opts)
	wantReason(t, res, err, verify.ReasonRevoked)

	var tokens [][]byte
	leave := func(o pkitest.TimestampOptions) func([]byte) ([][]byte, error) {
		return func(signature []byte) ([][]byte, error) {
			tokens = append(tokens, w.token(t, signature, o))
			return nil, nil
		}
	}
	second := pkitest.CoSigner{Signer: pkitest.Signer{Cert: w.revoked.Cert, Key: w.revoked.Key}, Options: &pkitest.CMSOptions{Timestamp: leave(stampAt(time.Minute))}}
	der := w.sign(t, w.card, filing, &pkitest.CMSOptions{Timestamp: leave(stampAt(0)), CoSigners: []pkitest.CoSigner{second},
		Certificates: []*x509.Certificate{w.card.Cert, w.revoked.Cert}})
	res, err = w.verifier.SignedData(t.Context(), der, &verify.Options{Timestamps: tokens})
	wantReason(t, res, err, "")
	if err == nil && (!res.Signers[0].At.Equal(noon().Add(2*time.Second)) || !res.Signers[1].At.Equal(noon().Add(62*time.Second)) || !res.At.Equal(res.Signers[1].At)) {
		t.Errorf("signers judged at %v and %v, all at %v", res.Signers[0].At, res.Signers[1].At, res.At)
	}
	res, err = w.verifier.SignedData(t.Context(), der, &verify.Options{Timestamps: tokens[:1]})
	wantReason(t, res, err, verify.ReasonRevoked)
}

// However many tokens a message has, few signatures are verified for them.
func TestTimestampNumbers(t *testing.T) {
	w := newStampedWorld(t)
	der := w.sign(t, w.card, filing, &pkitest.CMSOptions{Timestamp: func(signature []byte) (tokens [][]byte, err error) {
		for i := range 64 {
			o := stampAt(time.Duration(i) * time.Second)
			o.CMS.BreakSignature = true
			tokens = append(tokens, w.token(t, signature, o))
		}
		return tokens, nil
	}})
	res, err := w.verifier.SignedData(t.Context(), der, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[verify.Reason]int)
	for _, stamp := range res.Signers[0].Timestamps {
		got[tokenReason(t, stamp.Err)]++
	}
	if got[verify.ReasonBadSignature] != 4 || got[verify.ReasonLimit] != 60 {
		t.Errorf("got %v, want 4 verified and 60 left alone", got)
	}
	// Nobody vouches for the signer: its tokens are not looked at.
	stranger, err := w.SelfSigned(pkitest.Template{})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := stranger.Issue(pkitest.Template{})
	if err != nil {
		t.Fatal(err)
	}
	der = w.stamp(t, &pkitest.Card{Cert: issued.Cert, Key: issued.Key, Issuer: stranger}, w.tsa, stampAt(0))
	res, err = w.verifier.SignedData(t.Context(), der, nil)
	wantReason(t, res, err, verify.ReasonUntrusted)
	if err != nil && strings.Contains(err.Error(), "time-stamp") {
		t.Errorf("got %v, want nothing said of tokens", err)
	}
}

func TestTimestampingConfig(t *testing.T) {
	w := newStampedWorld(t)
	anchors := []*x509.Certificate{w.tsa.Issuer.Cert}
	for name, tt := range map[string]struct {
		change func(*verify.Config)
		want   string // in the error; empty for none
	}{
		"anchors":       {w.believe, ""},
		"no anchors":    {func(cfg *verify.Config) { cfg.Timestamping = &verify.TimestampAuthority{} }, "no trust anchors"},
		"intermediates": {func(cfg *verify.Config) { cfg.Timestamping.Intermediates = []*x509.Certificate{w.G3.MOICA.Cert} }, "vouches"},
		"skipped":       {func(cfg *verify.Config) { cfg.Status, cfg.InsecureSkipRevocation = nil, true }, ""},
		"skipped, with sources": {func(cfg *verify.Config) {
			cfg.Timestamping.Status, cfg.Status, cfg.InsecureSkipRevocation = cfg.Status, nil, true
		}, "contradict"},
	} {
		cfg := verify.Config{Scheme: w.scheme(t), Status: w.sources(t), Timestamping: &verify.TimestampAuthority{Anchors: anchors}}
		tt.change(&cfg)
		_, err := verify.New(cfg)
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", name, err, tt.want)
		}
	}
	for policy, want := range map[string]verify.Reason{pkitest.OIDTSAPolicy.String(): "", pkitest.OIDTSAPolicy.String() + ".1": verify.ReasonPolicy} {
		w.verifier = w.newVerifier(t, func(cfg *verify.Config) {
			w.believe(cfg)
			cfg.Timestamping.Policies = []string{policy}
		})
		w.wantToken(t, w.tsa, stampAt(0), want)
	}
	// Sources of the authority's own: those of the scheme are not asked.
	source := &countingSource{}
	w.verifier = w.newVerifier(t, func(cfg *verify.Config) {
		w.believe(cfg)
		cfg.Timestamping.Status = []verify.StatusSource{source}
	})
	res, err := w.verifier.SignedData(t.Context(), w.stamp(t, w.revoked, w.tsa, stampAt(0)), nil)
	wantReason(t, res, err, verify.ReasonStatusUnavailable)
	if source.asked == 0 {
		t.Error("the authority's own source was not asked")
	}
}

// Of a document from before the historical instant, a token is proof enough; of
// one from after it, and without a token that counts, the policy of then holds.
func TestHistoricalDocument(t *testing.T) {
	w := newStampedWorld(t)
	before := noon().Add(time.Hour)
	v := w.newVerifier(t, func(cfg *verify.Config) {
		w.believe(cfg)
		cfg.Algorithms = verify.HistoricalPolicy(before)
	})
	stranger, err := w.NewTSA()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		tsa  *pkitest.TSA
		at   time.Time
		want verify.Reason
	}{
		{"from before", w.tsa, noon(), ""},
		{"a second before", w.tsa, before.Add(-2 * time.Second), ""}, // with the accuracy of the token
		{"from the instant on", w.tsa, before, verify.ReasonAlgorithm},
		{"by another authority", stranger, noon(), verify.ReasonAlgorithm},
		{"no token", nil, noon(), verify.ReasonAlgorithm},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := &pkitest.CMSOptions{Hash: crypto.SHA1, SigningTime: noon()}
			if tt.tsa != nil {
				opts.Timestamp = func(signature []byte) ([][]byte, error) {
					token, err := tt.tsa.Timestamp(signature, &pkitest.TimestampOptions{Time: tt.at})
					return [][]byte{token}, err
				}
			}
			res, err := v.SignedData(t.Context(), w.sign(t, w.card, filing, opts), nil)
			wantReason(t, res, err, tt.want)
		})
	}
}

// A historical policy speaks of documents, not of the tokens that date them: with
// an algorithm that has fallen, anybody can write a token of the time before.
func TestTimestampUnderHistoricalPolicy(t *testing.T) {
	w := newStampedWorld(t)
	w.verifier = w.newVerifier(t, func(cfg *verify.Config) {
		w.believe(cfg)
		cfg.Algorithms = verify.HistoricalPolicy(noon().Add(time.Hour))
	})
	w.wantToken(t, w.tsa, pkitest.TimestampOptions{}, "")
	w.wantToken(t, w.tsa, pkitest.TimestampOptions{Hash: crypto.SHA1}, verify.ReasonAlgorithm)
	w.wantToken(t, w.tsa, pkitest.TimestampOptions{CMS: pkitest.CMSOptions{Hash: crypto.SHA1}}, verify.ReasonAlgorithm)
}
