package certpath

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// A state is what RFC 5280, Section 6.1.2 keeps while it walks from the anchor
// to the end entity. working_public_key and its parameters are missing: the
// signatures have been verified by the time a path is validated.
type state struct {
	in *Inputs
	at time.Time
	w  *work

	maxPathLen  int
	constraints []*nameConstraints // of the anchor and the CAs so far
	policies    policies
	purposes    []string // of Inputs.ExtKeyUsages, those no CA has excluded
}

// validate runs the algorithm of RFC 5280, Section 6.1 over a path of linked
// certificates, end entity first and anchor last.
func validate(path []*node, in *Inputs, w *work) error {
	n := len(path) - 1
	s := &state{
		in:         in,
		at:         in.At.Truncate(time.Second),
		w:          w,
		maxPathLen: n,
		policies:   newPolicies(n, in),
		purposes:   in.ExtKeyUsages,
	}
	anchor := path[n]
	if err := s.checkBasics(anchor); err != nil {
		return err
	}
	if n == 0 {
		return s.checkPurpose(anchor)
	}
	if err := s.enterAnchor(anchor); err != nil {
		return err
	}
	for i := n - 1; i >= 0; i-- {
		cert, final := path[i], i == 0
		if err := s.process(cert, path[i+1], final); err != nil {
			return err
		}
		if !final {
			if err := s.prepareNext(cert); err != nil {
				return err
			}
		}
	}
	return s.wrapUp(path[0])
}

// enterAnchor applies the constraints of a trust anchor. RFC 5280 leaves out
// all of it but name and key; RFC 5937 names what binds if the anchor comes as a
// certificate, and a relying party who pins one means it with its limits. A
// version 1 certificate has no way to say that it is a CA; being pinned says so.
func (s *state) enterAnchor(anchor *node) error {
	if anchor.Version == 3 {
		if err := checkCA(anchor); err != nil {
			return err
		}
	}
	if err := s.restrictPurposes(anchor); err != nil {
		return err
	}
	s.restrict(anchor)
	return nil
}

// checkBasics checks what needs no state: dates (Section 6.1.3 (a)(2)), critical
// extensions (Sections 6.1.4 (o) and 6.1.5 (f)), and rules of the profile that
// hold for every certificate.
func (s *state) checkBasics(cert *node) error {
	switch {
	case s.at.After(cert.NotAfter):
		return &Error{Expired, cert.Certificate, fmt.Errorf("expired at %s", cert.NotAfter.UTC().Format(time.RFC3339))}
	case s.at.Before(cert.NotBefore):
		return &Error{NotYetValid, cert.Certificate, fmt.Errorf("not valid before %s", cert.NotBefore.UTC().Format(time.RFC3339))}
	case len(cert.violations) > 0:
		return refuse(cert, Constraints, cert.violations[0].Error())
	case cert.keyCertSign && !cert.basicConstraints.isCA:
		return refuse(cert, Constraints, "keyUsage has keyCertSign without the CA flag (RFC 5280, Section 4.2.1.9)")
	case cert.constraints != nil && !cert.basicConstraints.isCA:
		return refuse(cert, Constraints, "name constraints outside a CA certificate (RFC 5280, Section 4.2.1.10)")
	case cert.basicConstraints.isCA && cert.subject == "":
		return refuse(cert, Constraints, "CA without a subject (RFC 5280, Section 4.1.2.6)")
	case cert.subject == "" && !(cert.hasAltNames && cert.altNamesCritical):
		return refuse(cert, Constraints, "neither a subject nor a critical subjectAltName (RFC 5280, Section 4.2.1.6)")
	}
	return nil
}

// maxSerialBits is 20 octets (Section 4.1.2.2). The sign is not counted in: CAs
// that draw 20 random octets come to 21 of DER every other time.
const maxSerialBits = 160

// process is Section 6.1.3, basic certificate processing.
func (s *state) process(cert, issuer *node, final bool) error {
	if err := s.checkBasics(cert); err != nil {
		return err
	}
	// Revocation is looked up by issuer and serial number.
	if cert.SerialNumber.Sign() <= 0 || cert.SerialNumber.BitLen() > maxSerialBits {
		return refuse(cert, Malformed, "serial number is not a positive integer of at most 20 octets")
	}
	if cert.issuer == "" || cert.issuer != issuer.subject { // (a)(4)
		return refuse(cert, Untrusted, "issuer is not the subject of the CA above")
	}
	if final || !cert.selfIssued() { // (b), (c)
		if err := s.checkNames(cert); err != nil {
			return err
		}
	}
	if err := s.policies.process(cert, final, s.w); err != nil { // (d), (e), (f)
		return blame(cert, Policy, err)
	}
	return nil
}

