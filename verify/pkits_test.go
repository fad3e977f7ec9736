package verify_test

import (
	"bytes"
	"crypto/x509"
	"path/filepath"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/outside"
	"github.com/citizencert/citizencert/verify"
)

// lostPKITS are the valid cases of PKITS that are refused. None that has to be
// refused is ever accepted.
var lostPKITS = map[string]string{
	"4.1.4":   "DSA is not supported",
	"4.14.4":  "package x509 does not parse nameRelativeToCRLIssuer",
	"4.14.29": "package x509 does not parse nameRelativeToCRLIssuer",
}

// A pkitsCase is one of NIST's Public Key Interoperability Test Suite.
type pkitsCase struct {
	ID, Expect string
	Anchor     string `json:"trust_anchor"`
	Path, CRLs []string
	CMS        string
	Inputs     struct {
		Policies       []string `json:"initial_policy_set"`
		Explicit       bool     `json:"explicit_policy"`
		InhibitMapping bool     `json:"inhibit_policy_mapping"`
		InhibitAny     bool     `json:"inhibit_any_policy"`
	}
}

// TestPKITS runs the suite three times through a Verifier with its lists: for the
// certificate, with the other certificates beside it and the lists in a Store; for
// the SignedData, with the lists in a Store; and for the SignedData with no list but
// those it carries.
func TestPKITS(t *testing.T) {
	read := func(elements ...string) []byte { return outside.Read(t, append([]string{"pkits"}, elements...)...) }
	var suite struct {
		At      time.Time `json:"validation_time"`
		Content string    `json:"cms_content"`
		Tests   []pkitsCase
	}
	outside.ReadJSON(t, &suite, "pkits", "expectations.json")
	content := read(filepath.FromSlash(suite.Content))
	if len(suite.Tests) == 0 {
		t.Fatal("suite has no cases")
	}
	opts := &verify.Options{Use: verify.UseFiling, ReceivedAt: suite.At}
	message := func(v *verify.Verifier, c *pkitsCase) error {
		_, err := v.Detached(t.Context(), read(filepath.FromSlash(c.CMS)), bytes.NewReader(content), opts)
		return err
	}
	for name, judge := range map[string]func(*verify.Verifier, *pkitsCase) error{
		"certificate": func(v *verify.Verifier, c *pkitsCase) error {
			with, last := *opts, len(c.Path)-1
			for _, name := range c.Path[:last] {
				with.Certificates = append(with.Certificates, read("certs", name))
			}
			_, err := v.Certificate(t.Context(), read("certs", c.Path[last]), &with)
			return err
		},
		"message":       message,
		"message alone": message,
	} {
		t.Run(name, func(t *testing.T) {
			passed, lost := 0, 0
			for _, c := range suite.Tests {
				var lists [][]byte
				for _, list := range c.CRLs {
					if name != "message alone" {
						lists = append(lists, read("crls", list))
					}
				}
				err := judge(c.verifier(t, read("certs", c.Anchor), lists), &c)
				valid := c.Expect == "valid"
				switch {
				case lostPKITS[c.ID] != "" && err != nil:
					lost++
				case (err == nil) != valid || lostPKITS[c.ID] != "":
					t.Errorf("%s: got error %v, want valid %t (%s)", c.ID, err, valid, lostPKITS[c.ID])
				default:
					passed++
				}
			}
			t.Logf("pkits by %s: %d run, %d as expected, %d valid ones lost as listed", name, len(suite.Tests), passed, lost)
		})
	}
}

// verifier returns one that trusts the anchor of the case and asks for what it does.
func (c *pkitsCase) verifier(t *testing.T, anchor []byte, lists [][]byte) *verify.Verifier {
	t.Helper()
	store, err := crl.New(crl.Config{Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	for _, list := range lists {
		if err := store.Add(list, ""); err != nil {
			t.Logf("%s: %v", c.ID, err) // some are malformed, which is their point
		}
	}
	cert, err := certpath.ParseCertificate(anchor)
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(verify.Config{
		Scheme: verify.Scheme{
			Name: "pkits", Environment: verify.Custom, Anchors: []*x509.Certificate{cert},
			Profile: verify.Profile{AllowCA: true}, SeparateCRLKeys: true,
		},
		Status: []verify.StatusSource{store},
		PathInputs: verify.PathInputs{
			InitialPolicies:       c.Inputs.Policies,
			RequireExplicitPolicy: c.Inputs.Explicit,
			InhibitPolicyMapping:  c.Inputs.InhibitMapping,
			InhibitAnyPolicy:      c.Inputs.InhibitAny,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
