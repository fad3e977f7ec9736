package main

import (
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A token inside the SignedData and one in a file, with and without trust in who
// made them.
func TestVerifyTimestamps(t *testing.T) {
	w := newWorld(t)
	tsa, err := w.pki.NewTSA()
	if err != nil {
		t.Fatal(err)
	}
	list, err := tsa.Issuer.CRL(pkitest.CRLOptions{})
	if err != nil {
		t.Fatal(err)
	}
	genTime := time.Now().Add(-10 * time.Minute).Truncate(time.Second)
	var beside, other []byte
	stamped, err := w.card.SignPKCS7(w.document, &pkitest.CMSOptions{Timestamp: func(signature []byte) (tokens [][]byte, err error) {
		if other, err = tsa.Timestamp(nil, nil); err != nil {
			return nil, err
		}
		if beside, err = tsa.Timestamp(signature, &pkitest.TimestampOptions{Time: genTime}); err != nil {
			return nil, err
		}
		inside, err := tsa.Timestamp(signature, &pkitest.TimestampOptions{Time: genTime.Add(time.Minute)})
		return [][]byte{inside}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	filing := writeTemp(t, "filing.p7m", stamped)
	full := w.trustFlags(t)
	trusted := with(full, "-tsa-anchors", writeTemp(t, "tsa.cer", tsa.Issuer.Cert.Raw), "-crl", writeTemp(t, "tsa.crl", list))
	for _, test := range []struct {
		name    string
		args    []string
		kind    verify.InstantKind
		after   time.Duration // genTime of the token that decides, after the earliest
		reasons []verify.Reason
	}{
		{"not trusted", with(full, filing), verify.InstantNow, 0, []verify.Reason{verify.ReasonUntrusted}},
		{"inside", with(trusted, filing), verify.InstantTimestamp, time.Minute, []verify.Reason{""}},
		{"beside", with(trusted, "-timestamp", writeTemp(t, "early.tst", beside), filing), verify.InstantTimestamp, 0, []verify.Reason{"", ""}},
		{"of something else", with(trusted, "-timestamp", writeTemp(t, "other.tst", other), filing), verify.InstantTimestamp, time.Minute,
			[]verify.Reason{verify.ReasonDigestMismatch, ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, with([]string{"verify"}, test.args...)...)
			var decoded struct {
				Verdict string
				AtKind  verify.InstantKind
				At      time.Time
				Signers []struct {
					Timestamps []struct {
						Verdict string
						Reason  verify.Reason
						Time    time.Time
					}
				}
			}
			got.decodeJSON(t, &decoded)
			if decoded.Verdict != "valid" || decoded.AtKind != test.kind || len(decoded.Signers) != 1 {
				t.Fatalf("got %s", got.stdout)
			}
			if latest := genTime.Add(test.after + time.Second); test.kind == verify.InstantTimestamp && !decoded.At.Equal(latest) {
				t.Errorf("judged at %v, want %v", decoded.At, latest)
			}
			tokens := decoded.Signers[0].Timestamps
			if len(tokens) != len(test.reasons) {
				t.Fatalf("got %d tokens, want %d", len(tokens), len(test.reasons))
			}
			for i, want := range test.reasons {
				if tokens[i].Reason != want || (tokens[i].Verdict == "valid") != (want == "") || (tokens[i].Time.IsZero()) != (want != "") {
					t.Errorf("token %d: got %+v, want reason %q", i, tokens[i], want)
				}
			}
		})
	}
}
