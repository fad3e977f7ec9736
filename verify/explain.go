package verify

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Explain tells the checks that a signature or certificate has passed, signer by
// signer, and what was waived by name.
func (r *Result) Explain() Trace {
	var t Trace
	for _, check := range checksOf[r.setting.question] {
		if ofSigner(check) {
			for i := range r.Signers {
				t = append(t, r.explainSigner(check, i)...)
			}
			continue
		}
		t = append(t, r.setting.step(check, Passed))
	}
	for _, e := range r.Refused { // where the policy asks for fewer than all
		t = append(t, e.refusedStep(e.checkOrUsual()))
	}
	return t
}

// ofSigner reports whether a check is done for each signer apart.
func ofSigner(check Check) bool {
	switch check {
	case CheckSyntax, CheckPurpose, CheckMessage:
		return false
	}
	return true
}

func (r *Result) explainSigner(check Check, i int) Trace {
	signer := &r.Signers[i]
	step := r.setting.step(check, Passed)
	cert := signer.Path[0]
	switch check {
	case CheckAlgorithms:
		step.Input = joined(step.Input, signer.DigestAlgorithm, signer.SignatureAlgorithm)
	case CheckAttributes:
		step.waive(signer.Deviations)
	case CheckSigner:
		step.Input = "certificate " + serialOf(cert)
	case CheckSignature:
		step.Input = joined("certificate "+serialOf(cert), signer.SignatureAlgorithm, "policy "+r.Policy)
	case CheckPath:
		step.Input = joined(pathText(signer.Path), "at "+instantText(signer.At), string(signer.AtKind), r.Environment.String()+" anchors")
	case CheckProfile:
		step.Input = joined(step.Input, "certificate "+serialOf(cert))
	case CheckContent:
		step.Input = signer.DigestAlgorithm
	case CheckStatus:
		return r.explainStatus(signer, ofMany(i, len(r.Signers)))
	}
	step.Input = joined(ofMany(i, len(r.Signers)), step.Input)
	return Trace{step}
}

// waive tells the rules that the policy has waived for a signer. Without signed
// attributes nothing about them has been checked.
func (s *Step) waive(deviations []Deviation) {
	for _, d := range deviations {
		if d == DeviationNoSignedAttributes {
			s.Outcome = Skipped
		}
		s.Detail = joined(s.Detail, "waived: "+string(d))
	}
}

// explainStatus has a step for each certificate but the anchor.
func (r *Result) explainStatus(signer *Signer, who string) Trace {
	if r.RevocationSkipped {
		step := r.setting.step(CheckStatus, Skipped)
		step.Input = who
		step.Detail = "InsecureSkipRevocation is set"
		return Trace{step}
	}
	var t Trace
	for i := range signer.Revocation {
		fact := &signer.Revocation[i]
		step := r.setting.step(CheckStatus, Passed)
		step.Input = joined(who, "certificate "+serialOf(fact.Cert))
		step.Detail = factText(fact)
		t = append(t, step)
	}
	return t
}

func factText(fact *RevocationFact) string {
	report := &fact.Report
	text := fmt.Sprintf("%v, says %s (%v) of %s", fact.Status, report.Source, report.Rung, instantText(report.ThisUpdate))
	if !report.NextUpdate.IsZero() {
		text += ", next " + instantText(report.NextUpdate)
	}
	if fact.Other != nil {
		other := &fact.Other.Report
		text += fmt.Sprintf("; and so says %s (%v) of %s", other.Source, other.Rung, instantText(other.ThisUpdate))
	}
	if !fact.RevokedAfter.IsZero() {
		text += "; revoked or suspended later, at " + instantText(fact.RevokedAfter)
	}
	if !fact.SuspensionExcluded {
		text += "; that it was suspended at the instant of judgement is not excluded"
	}
	return oneLine(text)
}

// Explain tells the checks that passed, the one that refused, and those that
// were not reached. Of a message with several signers it tells those of the
// message and of the signer at fault.
func (e *Error) Explain() Trace {
	order, outcome := checksOf[e.setting.question], Passed
	if e.setting.question == 0 { // not from a method of Verifier
		order = []Check{e.checkOrUsual()}
	}
	var t Trace
	for _, check := range order {
		if check == e.checkOrUsual() {
			t = append(t, e.refusedStep(check))
			outcome = NotReached
			continue
		}
		step := e.setting.step(check, outcome)
		if outcome == Passed {
			step.Input = joined(step.Input, e.established(check))
		}
		t = append(t, step)
	}
	return t
}

func (e *Error) checkOrUsual() Check {
	if e.Check != "" {
		return e.Check
	}
	return usualCheck[e.Reason]
}

func (e *Error) refusedStep(check Check) Step {
	step := e.setting.step(check, Refused)
	if e.Signer > 0 {
		step.Input = joined(fmt.Sprintf("signer %d", e.Signer), step.Input)
	}
	if e.Cert != nil {
		step.Input = joined(step.Input, "certificate "+serialOf(e.Cert))
	}
	if check == CheckPath || check == CheckStatus {
		step.Input = joined(step.Input, e.setting.instant())
	}
	step.Detail = string(e.Reason)
	if e.Err != nil {
		step.Detail += ": " + oneLine(e.Err.Error())
	}
	return step
}

// established tells what a check that passed had found.
func (e *Error) established(check Check) string {
	switch {
	case check == CheckSigner && len(e.path) > 0, check == CheckSignature && len(e.path) > 0:
		return "certificate " + serialOf(e.path[0])
	case check == CheckPath && len(e.path) > 1:
		return pathText(e.path)
	}
	return ""
}

// instant tells what the caller said of the instant of judgement.
func (s *setting) instant() string {
	if s.receivedAt.IsZero() {
		return ""
	}
	return "at " + instantText(s.receivedAt)
}

// pathText names a path by serial numbers, anchor last.
func pathText(path []*x509.Certificate) string {
	serials := make([]string, len(path))
	for i, cert := range path {
		serials[i] = serialOf(cert)
	}
	return "certificates " + strings.Join(serials, ", ")
}

func instantText(t time.Time) string { return t.UTC().Format(timeLayout) }

// joined lists what is there.
func joined(parts ...string) string {
	var there []string
	for _, p := range parts {
		if p != "" {
			there = append(there, p)
		}
	}
	return strings.Join(there, ", ")
}

// ofMany names a signer where there are several.
func ofMany(i, n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf("signer %d", i)
}

// oneLine makes a text one line. Errors quote what was sent, and causes are
// joined by line breaks.
func oneLine(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
