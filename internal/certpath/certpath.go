// Package certpath builds and validates certification paths by RFC 5280,
// Section 6.1.
//
// A [Set] holds the trust anchors and the intermediate CAs a relying party
// knows. Which of them signed which is verified once, when the Set is made.
// [Set.Find] answers one question about one certificate: is there a path from it
// to an anchor that is valid at a given instant? It goes in three steps.
//
//  1. Propose (build.go). CAs whose subject is the issuer of the certificate, and
//     whose key identifiers do not contradict, are candidates. Generations of a
//     national CA share one name, so a name decides nothing.
//  2. Link (link.go). A candidate becomes an issuer when the signature verifies
//     under its key. Certificates that came with a message are no CAs until they
//     hang, link by link, from an anchor: an attacker's keys cost nothing.
//  3. Validate (validate.go, policy.go, constraints.go). Each path of linked
//     certificates goes through the algorithm of Section 6.1.
//
// Package x509 parses certificates here and does nothing else. Revocation,
// keyUsage of the end entity and whatever a national scheme asks for are the
// caller's, who may refuse a path by [Inputs.Accept] and is offered the next one.
package certpath

import (
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
)

// A Set holds trust anchors and known intermediate CAs. It is immutable and may
// be used concurrently.
type Set struct {
	algorithms algorithm.Policy
	known      map[string]*node   // by DER
	bySubject  map[string][]*node // by canonical subject
	names      map[string]string  // canonical subjects, by DER
}

// NewSet returns a Set. Every intermediate must be signed, directly or through
// other intermediates, by a key that an anchor holds: one that is not is
// reported as an *Error that names it, and so is one whose algorithms the policy
// accepts at no instant. Dates and constraints, and what the policy accepts until
// when, are not judged here, since they depend on the instant and the path.
func NewSet(anchors, intermediates []*x509.Certificate, algorithms algorithm.Policy) (*Set, error) {
	if len(anchors) == 0 {
		return nil, errors.New("certpath: no trust anchors")
	}
	s := &Set{
		algorithms: algorithms,
		known:      make(map[string]*node),
		bySubject:  make(map[string][]*node),
		names:      make(map[string]string),
	}
	var linked, unlinked []*node
	for _, cert := range anchors {
		if s.known[string(cert.Raw)] != nil {
			continue
		}
		n, err := newNode(cert, s.names)
		if err != nil {
			return nil, err
		}
		n.anchor = true
		s.add(n)
		linked = append(linked, n)
	}
	for _, cert := range intermediates {
		if s.known[string(cert.Raw)] != nil {
			continue
		}
		n, err := newNode(cert, s.names)
		if err != nil {
			return nil, err
		}
		s.known[string(cert.Raw)] = n
		unlinked = append(unlinked, n)
	}
	if err := s.link(linked, unlinked); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Set) add(n *node) {
	if s.algorithms.CheckKey(n.PublicKey) == nil {
		n.key = algorithm.Prepare(n.PublicKey)
	}
	s.known[string(n.Raw)] = n
	s.names[string(n.RawSubject)] = n.subject
	s.bySubject[n.subject] = append(s.bySubject[n.subject], n)
}

// link connects the intermediates from the anchors downwards, so that no
// signature is ever verified with a key that no anchor vouches for.
func (s *Set) link(linked, intermediates []*node) error {
	l := &linker{algorithms: s.algorithms.AtAnyTime(), budget: math.MaxInt}
	refusals := make(map[*node]error)
	for len(linked) > 0 {
		issuer := linked[0]
		linked = linked[1:]
		for _, child := range intermediates {
			ok, err := l.connect(child, issuer)
			switch {
			case ok && len(child.issuers) == 1:
				s.add(child)
				linked = append(linked, child)
			case err != nil && (refusals[child] == nil || kindOf(err) == Algorithm):
				refusals[child] = err
			}
		}
	}
	for _, child := range intermediates {
		if len(child.issuers) > 0 {
			sortIssuers(child)
			continue
		}
		if err := refusals[child]; err != nil {
			return err
		}
		return &Error{Untrusted, child.Certificate, errors.New("no anchor vouches for this intermediate CA")}
	}
	return nil
}

// IsAnchor reports whether cert is one of the trust anchors.
func (s *Set) IsAnchor(cert *x509.Certificate) bool {
	n := s.known[string(cert.Raw)]
	return n != nil && n.anchor
}

