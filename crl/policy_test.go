package crl_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A list signed with SHA-1 counts under a policy that admits it, and at an instant
// at which it does.
func TestAlgorithms(t *testing.T) {
	w := newWorld(t)
	w.cert = w.issue(pkitest.Template{NotBefore: noon.AddDate(-2, 0, 0)})
	der := w.list(pkitest.CRLOptions{SignatureAlgorithm: x509.SHA1WithRSA, ThisUpdate: noon.Add(-3 * time.Hour)})
	end := noon.Add(-time.Hour)
	for _, c := range []struct {
		name   string
		policy verify.AlgorithmPolicy
		allow  bool
		at     time.Time
		status verify.Status
		reason verify.Reason
	}{
		{"strict", verify.StrictPolicy(), false, noon, verify.Unknown, verify.ReasonAlgorithm},
		{"allowed", verify.StrictPolicy(), true, noon, verify.Good, ""},
		{"historical, before the end", verify.HistoricalPolicy(end), false, end.Add(-time.Second), verify.Good, ""},
		{"historical, at the end", verify.HistoricalPolicy(end), false, end, verify.Unknown, verify.ReasonAlgorithm},
		{"of NIST", verify.SP80057Policy(), false, noon, verify.Unknown, verify.ReasonAlgorithm},
	} {
		store := w.store(crl.Config{Offline: true, Algorithms: c.policy, InsecureAllowSHA1: c.allow})
		if err := store.Add(der, ""); err != nil {
			t.Fatal(err)
		}
		q := w.query()
		q.At = c.at
		if got, err := w.ask(store, q); got != c.status || reasonOf(err) != c.reason {
			t.Errorf("%s: got %v, %v, want %v, %q", c.name, got, err, c.status, c.reason)
		}
		opts := crl.JudgeOptions{Complete: true, Algorithms: c.policy, InsecureAllowSHA1: c.allow, At: c.at}
		if got, err := judge(q, der, opts); got != c.status || reasonOf(err) != c.reason {
			t.Errorf("%s, one list: got %v, %v, want %v, %q", c.name, got, err, c.status, c.reason)
		}
	}
	w.wantDER("historical, at no instant", der, crl.JudgeOptions{Complete: true, Algorithms: verify.HistoricalPolicy(end)},
		verify.Unknown, verify.ReasonAlgorithm)
	for name, cfg := range map[string]crl.Config{
		"two options":         {Algorithms: verify.HistoricalPolicy(end), InsecureAllowSHA1: true},
		"instant to come":     {Algorithms: verify.HistoricalPolicy(noon.Add(time.Second))},
		"short index key":     {Dir: t.TempDir(), IndexKey: indexKey[1:]},
		"index key, no place": {IndexKey: indexKey},
	} {
		cfg.Now = w.clock.Now
		if store, err := crl.New(cfg); err == nil {
			t.Errorf("%s: got a store", name)
			store.Close()
		}
	}
}
