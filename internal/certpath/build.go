package certpath

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/citizencert/citizencert/internal/algorithm"
)

// The bounds on one search. National PKIs have paths of three certificates and a
// handful of candidates; what exceeds these numbers by orders of magnitude is
// made to.
const (
	maxPath         = 16      // certificates in a path
	maxHints        = 512     // hints looked at
	maxHintChecks   = 16      // signature checks on hints
	maxTargetChecks = 64      // signature checks on the certificate itself
	maxPaths        = 64      // complete paths validated
	maxSteps        = 4096    // certificates tried while building
	maxWork         = 250_000 // comparisons of names with constraints, and of policies
)

// A search is one call of Find.
type search struct {
	set        *Set
	in         Inputs
	algorithms algorithm.Policy // at the instant of in
	target     *node

	targetLinks, hintLinks linker

	steps, paths int
	hinted       bool // known CAs alone have not been enough
	work         work

	refusal error // the most telling so far
	rank    int
}

// Ranks of refusals: a path that was valid but for the caller's own rules says
// more than one that was not, a complete path more than an incomplete one, and a
// reason why links are missing more than that they are.
const (
	rankUnlinked = iota + 1
	rankBadSignature
	rankAlgorithm
	rankLimit
	rankInvalid
	rankNotAccepted
)

func (s *Set) newSearch(cert *x509.Certificate, in Inputs) (*search, error) {
	target, err := newNode(cert, s.names)
	if err != nil {
		return nil, err
	}
	algorithms := s.algorithms.At(cmp.Or(in.AlgorithmsAt, in.At))
	return &search{
		set:         s,
		in:          in,
		algorithms:  algorithms,
		target:      target,
		targetLinks: linker{algorithms: algorithms, budget: maxTargetChecks},
		hintLinks:   linker{algorithms: algorithms, budget: maxHintChecks},
		work:        maxWork,
	}, nil
}

func (s *search) find(hints []*x509.Certificate) ([]*x509.Certificate, error) {
	if err := s.algorithms.CheckKey(s.target.PublicKey); err != nil {
		return nil, &Error{Algorithm, s.target.Certificate, err}
	}
	if s.set.IsAnchor(s.target.Certificate) {
		return s.findAnchor()
	}
	if known := s.set.known[string(s.target.Raw)]; known != nil {
		s.target.issuers = append(s.target.issuers, known.issuers...)
	} else {
		s.link(s.set.bySubject[s.target.issuer])
	}
	if path := s.extend([]*node{s.target}); path != nil {
		return path, nil
	}
	// Hints never become issuers of known CAs, so that every new path begins
	// with a hint, and none of the paths above comes again.
	s.target.issuers = nil
	s.hinted = true
	s.link(s.admit(hints))
	if path := s.extend([]*node{s.target}); path != nil {
		return path, nil
	}
	if s.refusal == nil {
		s.refuse(rankUnlinked, &Error{Untrusted, s.target.Certificate, errors.New("no known CA of its issuer's name and key")})
	}
	return nil, s.refusal
}

// lasting reports whether the path that was found is the first that known CAs
// make. Which one that is does not depend on the instant: dates are judged when
// a path is complete. An Accept may depend on anything, and so may a policy with
// dates.
func (s *search) lasting() bool {
	return s.paths == 1 && !s.hinted && s.in.Accept == nil && !s.algorithms.Dated()
}

// findAnchor answers for a certificate that is an anchor.
func (s *search) findAnchor() ([]*x509.Certificate, error) {
	if !s.in.AllowAnchorAsEndEntity {
		return nil, &Error{Profile, s.target.Certificate, errors.New("a trust anchor is not an end entity")}
	}
	if path := s.judge([]*node{s.target}); path != nil {
		return path, nil
	}
	return nil, s.refusal
}

// link finds out which of the candidates signed the target.
func (s *search) link(candidates []*node) {
	for _, issuer := range candidates {
		if _, err := s.targetLinks.connect(s.target, issuer); err != nil {
			s.refuseLink(err)
		}
	}
	sortIssuers(s.target)
}

// refuseLink notes why a signature did not verify.
func (s *search) refuseLink(err error) {
	switch kindOf(err) {
	case Algorithm:
		s.refuse(rankAlgorithm, err)
	case Limit:
		s.refuse(rankLimit, err)
	default:
		s.refuse(rankBadSignature, err)
	}
}

// refuse notes a refusal unless one of the same rank or a higher one is known.
func (s *search) refuse(rank int, err error) {
	if rank > s.rank {
		s.rank, s.refusal = rank, err
	}
}

