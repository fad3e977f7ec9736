package verify_test

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A stamped world has an authority that the verifier believes, a filing signed at
// noon, and one signed at noon with a card that was revoked an hour later. It is
// two hours later now, so that the second is good with proof and not without.
type stampedWorld struct {
	*world
	tsa     *pkitest.TSA
	revoked *pkitest.Card
	hints   [][]byte
}

func newStampedWorld(t testing.TB) *stampedWorld {
	w := &stampedWorld{world: newWorld(t)}
	var err error
	if w.tsa, err = w.NewTSA(); err != nil {
		t.Fatal(err)
	}
	w.verifier = w.newVerifier(t, w.believe)
	w.revoked = w.issue(t, w.G3)
	w.G3.MOICA.Revoke(w.revoked.Cert, noon().Add(time.Hour), pkitest.ReasonKeyCompromise)
	w.clock.Advance(2 * time.Hour)
	return w
}

// believe makes a verifier believe the world's authority.
func (w *stampedWorld) believe(cfg *verify.Config) {
	cfg.Timestamping = &verify.TimestampAuthority{Anchors: []*x509.Certificate{w.tsa.Issuer.Cert}}
}

// stamp returns a filing with a token inside, made at noon unless the options say
// otherwise.
func (w *stampedWorld) stamp(t testing.TB, card *pkitest.Card, tsa *pkitest.TSA, o pkitest.TimestampOptions) []byte {
	t.Helper()
	if o.Time.IsZero() {
		o.Time = noon()
	}
	return w.sign(t, card, filing, &pkitest.CMSOptions{SigningTime: noon(), Timestamp: func(signature []byte) ([][]byte, error) {
		token, err := tsa.Timestamp(signature, &o)
		return [][]byte{token}, err
	}})
}

// tokenReason returns why a token proves nothing, or "".
func tokenReason(t testing.TB, err error) verify.Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*verify.Error](err)
	if !ok {
		t.Fatalf("got error %T %v, want a *verify.Error", err, err)
	}
	return e.Reason
}

// wantToken judges a token inside two filings: what the verdict on it is, and
// that it saves the filing whose card was revoked later if it is good, and never
// otherwise.
func (w *stampedWorld) wantToken(t *testing.T, tsa *pkitest.TSA, o pkitest.TimestampOptions, want verify.Reason) {
	t.Helper()
	opts := &verify.Options{Certificates: w.hints}
	res, err := w.verifier.SignedData(t.Context(), w.stamp(t, w.card, tsa, o), opts)
	if err != nil {
		t.Fatalf("a token that counts or not must not refuse a good filing: %v", err)
	}
	stamps := res.Signers[0].Timestamps
	if len(stamps) != 1 || len(stamps[0].DER) == 0 {
		t.Fatalf("got %d tokens, want one", len(stamps))
	}
	stamp, kind, saved := stamps[0], verify.InstantTimestamp, verify.Reason("")
	if want != "" {
		kind, saved = verify.InstantNow, verify.ReasonRevoked
		if !stamp.Time.IsZero() || stamp.Path != nil || stamp.SerialNumber != nil {
			t.Error("what a refused token says is in the result")
		}
	}
	if got := tokenReason(t, stamp.Err); got != want {
		t.Errorf("got token reason %q (%v), want %q", got, stamp.Err, want)
	}
	if res.AtKind != kind || res.Signers[0].AtKind != kind || !res.At.Equal(res.Signers[0].At) {
		t.Errorf("judged at %v (%v), want kind %v", res.At, res.AtKind, kind)
	}
	if want == "" && (!res.At.Equal(stamp.Latest()) || len(stamp.Path) < 2 || len(stamp.Revocation) != len(stamp.Path)-1) {
		t.Errorf("judged at %v by a token of %v, %d facts for a path of %d", res.At, stamp.Time, len(stamp.Revocation), len(stamp.Path))
	}
	if want == verify.ReasonStatusStale {
		saved = want // more evidence about the authority would save the filing
	}
	res, err = w.verifier.SignedData(t.Context(), w.stamp(t, w.revoked, tsa, o), opts)
	wantReason(t, res, err, saved)
}

