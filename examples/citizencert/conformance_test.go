package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The outside suites are driven through the flags that operators use. Each case
// has the expected outcome or stands in a table with the reason why not. Nothing
// that a suite expects to be refused may ever stand in such a table as accepted.

// conformanceDir returns the folder of a suite.
func conformanceDir(t *testing.T, suite string) string {
	t.Helper()
	root := os.Getenv("CITIZENCERT_CONFORMANCE")
	if root == "" {
		t.Skip("CITIZENCERT_CONFORMANCE is not set: it names the folder of the outside suites")
	}
	return filepath.Join(root, suite)
}

func readJSON(t *testing.T, path string, out any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, out); err != nil {
		t.Fatal(err)
	}
}

// A tally counts outcomes and is printed at the end of a suite.
type tally struct{ agreed, stricter, beyond int }

func (c *tally) log(t *testing.T, suite string) {
	t.Helper()
	t.Logf("%s: %d as expected, %d stricter for a reason in the table, %d accepted as the rule is not asked for",
		suite, c.agreed, c.stricter, c.beyond)
}

// compare counts the verdict on one case. strict is the reason why it may be
// refused although it is valid, and must then be.
func (c *tally) compare(t *testing.T, id string, wantValid bool, strict string, got outcome) {
	t.Helper()
	var answer struct{ Verdict, Reason, Message string }
	got.decodeJSON(t, &answer)
	valid := answer.Verdict == "valid"
	if valid != (got.code == exitGood) || !valid && got.code != exitRefused {
		t.Errorf("%s: verdict %s with exit code %d", id, answer.Verdict, got.code)
	}
	switch {
	case valid == wantValid && strict != "":
		t.Errorf("%s: as expected, but the table says: %s", id, strict)
	case valid == wantValid:
		c.agreed++
	case strict != "" && !valid:
		c.stricter++
	default:
		t.Errorf("%s: got %s (%s: %s), want valid %t", id, answer.Verdict, answer.Reason, answer.Message, wantValid)
	}
}

// A statusSuite is boringssl-ocsp or boringssl-crl.
type statusSuite struct {
	At     time.Time    `json:"evaluation_time"`
	MaxAge int          `json:"max_age_seconds"`
	Cases  []statusCase `json:"cases"`
}

type statusCase struct {
	ID, Expect         string
	Cert, Issuer, CRL  []byte
	OCSP               []byte `json:"ocsp_response"`
	SignatureAlgorithm string `json:"signature_algorithm"`
}

// strictStatus are the cases of both suites that are answered "unknown" although
// the suite expects more.
var strictStatus = map[string]string{
	"good_response_invalid_serial": "the certificate has no positive serial number (RFC 5280, Section 4.1.2.2)",
	"revoked_key_rollover":         "the list is signed with another key than the certificate, and -issuer names the one",
}

func TestConformanceOCSP(t *testing.T) {
	testStatusSuite(t, "boringssl-ocsp", "ocsp", func(c *statusCase) []byte { return c.OCSP })
}

func TestConformanceCRL(t *testing.T) {
	testStatusSuite(t, "boringssl-crl", "crl", func(c *statusCase) []byte { return c.CRL })
}

func testStatusSuite(t *testing.T, folder, command string, evidence func(*statusCase) []byte) {
	var suite statusSuite
	readJSON(t, filepath.Join(conformanceDir(t, folder), "cases.json"), &suite)
	var count tally
	for _, c := range suite.Cases {
		got := call(t, command, "-json", "-insecure-allow-sha1",
			"-at", suite.At.Format(time.RFC3339), "-max-age", fmt.Sprintf("%ds", suite.MaxAge),
			"-cert", writeTemp(t, "cert", c.Cert), "-issuer", writeTemp(t, "issuer", c.Issuer),
			writeTemp(t, "evidence", evidence(&c)))
		count.compareStatus(t, c.ID, c.Expect, got)
	}
	count.log(t, folder)
}