// Inputs are what a path is asked for (RFC 5280, Section 6.1.1). The zero value
// but for At is the RFC's default.
type Inputs struct {
	// At is the instant the path must be valid at. It counts in whole seconds,
	// like the dates of a certificate: notAfter includes its whole second.
	At time.Time

	// AlgorithmsAt is the instant as of which the algorithm policy is asked. If
	// zero, At.
	AlgorithmsAt time.Time

	// InitialPolicies is the user-initial-policy-set, as dotted OIDs. Nil means
	// any-policy. It binds only where an explicit policy is required, by
	// RequireExplicitPolicy or by a certificate of the path.
	InitialPolicies []string

	RequireExplicitPolicy bool // initial-explicit-policy
	InhibitPolicyMapping  bool // initial-policy-mapping-inhibit
	InhibitAnyPolicy      bool // initial-any-policy-inhibit

	// ExtKeyUsages are purposes, as dotted OIDs, one of which the path must
	// serve; if empty, extended key usage is not looked at. An absent extension
	// restricts nothing. In a CA certificate anyExtendedKeyUsage stands for every
	// purpose, in the end entity for none: who asks for a purpose wants it named.
	ExtKeyUsages []string

	// AllowAnchorAsEndEntity lets a certificate that is itself an anchor be a
	// path of one. Otherwise it is refused: anchors issue, they do not sign
	// documents.
	AllowAnchorAsEndEntity bool

	// Accept, if not nil, is asked about every valid path, end entity first. An
	// error refuses that path and moves on to the next one.
	Accept func(path []*x509.Certificate) error
}

// Find returns the first certification path from cert to an anchor that is
// valid by in, end entity first and anchor last. hints are certificates that
// came with cert and are not trusted. Paths through known CAs come first; hints
// are looked at if none of those is valid.
//
// Find checks no revocation. Its work is bounded, whatever the hints are. If no
// path is valid, the error is that of the path that came furthest: what Accept
// returned, else an *Error.
func (s *Set) Find(cert *x509.Certificate, hints []*x509.Certificate, in Inputs) ([]*x509.Certificate, error) {
	path, _, err := s.FindLasting(cert, hints, in)
	return path, err
}

// FindLasting is Find, and reports whether the answer lasts: it rests on known
// CAs alone and not on hints, and no path came before it, so that Find with the
// same inputs answers the same at every other instant that is [InForce].
func (s *Set) FindLasting(cert *x509.Certificate, hints []*x509.Certificate, in Inputs) (path []*x509.Certificate, lasting bool, err error) {
	search, err := s.newSearch(cert, in)
	if err != nil {
		return nil, false, err
	}
	path, err = search.find(hints)
	return path, err == nil && search.lasting(), err
}

// InForce reports whether no certificate of a path has expired or is not yet
// valid at an instant, as Find judges it.
func InForce(path []*x509.Certificate, at time.Time) bool {
	at = at.Truncate(time.Second)
	for _, cert := range path {
		if at.After(cert.NotAfter) || at.Before(cert.NotBefore) {
			return false
		}
	}
	return true
}

// Known returns the anchor or intermediate CA whose DER is raw, or nil.
func (s *Set) Known(raw []byte) *x509.Certificate {
	if n := s.known[string(raw)]; n != nil {
		return n.Certificate
	}
	return nil
}

// A Kind says what refused a path.
type Kind uint8

// The kinds of refusal.
const (
	Untrusted   Kind = iota // no path of verified signatures leads to an anchor
	Expired                 // a certificate's notAfter has passed
	NotYetValid             // a certificate's notBefore has not come
	Algorithm               // the algorithm policy refuses a signature or key
	Constraints             // a CA may not have issued this: CA flag, path length, keyUsage, names, critical extensions
	Policy                  // no certificate policy that is asked for
	Profile                 // the end entity is not for this purpose
	Limit                   // the bounds on work ended the search
	Malformed               // a certificate is not what RFC 5280 describes
)

func (k Kind) String() string {
	names := [...]string{"untrusted", "expired", "not-yet-valid", "algorithm", "constraints", "policy",
		"profile", "limit", "malformed"}
	if int(k) >= len(names) {
		return fmt.Sprintf("Kind(%d)", k)
	}
	return names[k]
}

// An Error says why there is no path, or no valid one. Its text names CAs by
// subject and end entities by serial number only, since their subjects are
// personal data.
type Error struct {
	Kind Kind
	Cert *x509.Certificate // the certificate at fault, or nil
	Err  error
}

func (e *Error) Error() string {
	if e.Cert == nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", label(e.Cert), e.Err)
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// kindOf returns the Kind of an error of this package.
func kindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Untrusted
}
