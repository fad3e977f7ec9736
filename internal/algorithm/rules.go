package algorithm

import (
	"fmt"
	"slices"
	"time"
)

// PolicyVersion is the edition of the rules below. It changes with them, so
// that a result says by which rules it was reached.
const PolicyVersion = "2026.1"

// PolicyName is the name of the strict policy.
const PolicyName = "citizencert-strict"

// A Rule accepts one algorithm.
type Rule struct {
	Algorithm        string    // a digest ("SHA-256"), or a kind of key ("RSA", "P-256", "Ed25519")
	MinBits, MaxBits int       // of an RSA modulus
	Until            time.Time // exclusive; zero: no end
}

// The names of keys in rules. Those of curves are the curves' own, those of
// digests what package crypto calls them.
const (
	nameRSA     = "RSA"
	nameEd25519 = "Ed25519"
)

// The bounds on RSA keys. Above 8192 bits a verification costs tens of
// milliseconds, and nobody issues such certificates.
const (
	minRSABits       = 2048
	minRSABitsLegacy = 1024
	maxRSABits       = 8192
)

// A ruleSet is a policy by its name. It is never changed.
type ruleSet struct {
	name  string
	rules []Rule
}

// common are the rules that every policy has.
var common = []Rule{
	{Algorithm: "SHA-256"},
	{Algorithm: "SHA-384"},
	{Algorithm: "SHA-512"},
	{Algorithm: "P-256"},
	{Algorithm: "P-384"},
	{Algorithm: "P-521"},
	{Algorithm: nameEd25519},
}

// strict has no end dates: until when a national PKI issues RSA-2048 is for that
// PKI to say, and none of those known here has said.
var strict = &ruleSet{PolicyName, with(Rule{Algorithm: nameRSA, MinBits: minRSABits, MaxBits: maxRSABits})}

var insecureSHA1 = &ruleSet{"citizencert-insecure-sha1", with(
	Rule{Algorithm: "SHA-1"},
	Rule{Algorithm: nameRSA, MinBits: minRSABitsLegacy, MaxBits: maxRSABits},
)}

// sp80057 is strict with the end of NIST SP 800-57 Part 1 Rev. 5, Table 4: a
// security strength of 112 bits may be applied through 2030. Table 2 gives RSA
// that strength from 2048 bits, and 128 bits of strength from 3072; what else
// strict accepts has 128 bits or more.
var sp80057 = &ruleSet{"nist-sp800-57", with(
	Rule{Algorithm: nameRSA, MinBits: minRSABits, MaxBits: 3071, Until: time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)},
	Rule{Algorithm: nameRSA, MinBits: 3072, MaxBits: maxRSABits},
)}

func with(rules ...Rule) []Rule { return slices.Concat(common, rules) }

// SP80057 returns the strict policy with the end of RSA-2048 that NIST has set.
func SP80057() Policy { return Policy{named: sp80057} }

// Historical returns the strict policy that also admits SHA-1, and RSA keys of
// 1024 bits and more, at instants before the given one. A zero instant admits
// neither.
func Historical(before time.Time) Policy {
	before = before.UTC()
	set := &ruleSet{"citizencert-historical-" + before.Format(time.RFC3339), strict.rules}
	if !before.IsZero() {
		set.rules = slices.Concat(strict.rules, []Rule{
			{Algorithm: "SHA-1", Until: before},
			{Algorithm: nameRSA, MinBits: minRSABitsLegacy, MaxBits: minRSABits - 1, Until: before},
		})
	}
	return Policy{named: set}
}

// Named returns a policy of the given rules. It is equal to no other one, not even
// of the same rules.
func Named(name string, rules []Rule) Policy {
	return Policy{named: &ruleSet{name, slices.Clone(rules)}}
}

func (p Policy) set() *ruleSet {
	switch {
	case p.named != nil:
		return p.named
	case p.InsecureAllowSHA1:
		return insecureSHA1
	}
	return strict
}

// Name returns what the policy is called in results.
func (p Policy) Name() string { return p.set().name }

// Rules returns the rules of the policy.
func (p Policy) Rules() []Rule { return slices.Clone(p.set().rules) }

// Dated reports whether the answers of the policy depend on the instant.
func (p Policy) Dated() bool {
	return slices.ContainsFunc(p.set().rules, func(r Rule) bool { return !r.Until.IsZero() })
}

// refusal says why no rule accepts an algorithm, or is empty if one does. bits
// is the size of an RSA modulus.
func (p Policy) refusal(name string, bits int) string {
	why := "not acceptable"
	for _, r := range p.set().rules {
		if r.Algorithm != name || bits < r.MinBits || bits > r.MaxBits {
			continue
		}
		if r.Until.IsZero() || p.anyTime || !p.instant.IsZero() && p.instant.Before(r.Until) {
			return ""
		}
		why = fmt.Sprintf("acceptable only at instants before %s", r.Until.Format(time.RFC3339))
	}
	return why
}
