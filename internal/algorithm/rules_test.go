package algorithm

import (
	"crypto"
	"strings"
	"testing"
	"time"
)

// A rule with an end accepts to the last instant before it, and nothing where no
// instant is given.
func TestPolicyAt(t *testing.T) {
	end := time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC)
	historical, never := Historical(end), Historical(time.Time{})
	for _, tt := range []struct {
		name   string
		policy Policy
		want   bool // SHA-1 and RSA-1024
	}{
		{"strict", Policy{}, false},
		{"strict, long ago", Policy{}.At(end.AddDate(-20, 0, 0)), false},
		{"strict, at any time", Policy{}.AtAnyTime(), false},
		{"insecure", Policy{InsecureAllowSHA1: true}, true},
		{"insecure, at an instant", Policy{InsecureAllowSHA1: true}.At(end), true},
		{"historical, before", historical.At(end.Add(-1)), true},
		{"historical, at the end", historical.At(end), false},
		{"historical, without an instant", historical, false},
		{"historical, at any time", historical.AtAnyTime(), true},
		{"historical, at any time and then at the end", historical.AtAnyTime().At(end), false},
		{"historical, of no end", never.At(end), false},
		{"historical, of no end, at any time", never.AtAnyTime(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.policy.CheckHash(crypto.SHA1) == nil; got != tt.want {
				t.Errorf("SHA-1: got accepted %v, want %v", got, tt.want)
			}
			if got := tt.policy.CheckKey(rsaKey(1024, 65537)) == nil; got != tt.want {
				t.Errorf("RSA-1024: got accepted %v, want %v", got, tt.want)
			}
			if err := tt.policy.CheckKey(rsaKey(1023, 65537)); err == nil {
				t.Error("RSA-1023 is accepted")
			}
			if err := tt.policy.CheckHash(crypto.SHA256); err != nil {
				t.Errorf("SHA-256: %v", err)
			}
			if err := tt.policy.CheckKey(rsaKey(2048, 65537)); err != nil {
				t.Errorf("RSA-2048: %v", err)
			}
		})
	}
	if (Policy{}).Dated() || (Policy{InsecureAllowSHA1: true}).Dated() || !historical.Dated() || !SP80057().Dated() {
		t.Error("got the wrong policies dated")
	}
	if err := historical.At(end).CheckHash(crypto.SHA1); err == nil || !strings.Contains(err.Error(), "before 2013-01-01T00:00:00Z") {
		t.Errorf("got %v, want an error that says until when", err)
	}
}