func attackTimestamps(t *testing.T) {
	w := newStampedWorld(t)
	for group, cases := range map[string][]timestampAttack{
		"imprint":   imprintAttacks(),
		"signed":    signedTokenAttacks(w),
		"TSTInfo":   tstInfoAttacks(),
		"genTime":   genTimeAttacks(),
		"authority": authorityAttacks(t, w),
	} {
		for _, a := range cases {
			t.Run(group+" "+a.name, func(t *testing.T) {
				tsa := a.tsa
				if tsa == nil {
					tsa = w.tsa
				}
				w.wantToken(t, tsa, a.opts, a.want)
			})
		}
	}
	t.Run("certificate given aside", func(t *testing.T) {
		aside := *w
		aside.hints = [][]byte{w.tsa.Cert.Raw}
		aside.wantToken(t, w.tsa, pkitest.TimestampOptions{CMS: pkitest.CMSOptions{Certificates: []*x509.Certificate{}}}, "")
	})
	t.Run("for a sign-in", func(t *testing.T) {
		der := w.stamp(t, w.revoked, w.tsa, pkitest.TimestampOptions{})
		res, err := w.verifier.SignedData(t.Context(), der, &verify.Options{Use: verify.UseSignIn})
		wantReason(t, res, err, verify.ReasonRevoked)
	})
	t.Run("no authority believed", func(t *testing.T) {
		v := w.newVerifier(t, nil)
		res, err := v.SignedData(t.Context(), w.stamp(t, w.card, w.tsa, pkitest.TimestampOptions{}), nil)
		wantReason(t, res, err, "")
		if err == nil && tokenReason(t, res.Signers[0].Timestamps[0].Err) != verify.ReasonUntrusted {
			t.Errorf("got %v, want the token reported as not used", res.Signers[0].Timestamps[0].Err)
		}
		res, err = v.SignedData(t.Context(), w.stamp(t, w.revoked, w.tsa, pkitest.TimestampOptions{}), nil)
		wantReason(t, res, err, verify.ReasonRevoked)
	})
}

type timestampAttack struct {
	name string
	tsa  *pkitest.TSA // if nil, the world's
	opts pkitest.TimestampOptions
	want verify.Reason
}

func imprintAttacks() []timestampAttack {
	return []timestampAttack{
		{"SHA-256", nil, pkitest.TimestampOptions{}, ""},
		{"SHA-384", nil, pkitest.TimestampOptions{Hash: crypto.SHA384}, ""},
		{"SHA-512", nil, pkitest.TimestampOptions{Hash: crypto.SHA512}, ""},
		{"SHA-1", nil, pkitest.TimestampOptions{Hash: crypto.SHA1}, verify.ReasonAlgorithm},
		{"MD5", nil, pkitest.TimestampOptions{Hash: crypto.MD5}, verify.ReasonAlgorithm},
		{"of something else", nil, pkitest.TimestampOptions{Imprint: make([]byte, 32)}, verify.ReasonDigestMismatch},
		{"too short", nil, pkitest.TimestampOptions{Imprint: make([]byte, 31)}, verify.ReasonMalformed},
		{"empty", nil, pkitest.TimestampOptions{Imprint: []byte{}}, verify.ReasonMalformed},
	}
}

func signedTokenAttacks(w *stampedWorld) []timestampAttack {
	cms := func(o pkitest.CMSOptions) pkitest.TimestampOptions { return pkitest.TimestampOptions{CMS: o} }
	second := pkitest.CoSigner{Signer: pkitest.Signer{Cert: w.tsa.Cert, Key: w.tsa.Key}, Options: &pkitest.CMSOptions{SigningTime: noon().Add(time.Minute)}}
	return []timestampAttack{
		{"in pieces", nil, cms(pkitest.CMSOptions{Chunks: 3}), ""},
		{"digest SHA-512", nil, cms(pkitest.CMSOptions{Hash: crypto.SHA512}), ""},
		{"digest SHA-1", nil, cms(pkitest.CMSOptions{Hash: crypto.SHA1}), verify.ReasonAlgorithm},
		{"as id-data", nil, cms(pkitest.CMSOptions{ContentType: pkitest.OIDData}), verify.ReasonContentType},
		{"detached", nil, cms(pkitest.CMSOptions{Detached: true}), verify.ReasonContentMissing},
		{"without certificates", nil, cms(pkitest.CMSOptions{Certificates: []*x509.Certificate{}}), verify.ReasonNoSigner},
		{"without signers", nil, cms(pkitest.CMSOptions{NoSigners: true}), verify.ReasonNoSigner},
		{"two signers", nil, cms(pkitest.CMSOptions{CoSigners: []pkitest.CoSigner{second}}), verify.ReasonMalformed},
		{"without signed attributes", nil, cms(pkitest.CMSOptions{NoSignedAttributes: true}), verify.ReasonSignedAttributes},
		{"another message-digest", nil, cms(pkitest.CMSOptions{MessageDigest: make([]byte, 32)}), verify.ReasonDigestMismatch},
		{"bad signature", nil, cms(pkitest.CMSOptions{BreakSignature: true}), verify.ReasonBadSignature},
		{"names no certificate", nil, pkitest.TimestampOptions{NoNames: true}, verify.ReasonSignedAttributes},
		{"names another certificate", nil, pkitest.TimestampOptions{Names: w.card.Cert}, verify.ReasonSignedAttributes},
		{"names another certificate by SHA-1", nil, pkitest.TimestampOptions{Names: w.card.Cert, NamesV1: true}, verify.ReasonSignedAttributes},
		{"names its certificate by SHA-1", nil, pkitest.TimestampOptions{NamesV1: true}, ""},
		{"names its certificate by SHA-512", nil, pkitest.TimestampOptions{NamesHash: crypto.SHA512}, ""},
	}
}