// admit returns the hints that are CAs below an anchor. Only ancestors of the
// target are looked at, and each is admitted after its signature has been
// verified under a CA that is known or admitted already, so that keys which
// nobody vouches for are never computed with.
func (s *search) admit(hints []*x509.Certificate) []*node {
	pool := s.ancestors(hints)
	var queue, admitted []*node
	asked := make(map[string]bool)
	for _, hint := range pool {
		if !asked[hint.issuer] {
			asked[hint.issuer] = true
			queue = append(queue, s.set.bySubject[hint.issuer]...)
		}
	}
	for len(queue) > 0 && !s.hintLinks.exhausted {
		issuer := queue[0]
		queue = queue[1:]
		for _, hint := range pool {
			ok, err := s.hintLinks.connect(hint, issuer)
			if err != nil {
				s.refuseLink(err)
			}
			if ok && len(hint.issuers) == 1 {
				admitted = append(admitted, hint)
				queue = append(queue, hint)
			}
		}
	}
	for _, hint := range admitted {
		sortIssuers(hint)
	}
	return admitted
}

// ancestors returns the hints that names and key identifiers connect with the
// target, nearest first, without those the Set knows.
func (s *search) ancestors(hints []*x509.Certificate) []*node {
	bySubject := make(map[string][]*node)
	seen := map[string]bool{string(s.target.Raw): true}
	if len(hints) > maxHints {
		s.refuse(rankLimit, &Error{Limit, s.target.Certificate, fmt.Errorf("more than %d certificates came with it", maxHints)})
		hints = hints[:maxHints]
	}
	for _, cert := range hints {
		if seen[string(cert.Raw)] || s.set.known[string(cert.Raw)] != nil {
			continue
		}
		seen[string(cert.Raw)] = true
		hint, err := newNode(cert, s.set.names)
		if err != nil {
			if bytes.Equal(cert.RawSubject, s.target.RawIssuer) {
				s.refuse(rankBadSignature, err)
			}
			continue
		}
		bySubject[hint.subject] = append(bySubject[hint.subject], hint)
	}
	var pool []*node
	children := []*node{s.target}
	for len(children) > 0 {
		child := children[0]
		children = children[1:]
		candidates := bySubject[child.issuer]
		rest := candidates[:0]
		for _, hint := range candidates {
			if hint.mayHaveIssued(child) {
				pool = append(pool, hint)
				children = append(children, hint)
			} else {
				rest = append(rest, hint)
			}
		}
		bySubject[child.issuer] = rest
	}
	return pool
}

// extend returns the first valid path that begins with path. It goes depth
// first over links that have been verified, and not through the same
// certificate, or the same name with the same key, a second time.
func (s *search) extend(path []*node) []*x509.Certificate {
	last := path[len(path)-1]
	if last.anchor {
		return s.judge(path)
	}
	for _, issuer := range last.issuers {
		if s.steps == maxSteps || s.paths == maxPaths {
			s.refuse(rankLimit, &Error{Limit, s.target.Certificate,
				fmt.Errorf("more than %d paths or %d steps towards one", maxPaths, maxSteps)})
			return nil
		}
		s.steps++
		if repeats(path, issuer) {
			continue
		}
		if len(path) == maxPath {
			s.refuse(rankLimit, &Error{Limit, s.target.Certificate, fmt.Errorf("path is longer than %d certificates", maxPath)})
			return nil
		}
		if valid := s.extend(append(path, issuer)); valid != nil {
			return valid
		}
	}
	return nil
}

func repeats(path []*node, next *node) bool {
	for _, n := range path {
		if n.equal(next) || n.sameEntity(next) {
			return true
		}
	}
	return false
}

// checkAlgorithms asks the policy about every link, as it is at the instant of
// judgement: the links between known CAs were verified when the Set was made. A
// policy that has no dates gives the same answer now as it gave then.
func (s *search) checkAlgorithms(path []*node) error {
	if !s.algorithms.Dated() {
		return nil
	}
	for i := len(path) - 2; i >= 0; i-- {
		if _, err := checkAlgorithm(path[i].Certificate, path[i+1].Certificate, s.algorithms); err != nil {
			return err
		}
	}
	return nil
}

// judge returns a complete path if it is valid and accepted.
func (s *search) judge(path []*node) []*x509.Certificate {
	s.paths++
	err := s.checkAlgorithms(path)
	if err == nil {
		err = validate(path, &s.in, &s.work)
	}
	if err != nil {
		s.refuse(rankInvalid, err)
		return nil
	}
	certs := make([]*x509.Certificate, len(path))
	for i, n := range path {
		certs[i] = n.Certificate
	}
	if s.in.Accept != nil {
		if err := s.in.Accept(certs); err != nil {
			s.refuse(rankNotAccepted, err)
			return nil
		}
	}
	return certs
}