func (c *tally) compareStatus(t *testing.T, id, want string, got outcome) {
	t.Helper()
	var answer struct{ Status, Reason, Message string }
	got.decodeJSON(t, &answer)
	if (answer.Status == "good") != (got.code == exitGood) || answer.Status != "good" && got.code != exitRefused {
		t.Errorf("%s: status %s with exit code %d", id, answer.Status, got.code)
	}
	strict := strictStatus[id]
	switch {
	case answer.Status == want && strict != "":
		t.Errorf("%s: as expected, but the table says: %s", id, strict)
	case answer.Status == want:
		c.agreed++
	case strict != "" && answer.Status == "unknown":
		c.stricter++
	default:
		t.Errorf("%s: got %s (%s: %s), want %s", id, answer.Status, answer.Reason, answer.Message, want)
	}
}

// A pkitsSuite is NIST's, at one instant.
type pkitsSuite struct {
	At      time.Time   `json:"validation_time"`
	Content string      `json:"cms_content"`
	Tests   []pkitsCase `json:"tests"`
}

type pkitsCase struct {
	ID, Title, Expect string
	Tags              []string
	Anchor            string `json:"trust_anchor"`
	Path, CRLs        []string
	CMS               string
	Inputs            struct {
		Policies       []string `json:"initial_policy_set"`
		Explicit       bool     `json:"explicit_policy"`
		InhibitMapping bool     `json:"inhibit_policy_mapping"`
		InhibitAny     bool     `json:"inhibit_any_policy"`
	}
}

func (c *pkitsCase) flags(dir string, at time.Time) []string {
	flags := []string{"-json", "-at", at.Format(time.RFC3339), "-anchors", filepath.Join(dir, "certs", c.Anchor)}
	for _, policy := range c.Inputs.Policies {
		flags = append(flags, "-initial-policy", policy)
	}
	for name, set := range map[string]bool{
		"-require-explicit-policy": c.Inputs.Explicit,
		"-inhibit-policy-mapping":  c.Inputs.InhibitMapping,
		"-inhibit-any-policy":      c.Inputs.InhibitAny,
	} {
		if set {
			flags = append(flags, name)
		}
	}
	return flags
}

func (c *pkitsCase) crlFlags(dir string) []string {
	var flags []string
	for _, crl := range c.CRLs {
		flags = append(flags, "-crl", filepath.Join(dir, "crls", crl))
	}
	return flags
}

const relativeName = "package x509 does not parse nameRelativeToCRLIssuer"

// strictPKITS are the valid cases that are refused.
var strictPKITS = map[string]string{
	"4.1.4":   "DSA is not supported",
	"4.14.4":  relativeName,
	"4.14.29": relativeName,
}

func TestConformancePKITS(t *testing.T) {
	dir := conformanceDir(t, "pkits")
	var suite pkitsSuite
	readJSON(t, filepath.Join(dir, "expectations.json"), &suite)
	content := filepath.Join(dir, filepath.FromSlash(suite.Content))
	var certificates, messages, alone tally
	for _, c := range suite.Tests {
		last := len(c.Path) - 1
		args := slices.Concat([]string{"certificate"}, c.flags(dir, suite.At), c.crlFlags(dir))
		for _, name := range c.Path[:last] {
			args = append(args, "-intermediates", filepath.Join(dir, "certs", name))
		}
		args = append(args, filepath.Join(dir, "certs", c.Path[last]))
		certificates.compare(t, "certificate "+c.ID, c.Expect == "valid", strictPKITS[c.ID], call(t, args...))

		message := filepath.Join(dir, filepath.FromSlash(c.CMS))
		args = slices.Concat([]string{"verify", "-content", content}, c.flags(dir, suite.At), c.crlFlags(dir), []string{message})
		messages.compare(t, "verify "+c.ID, c.Expect == "valid", strictPKITS[c.ID], call(t, args...))

		args = slices.Concat([]string{"verify", "-content", content}, c.flags(dir, suite.At), []string{message})
		alone.compare(t, "verify without -crl "+c.ID, c.Expect == "valid", strictPKITS[c.ID], call(t, args...))
	}
	certificates.log(t, "pkits by certificate")
	messages.log(t, "pkits by verify")
	alone.log(t, "pkits by verify without -crl")
}

