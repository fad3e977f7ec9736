package certpath_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/outside"
)

func parsePEM(data []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	return certpath.ParseCertificate(block.Bytes)
}

// A tally counts the cases of a suite. A case that is listed with a reason counts
// as skipped, and must come out against its expectation: an entry that has become
// needless is a failure.
type tally struct{ run, passed, skipped int }

func (c *tally) count(t *testing.T, reason string, wantValid bool, err error) {
	t.Helper()
	matches := (err == nil) == wantValid
	if reason != "" {
		c.skipped++
		if matches {
			t.Errorf("verdict is as expected, but the case is listed: %s", reason)
		}
		return
	}
	c.run++
	if !matches {
		t.Fatalf("got error %v, want valid = %t", err, wantValid)
	}
	if err != nil {
		if _, ok := errors.AsType[*certpath.Error](err); !ok {
			t.Errorf("got %T, want *certpath.Error: %v", err, err)
		}
	}
	c.passed++
}

// report wants some cases run, and every one that is listed to be in the suite.
func (c *tally) report(t *testing.T, listed int) {
	t.Helper()
	if c.run == 0 || c.skipped != listed {
		t.Errorf("%d cases run, and %d of those listed, want %d", c.run, c.skipped, listed)
	}
	t.Logf("%d run, %d passed, %d skipped", c.run, c.passed, c.skipped)
}

const (
	revocation = "the certificates are right, the defect is in the revocation data"
	noDSA      = "DSA is not supported"
	unparsable = "package x509 does not parse nameRelativeToCRLIssuer"
)

// pkitsUndecided lists the cases of PKITS that a path without revocation does
// not decide as expected. All of them with the reason revocation are invalid,
// and are for whoever checks revocation to refuse; the other three are valid.
var pkitsUndecided = map[string]string{
	"4.1.4":   noDSA,
	"4.4.1":   revocation,
	"4.4.2":   revocation,
	"4.4.4":   revocation,
	"4.4.6":   revocation,
	"4.4.9":   revocation,
	"4.4.11":  revocation,
	"4.4.12":  revocation,
	"4.4.21":  revocation,
	"4.5.2":   revocation,
	"4.5.7":   revocation,
	"4.7.4":   revocation,
	"4.14.2":  revocation,
	"4.14.4":  unparsable,
	"4.14.9":  revocation,
	"4.14.11": revocation,
	"4.14.12": revocation,
	"4.14.14": revocation,
	"4.14.16": revocation,
	"4.14.17": revocation,
	"4.14.21": revocation,
	"4.14.26": revocation,
	"4.14.27": revocation,
	"4.14.29": unparsable,
	"4.14.31": revocation,
	"4.14.32": revocation,
	"4.14.34": revocation,
	"4.15.1":  revocation,
	"4.15.4":  revocation,
	"4.15.6":  revocation,
	"4.15.9":  revocation,
}

// The NIST Public Key Interoperability Test Suite, without revocation. The
// intermediate certificates of a case come as hints.
func TestPKITS(t *testing.T) {
	var suite struct {
		ValidationTime time.Time `json:"validation_time"`
		Tests          []struct {
			ID, Expect string
			Anchor     string `json:"trust_anchor"`
			Path       []string
			Inputs     struct {
				Policies             []string `json:"initial_policy_set"`
				ExplicitPolicy       bool     `json:"explicit_policy"`
				InhibitPolicyMapping bool     `json:"inhibit_policy_mapping"`
				InhibitAnyPolicy     bool     `json:"inhibit_any_policy"`
			}
		}
	}
	outside.ReadJSON(t, &suite, "pkits", "expectations.json")
	var counts tally
	for _, test := range suite.Tests {
		t.Run(test.ID, func(t *testing.T) {
			in := certpath.Inputs{
				At:                    suite.ValidationTime,
				InitialPolicies:       test.Inputs.Policies,
				RequireExplicitPolicy: test.Inputs.ExplicitPolicy,
				InhibitPolicyMapping:  test.Inputs.InhibitPolicyMapping,
				InhibitAnyPolicy:      test.Inputs.InhibitAnyPolicy,
			}
			var certs []*x509.Certificate
			var err error
			for _, name := range append([]string{test.Anchor}, test.Path...) {
				var cert *x509.Certificate
				if cert, err = certpath.ParseCertificate(outside.Read(t, "pkits", "certs", name)); err != nil {
					break
				}
				certs = append(certs, cert)
			}
			if err == nil {
				last := len(certs) - 1
				err = find(certs[:1], certs[1:last], certs[last], in)
			}
			counts.count(t, pkitsUndecided[test.ID], test.Expect == "valid", err)
		})
	}
	counts.report(t, len(pkitsUndecided))
}

// find is NewSet and Find, with the intermediates as hints.
func find(anchors, hints []*x509.Certificate, cert *x509.Certificate, in certpath.Inputs) error {
	set, err := certpath.NewSet(anchors, nil, algorithm.Policy{})
	if err != nil {
		return err
	}
	_, err = set.Find(cert, hints, in)
	return err
}
