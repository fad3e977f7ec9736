package verify

import (
	"fmt"
	"strings"
)

// A Trace tells a verdict check by check, in the order of the checks. It names
// certificates by serial number, and CAs by their subject too. It holds no
// personal data, unless the Identify function of a profile puts some into its
// errors.
type Trace []Step

// A Step is one check of a Trace.
type Step struct {
	Check   Check   `json:"check"`
	What    string  `json:"what"`            // what was checked
	Input   string  `json:"input,omitempty"` // with what, as far as it is known
	Rule    string  `json:"rule"`            // by which standard, with the section
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail,omitempty"` // what came out of it, or why it refused
}

// An Outcome is what became of one check.
type Outcome string

// The outcomes. Skipped is a check that the configuration leaves out.
const (
	Passed     Outcome = "passed"
	Refused    Outcome = "refused"
	Skipped    Outcome = "skipped"
	NotReached Outcome = "not-reached"
)

// String returns the trace in lines, one for each check.
func (t Trace) String() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// String returns the step in one line:
//
//	passed: signature of the signer's key: certificate 1a2b, RSA-SHA-256 (RFC 5652, Section 5.4)
func (s Step) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", s.Outcome, s.What)
	if s.Input != "" {
		fmt.Fprintf(&b, ": %s", s.Input)
	}
	fmt.Fprintf(&b, " (%s)", s.Rule)
	if s.Detail != "" {
		fmt.Fprintf(&b, ": %s", s.Detail)
	}
	return b.String()
}

// A rule is what a check does and who asks for it.
type rule struct{ what, standard string }

// rules of checks on a SignedData. Those of the others differ in rulesOf.
var rules = map[Check]rule{
	CheckSyntax:     {"bounds and syntax of the message", "RFC 5652, Sections 3 and 5.1; X.690"},
	CheckPurpose:    {"the content is at hand, and serves the purpose that was asked for", "RFC 5652, Section 5.2; statement lines"},
	CheckMessage:    {"there is a signer, and the type of content is accepted", "RFC 5652, Sections 5.1 and 5.2"},
	CheckAlgorithms: {"digest and signature algorithm are acceptable and agree", "RFC 5652, Section 5.3; algorithm policy"},
	CheckAttributes: {"signed attributes are there once, in DER, and fit the message", "RFC 5652, Sections 5.3 and 11; RFC 6211"},
	CheckSigner:     {"the signer's certificate is at hand", "RFC 5652, Section 5.3"},
	CheckSignature:  {"signature by the key of the certificate that is meant", "RFC 5652, Section 5.4; RFC 5035, Section 3"},
	CheckPath:       {"certification path to a trust anchor", "RFC 5280, Section 6.1"},
	CheckProfile:    {"the certificate is one for this use, and says whose it is", "profile; RFC 5280, Section 4.2.1"},
	CheckContent:    {"the content is what was signed", "RFC 5652, Sections 5.4 and 11.2"},
	CheckStatus:     {"not revoked or suspended", "RFC 6960; RFC 5280, Section 6.3"},
}

var certificateSyntax = rule{"bounds and syntax of the certificate", "RFC 5280, Section 4.1; X.690"}

var ruleOfDocument = rule{"the document is the one whose digest was signed", "statement lines"}

// rulesOfSignature are those of a bare signature, which no SignerInfo describes.
var rulesOfSignature = map[Check]rule{
	CheckSyntax:     certificateSyntax,
	CheckPurpose:    {"what was signed serves the purpose that was asked for", "statement lines"},
	CheckAlgorithms: {"the signature algorithm that was asked for is known", "RFC 8017; FIPS 186-5"},
	CheckSignature:  {"signature by the key of the certificate, with an acceptable algorithm", "RFC 8017; FIPS 186-5; algorithm policy"},
}

// step begins the step of a check.
func (s *setting) step(check Check, outcome Outcome) Step {
	r := rules[check]
	switch {
	case (s.question == askedStatement || s.question == askedSignedStatement) && check == CheckContent:
		r = ruleOfDocument
	case (s.question == askedSignature || s.question == askedStatement) && rulesOfSignature[check] != (rule{}):
		r = rulesOfSignature[check]
	case s.question == askedCertificate && check == CheckSyntax:
		r = certificateSyntax
	}
	step := Step{Check: check, What: r.what, Rule: r.standard, Outcome: outcome}
	switch {
	case check == CheckSyntax && s.question == askedCopy:
		// the size is not known before the end
	case check == CheckSyntax:
		step.Input = fmt.Sprintf("%d bytes", s.size)
	case check == CheckAlgorithms && s.question != askedSignature && s.question != askedStatement:
		step.Input = "policy " + s.policy
	case check == CheckProfile:
		step.Input = fmt.Sprintf("profile %q", s.profile)
	}
	return step
}