type limboCase struct {
	ID        string
	Kind      string   `json:"validation_kind"`
	Trusted   []string `json:"trusted_certs"`
	Untrusted []string `json:"untrusted_intermediates"`
	Peer      string   `json:"peer_certificate"`
	CRLs      []string `json:"crls"`
	At        *string  `json:"validation_time"`
	Expect    string   `json:"expected_result"`
}

// The suite is about servers and clients of TLS. What it asks for beyond RFC 5280
// is not asked for here, so that such cases may be accepted; they are counted.
func TestConformanceLimbo(t *testing.T) {
	var suite struct{ Testcases []limboCase }
	readJSON(t, filepath.Join(conformanceDir(t, "x509-limbo"), "limbo.json"), &suite)
	var count tally
	for _, c := range suite.Testcases {
		got := call(t, c.args(t)...)
		if c.Expect == "FAILURE" && c.beyond() != "" && got.code == exitGood {
			count.beyond++
			continue
		}
		count.compare(t, c.ID, c.Expect == "SUCCESS", strictLimbo[c.ID], got)
	}
	count.log(t, "x509-limbo")
}

// strictLimbo are the valid cases that are refused.
var strictLimbo = map[string]string{
	"webpki::nc::permitted-dns-match-noncritical": "name constraints have to be critical, as another case of the suite has it",
}

const (
	webServers = "a rule for web servers"
	keyIDs     = "key identifiers are for CAs to write; Hongkong Post issues without them"
)

// beyondRFC5280 are rules of other cases, and why they are not asked for.
var beyondRFC5280 = map[string]string{
	"rfc5280::aki::leaf-missing-aki":               keyIDs,
	"rfc5280::aki::intermediate-missing-aki":       keyIDs,
	"rfc5280::aki::cross-signed-root-missing-aki":  keyIDs,
	"rfc5280::ski::root-missing-ski":               keyIDs,
	"rfc5280::ski::intermediate-missing-ski":       keyIDs,
	"rfc5280::pc::ica-noncritical-pc":              "PKITS 4.8.6 and others: policy constraints bind whether critical or not",
	"rfc5280::root-non-critical-basic-constraints": "PKITS 4.6.4: they bind whether critical or not",
	"rfc5280::ca-as-leaf-wrong-san":                "names of servers are not compared",
	"pathlen::max-chain-depth-":                    "there is no flag for the length of a path",
	"webpki::aki::":                                webServers,
	"webpki::cn::":                                 webServers,
	"webpki::eku::":                                webServers,
	"webpki::san::":                                webServers,
	"webpki::forbidden-rsa-":                       webServers,
	"webpki::v1-cert":                              webServers,
	"webpki::ee-basicconstraints-ca":               webServers,
	"webpki::ca-as-leaf":                           webServers,
}

func (c *limboCase) beyond() string {
	for prefix, reason := range beyondRFC5280 {
		if strings.HasPrefix(c.ID, prefix) {
			return reason
		}
	}
	return ""
}

func (c *limboCase) args(t *testing.T) []string {
	args := []string{"certificate", "-json", "-anchors", writeTemp(t, "anchors", []byte(strings.Join(c.Trusted, "\n")))}
	if len(c.Untrusted) > 0 {
		args = append(args, "-intermediates", writeTemp(t, "intermediates", []byte(strings.Join(c.Untrusted, "\n"))))
	}
	if len(c.CRLs) > 0 {
		args = append(args, "-crl", writeTemp(t, "crls", []byte(strings.Join(c.CRLs, "\n"))))
	} else {
		args = append(args, "-insecure-skip-revocation")
	}
	if c.At != nil {
		args = append(args, "-at", *c.At)
	}
	purpose := map[string]string{"SERVER": "serverAuth", "CLIENT": "clientAuth"}[c.Kind]
	return append(args, "-eku", purpose, writeTemp(t, "peer", []byte(c.Peer)))
}
