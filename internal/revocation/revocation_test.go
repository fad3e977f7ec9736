package revocation

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/verify"
)

func reasonOf(err error) verify.Reason {
	if e, ok := errors.AsType[*verify.Error](err); ok {
		return e.Reason
	}
	return ""
}

func TestMalformed(t *testing.T) {
	for want, err := range map[verify.Reason]error{
		verify.ReasonMalformed: &der.SyntaxError{},
		verify.ReasonNotDER:    &der.SyntaxError{NotDER: true},
		verify.ReasonLimit:     fmt.Errorf("list: %w", &der.LimitError{}),
	} {
		if got := reasonOf(Malformed("parsing: %w", err)); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
}

func TestAppendExtensions(t *testing.T) {
	id := []byte{0x06, 0x03, 0x55, 0x1d, 0x14}
	other := []byte{0x06, 0x03, 0x55, 0x1d, 0x15}
	value := []byte{0x04, 0x02, 0x05, 0x00}
	critical, notCritical := []byte{0x01, 0x01, 0xff}, []byte{0x01, 0x01, 0x00}
	extension := func(parts ...[]byte) []byte { return dertest.TLV(0x30, parts...) }
	many := make([][]byte, MaxExtensions+1)
	for i := range many {
		many[i] = extension([]byte{0x06, 0x01, byte(i)}, value)
	}
	for _, c := range []struct {
		name   string
		der    []byte
		count  int // or 0 for an error
		reason verify.Reason
	}{
		{"one", dertest.TLV(0x30, extension(id, value)), 1, ""},
		{"critical", dertest.TLV(0x30, extension(id, critical, value)), 1, ""},
		{"FALSE encoded", dertest.TLV(0x30, extension(id, notCritical, value)), 1, ""},
		{"two", dertest.TLV(0x30, extension(id, value), extension(other, value)), 2, ""},
		{"one twice", dertest.TLV(0x30, extension(id, value), extension(id, value)), 0, verify.ReasonMalformed},
		{"none", dertest.TLV(0x30), 0, verify.ReasonMalformed},
		{"a SET", dertest.TLV(0x31, extension(id, value)), 0, verify.ReasonMalformed},
		{"no value", dertest.TLV(0x30, extension(id)), 0, verify.ReasonMalformed},
		{"no identifier", dertest.TLV(0x30, extension(value)), 0, verify.ReasonMalformed},
		{"two values", dertest.TLV(0x30, extension(id, value, value)), 0, verify.ReasonMalformed},
		{"odd BOOLEAN", dertest.TLV(0x30, extension(id, []byte{0x01, 0x01, 0x01}, value)), 0, verify.ReasonMalformed},
		{"as many as may be", dertest.TLV(0x30, many[1:]...), MaxExtensions, ""},
		{"one more", dertest.TLV(0x30, many...), 0, verify.ReasonLimit},
	} {
		doc, err := der.Strict(c.der, der.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		list, err := AppendExtensions(nil, doc.Root())
		if len(list) != c.count || (err != nil) != (c.reason != "") || err != nil && reasonOf(Malformed("%w", err)) != c.reason {
			t.Errorf("%s: got %d extensions, %v, want %d, %q", c.name, len(list), err, c.count, c.reason)
		}
	}
}

// A success is remembered for one key under one policy and no other.
func TestSigned(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("signed")
	s := &Signed{TBS: message, Algorithm: algorithm.Identifier{OID: "1.3.101.112"}, Signature: ed25519.Sign(private, message)}
	for _, c := range []struct {
		key  crypto.PublicKey
		want verify.Reason
	}{
		{other, verify.ReasonBadSignature}, {public, ""}, {public, ""}, {other, verify.ReasonBadSignature}, {nil, verify.ReasonAlgorithm},
	} {
		if got := reasonOf(s.Verify(c.key, algorithm.Policy{})); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	s = &Signed{Algorithm: algorithm.Identifier{OID: "1.2.840.113549.1.1.1"}} // rsaEncryption names no digest
	if got := reasonOf(s.Verify(public, algorithm.Policy{})); got != verify.ReasonAlgorithm {
		t.Errorf("got %q, want %q", got, verify.ReasonAlgorithm)
	}
}

func TestMayUse(t *testing.T) {
	sign := x509.Certificate{KeyUsage: x509.KeyUsageCertSign}
	if !MayUse(&sign, x509.KeyUsageCRLSign) {
		t.Error("a key without keyUsage is restricted")
	}
	sign.Extensions = []pkix.Extension{{Id: oidKeyUsage}}
	if MayUse(&sign, x509.KeyUsageCRLSign) || !MayUse(&sign, x509.KeyUsageCertSign) {
		t.Error("keyUsage is not obeyed")
	}
}

func TestSort(t *testing.T) {
	noon := time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC)
	q := WithClock(verify.StatusQuery{Cert: &x509.Certificate{NotAfter: noon.AddDate(1, 0, 0)}}, func() time.Time { return noon })
	report := func(source string, says verify.Status, this, next time.Duration) verify.StatusReport {
		return verify.StatusReport{Source: source, Says: says, RevokedAt: noon, ThisUpdate: noon.Add(this), NextUpdate: noon.Add(next)}
	}
	stale := report("stale", verify.Good, -time.Minute, 0)
	older := report("older", verify.Good, -time.Hour, time.Hour)
	newer := report("newer", verify.Good, -time.Minute, time.Hour)
	unknown := report("unknown", verify.Unknown, -time.Second, time.Hour)
	revoked := report("revoked", verify.Revoked, -time.Hour*24, -time.Hour)
	reports := []verify.StatusReport{stale, older, newer, revoked}
	Sort(q, reports)
	for i, want := range []string{"revoked", "newer", "older", "stale"} {
		if reports[i].Source != want {
			t.Errorf("place %d: got %s, want %s", i, reports[i].Source, want)
		}
	}
	for _, c := range []struct {
		report verify.StatusReport
		want   bool
	}{{stale, false}, {older, true}, {unknown, false}, {revoked, true}} {
		if got := Settled(q, []verify.StatusReport{c.report}); got != c.want {
			t.Errorf("%s: got settled %v, want %v", c.report.Source, got, c.want)
		}
	}
	if Settled(q, nil) {
		t.Error("settled by nothing")
	}
}
