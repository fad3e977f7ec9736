package verify

import (
	"slices"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
)

// A Basis is what a Verifier judges by, as far as it has names: what a record of a
// verdict says of the policy under which it was reached. A [Result] says the same
// of itself, an [*Error] does not.
type Basis struct {
	Scheme        string
	Environment   Environment
	Policy        string // of algorithms
	PolicyVersion string
	Profile       string      // of the scheme; Options.Profile may replace it
	Tolerated     []Deviation // that fields of Config named Insecure… accept, sorted

	// RevocationSkipped is Config.InsecureSkipRevocation.
	RevocationSkipped bool
}

// Basis returns what the verifier judges by.
func (v *Verifier) Basis() Basis {
	b := Basis{
		Scheme:            v.scheme.Name,
		Environment:       v.scheme.Environment,
		Policy:            v.algorithms.Name(),
		PolicyVersion:     algorithm.PolicyVersion,
		Profile:           v.scheme.Profile.Name,
		RevocationSkipped: v.skipStatus,
	}
	for d, tolerated := range v.tolerated {
		if tolerated {
			b.Tolerated = append(b.Tolerated, d)
		}
	}
	slices.Sort(b.Tolerated)
	return b
}

// Now returns the present time by the clock of the verifier.
func (v *Verifier) Now() time.Time { return v.clock() }