// prepareNext is Section 6.1.4, preparation for the certificate below cert.
func (s *state) prepareNext(cert *node) error {
	if err := s.policies.mapPolicies(cert.mappings, s.w); err != nil { // (a), (b)
		return blame(cert, Policy, err)
	}
	if cert.Version != 3 { // (k)
		return refuse(cert, Constraints, "not a CA: certificate has no extensions to say so")
	}
	if err := checkCA(cert); err != nil { // (k), (n)
		return err
	}
	if !cert.selfIssued() { // (h), (l)
		s.policies.descend()
		if s.maxPathLen == 0 {
			return refuse(cert, Constraints, "one CA more than a pathLenConstraint above allows")
		}
		s.maxPathLen--
	}
	s.restrict(cert) // (g), (i), (j), (m)
	return s.restrictPurposes(cert)
}

// checkCA is Section 6.1.4 (k) and (n): the CA flag, and keyCertSign unless
// there is no keyUsage at all.
func checkCA(cert *node) error {
	if !cert.basicConstraints.isCA {
		return refuse(cert, Constraints, "not a CA: basicConstraints does not say so")
	}
	if cert.hasKeyUsage && !cert.keyCertSign {
		return refuse(cert, Constraints, "keyUsage does not allow signing certificates")
	}
	return nil
}

// restrict adds the constraints of a CA to those in force: Section 6.1.4 (g),
// (i), (j) and (m).
func (s *state) restrict(cert *node) {
	if cert.constraints != nil {
		s.constraints = append(s.constraints, cert.constraints)
	}
	s.policies.restrict(cert)
	if n := cert.basicConstraints.pathLen; n != absent {
		s.maxPathLen = min(s.maxPathLen, n)
	}
}

// wrapUp is Section 6.1.5 for the end entity.
func (s *state) wrapUp(cert *node) error {
	if err := s.policies.wrapUp(cert); err != nil {
		return blame(cert, Policy, err)
	}
	return s.checkPurpose(cert)
}

// checkPurpose checks the extended key usage of the end entity.
func (s *state) checkPurpose(cert *node) error {
	if len(s.in.ExtKeyUsages) > 0 && cert.hasExtKeyUsage && !slices.ContainsFunc(cert.extKeyUsages, s.hasPurpose) {
		return refuse(cert, Profile, "extended key usage does not name the purpose asked for")
	}
	return nil
}

const oidAnyExtendedKeyUsage = "2.5.29.37.0"

// restrictPurposes drops the purposes that a CA does not issue for. RFC 5280
// leaves the extension of a CA undefined; that it limits what is below is how
// CAs use it and how package x509 reads it.
func (s *state) restrictPurposes(cert *node) error {
	if len(s.in.ExtKeyUsages) == 0 || !cert.hasExtKeyUsage || slices.Contains(cert.extKeyUsages, oidAnyExtendedKeyUsage) {
		return nil
	}
	var left []string
	for _, purpose := range s.purposes {
		if slices.Contains(cert.extKeyUsages, purpose) {
			left = append(left, purpose)
		}
	}
	if s.purposes = left; len(left) == 0 {
		return refuse(cert, Constraints, "extended key usage of the CA excludes the purpose asked for")
	}
	return nil
}

func (s *state) hasPurpose(id string) bool { return slices.Contains(s.purposes, id) }

func refuse(cert *node, kind Kind, msg string) error {
	return &Error{kind, cert.Certificate, errors.New(msg)}
}

// blame makes err an *Error of the given kind about cert, unless it ended for
// want of work.
func blame(cert *node, kind Kind, err error) error {
	if errors.Is(err, errTooMuchWork) {
		kind = Limit
	}
	return &Error{kind, cert.Certificate, err}
}

// work is what is left of the bound on comparisons.
type work int

var errTooMuchWork = fmt.Errorf("more than %d comparisons of names and policies", maxWork)

func (w *work) spend(n int) error {
	if *w -= work(n); *w < 0 {
		return errTooMuchWork
	}
	return nil
}