func tstInfoAttacks() []timestampAttack {
	extension := func(critical bool) []pkix.Extension {
		return []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: critical, Value: []byte{5, 0}}}
	}
	accuracy := func(seconds, millis, micros int64) pkitest.TimestampOptions {
		return pkitest.TimestampOptions{Accuracy: &pkitest.Accuracy{Seconds: seconds, Millis: millis, Micros: micros}}
	}
	return []timestampAttack{
		{"with everything", nil, pkitest.TimestampOptions{Ordering: true, Nonce: big.NewInt(7), Serial: new(big.Int).Lsh(big.NewInt(1), 159), Extensions: extension(false)}, ""},
		{"version 2", nil, pkitest.TimestampOptions{Version: 2}, verify.ReasonMalformed},
		{"critical extension", nil, pkitest.TimestampOptions{Extensions: extension(true)}, verify.ReasonMalformed},
		{"a field more", nil, pkitest.TimestampOptions{Trailing: []byte{5, 0}}, verify.ReasonMalformed},
		{"nothing", nil, pkitest.TimestampOptions{RawTSTInfo: []byte{}}, verify.ReasonMalformed},
		{"NULL", nil, pkitest.TimestampOptions{RawTSTInfo: []byte{5, 0}}, verify.ReasonMalformed},
		{"an empty SEQUENCE", nil, pkitest.TimestampOptions{RawTSTInfo: []byte{0x30, 0}}, verify.ReasonMalformed},
		{"of indefinite length", nil, pkitest.TimestampOptions{RawTSTInfo: []byte{0x30, 0x80, 0, 0}}, verify.ReasonNotDER},
		{"accuracy absent", nil, accuracy(0, 0, 0), ""},
		{"accuracy 1000 s", nil, accuracy(1000, 0, 0), ""},
		{"accuracy 999 ms 999 µs", nil, accuracy(0, 999, 999), ""},
		{"accuracy 1000 ms", nil, accuracy(0, 1000, 0), verify.ReasonMalformed},
		{"accuracy 1000 µs", nil, accuracy(0, 0, 1000), verify.ReasonMalformed},
		{"accuracy -1 s", nil, accuracy(-1, 0, 0), verify.ReasonMalformed},
		{"accuracy -1 ms", nil, accuracy(0, -1, 0), verify.ReasonMalformed},
		{"accuracy of 2^31 s", nil, accuracy(1<<31, 0, 0), verify.ReasonMalformed},
	}
}

func genTimeAttacks() []timestampAttack {
	raw := func(s string) pkitest.TimestampOptions { return pkitest.TimestampOptions{RawTime: s} }
	at := func(t time.Time) pkitest.TimestampOptions { return pkitest.TimestampOptions{Time: t} }
	return []timestampAttack{
		{"in seconds", nil, raw("20261122040000Z"), ""},
		{"with a fraction", nil, raw("20261122040000.123456789Z"), ""},
		{"with ten digits", nil, raw("20261122040000.1234567891Z"), verify.ReasonMalformed},
		{"with a fraction that ends in 0", nil, raw("20261122040000.10Z"), verify.ReasonMalformed},
		{"with an empty fraction", nil, raw("20261122040000.Z"), verify.ReasonMalformed},
		{"with a comma", nil, raw("20261122040000,5Z"), verify.ReasonMalformed},
		{"with a sign in the fraction", nil, raw("20261122040000.-5Z"), verify.ReasonMalformed},
		{"in minutes", nil, raw("202611220400Z"), verify.ReasonMalformed},
		{"in local time", nil, raw("20261122040000"), verify.ReasonMalformed},
		{"with an offset", nil, raw("20261122040000+0000"), verify.ReasonMalformed},
		{"60th second", nil, raw("20261122035960Z"), verify.ReasonMalformed},
		{"not a date", nil, raw("20260230040000Z"), verify.ReasonMalformed},
		{"empty", nil, raw("Z"), verify.ReasonMalformed},
		{"in the future", nil, at(noon().Add(2*time.Hour + verify.DefaultSkew + time.Second)), verify.ReasonNotYetValid},
		{"when the authority began", nil, at(noon().Add(-time.Hour)), ""},
		{"a second before the authority began", nil, at(noon().Add(-time.Hour - time.Second)), verify.ReasonNotYetValid},
	}
}

func authorityAttacks(t *testing.T, w *stampedWorld) []timestampAttack {
	issue := func(ca *pkitest.CA, opts ...func(*pkitest.Template)) *pkitest.TSA {
		began := func(tm *pkitest.Template) { tm.NotBefore = noon().Add(-time.Hour) }
		tsa, err := ca.IssueTSA(append(opts, began)...)
		if err != nil {
			t.Fatal(err)
		}
		return tsa
	}
	purposes := func(critical bool, oids ...asn1.ObjectIdentifier) *pkitest.TSA {
		return issue(w.tsa.Issuer, func(tm *pkitest.Template) { tm.Extensions = []pkix.Extension{pkitest.ExtKeyUsage(critical, oids...)} })
	}
	revoked := func(at time.Duration, reason int) *pkitest.TSA {
		tsa := issue(w.tsa.Issuer)
		tsa.Issuer.Revoke(tsa.Cert, noon().Add(at), reason)
		return tsa
	}
	expired := func(at time.Duration) *pkitest.TSA {
		return issue(w.tsa.Issuer, func(tm *pkitest.Template) { tm.NotAfter = noon().Add(at) })
	}
	stranger, err := w.NewTSA()
	if err != nil {
		t.Fatal(err)
	}
	below, err := w.tsa.Issuer.IssueCA(pkitest.Template{NotBefore: noon().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	none := pkitest.TimestampOptions{}
	withCA := pkitest.TimestampOptions{}
	belowTSA := issue(below)
	withCA.CMS.Certificates = []*x509.Certificate{belowTSA.Cert, below.Cert}
	return []timestampAttack{
		{"timeStamping, critical", purposes(true, pkitest.OIDTimeStamping), none, ""},
		{"timeStamping, not critical", purposes(false, pkitest.OIDTimeStamping), none, verify.ReasonProfile},
		{"timeStamping and clientAuth", purposes(true, pkitest.OIDTimeStamping, pkitest.OIDClientAuth), none, verify.ReasonProfile},
		{"timeStamping and an unknown one", purposes(true, pkitest.OIDTimeStamping, asn1.ObjectIdentifier{1, 2, 3}), none, verify.ReasonProfile},
		{"timeStamping twice", purposes(true, pkitest.OIDTimeStamping, pkitest.OIDTimeStamping), none, verify.ReasonProfile},
		{"anyExtendedKeyUsage", purposes(true, pkitest.OIDAnyExtKeyUsage), none, verify.ReasonProfile},
		{"clientAuth", purposes(true, pkitest.OIDClientAuth), none, verify.ReasonProfile},
		{"no purposes", issue(w.tsa.Issuer, func(tm *pkitest.Template) { tm.Extensions = []pkix.Extension{} }), none, verify.ReasonProfile},
		{"for encryption", issue(w.tsa.Issuer, func(tm *pkitest.Template) { tm.KeyUsage = x509.KeyUsageKeyEncipherment }), none, verify.ReasonProfile},
		{"a CA", issue(w.tsa.Issuer, func(tm *pkitest.Template) { tm.BasicConstraints = &pkitest.BasicConstraints{CA: true} }), none, verify.ReasonProfile},
		{"of another root", stranger, none, verify.ReasonUntrusted},
		{"a citizen", &pkitest.TSA{Issuer: w.G3.MOICA, Cert: w.card.Cert, Key: w.card.Key}, none, verify.ReasonUntrusted},
		{"under a CA in the token", belowTSA, withCA, ""},
		{"under a CA that is not at hand", belowTSA, none, verify.ReasonUntrusted},
		{"expired now", expired(time.Hour), none, verify.ReasonStatusStale},
		{"expired at genTime", expired(0), none, verify.ReasonStatusStale},
		{"expired a second before", expired(-time.Second), none, verify.ReasonExpired},
		{"key compromised later", revoked(time.Hour, pkitest.ReasonKeyCompromise), none, verify.ReasonRevoked},
		{"revoked later without a reason", revoked(time.Hour, pkitest.ReasonUnspecified), none, verify.ReasonRevoked},
		{"superseded before", revoked(-time.Second, pkitest.ReasonSuperseded), none, verify.ReasonRevoked},
		{"superseded at the latest instant of the token", revoked(time.Second, pkitest.ReasonSuperseded), none, verify.ReasonRevoked},
		{"superseded a second later", revoked(2*time.Second, pkitest.ReasonSuperseded), none, ""},
		{"retired later", revoked(time.Hour, pkitest.ReasonCessationOfOperation), none, ""},
		{"affiliation changed later", revoked(time.Hour, pkitest.ReasonAffiliationChanged), none, ""},
		{"suspended later", revoked(time.Hour, pkitest.ReasonCertificateHold), none, verify.ReasonSuspended},
	}
}
