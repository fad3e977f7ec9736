package certpath

import (
	"errors"
	"fmt"
	"slices"
)

// policies is the part of the state that deals with certificate policies: the
// valid_policy_tree and the three counters of RFC 5280, Section 6.1.2.
//
// The tree grows exponentially with the depth if certificates are made for it,
// although all nodes at one depth with the same valid_policy have the same
// expected_policy_set and hence the same children. Here such nodes are one, which
// makes the tree a graph and its size linear in the certificates.
//
// Of that graph only the deepest level is kept. Pruning a node without children
// (Section 6.1.3 (d)(3)) takes nothing from the level below, so the tree is NULL
// exactly when the deepest level is empty. What the user-initial-policy-set
// removes in the end (Section 6.1.5 (g)) hangs on the ancestor of a node that is
// a child of anyPolicy, and is carried down as one bit.
type policies struct {
	level map[string]policyNode // by valid_policy; empty when the tree is NULL

	explicitPolicy, policyMapping, inhibitAny int

	initial map[string]bool // user-initial-policy-set, or nil for any-policy
}

// A policyNode stands for all nodes of the tree at the present depth with one
// valid_policy.
type policyNode struct {
	// expected is the expected_policy_set, or nil for the valid_policy alone.
	expected []string
	// allowed says that one of these nodes descends from a child of anyPolicy
	// that is in the user-initial-policy-set. It means nothing for anyPolicy.
	allowed bool
}

// newPolicies is Section 6.1.2 (a) and (d) to (f), for a path of n certificates
// below the anchor.
func newPolicies(n int, in *Inputs) policies {
	p := policies{
		level:          map[string]policyNode{oidAnyPolicy: {}},
		explicitPolicy: n + 1,
		policyMapping:  n + 1,
		inhibitAny:     n + 1,
	}
	if in.RequireExplicitPolicy {
		p.explicitPolicy = 0
	}
	if in.InhibitPolicyMapping {
		p.policyMapping = 0
	}
	if in.InhibitAnyPolicy {
		p.inhibitAny = 0
	}
	if in.InitialPolicies != nil && !slices.Contains(in.InitialPolicies, oidAnyPolicy) {
		p.initial = make(map[string]bool, len(in.InitialPolicies))
		for _, id := range in.InitialPolicies {
			p.initial[id] = true
		}
	}
	return p
}

// inInitial reports whether a policy that is a child of anyPolicy survives the
// intersection with the user-initial-policy-set.
func (p *policies) inInitial(id string) bool { return p.initial == nil || p.initial[id] }

// process is Section 6.1.3 (d), (e) and (f).
func (p *policies) process(cert *node, final bool, w *work) error {
	if cert.policies == nil {
		p.level = nil // (e)
	} else if len(p.level) > 0 {
		anyCounts := cert.policies.any && (p.inhibitAny > 0 || !final && cert.selfIssued())
		if err := p.grow(cert.policies.ids, anyCounts, w); err != nil {
			return err
		}
	}
	if p.explicitPolicy == 0 && len(p.level) == 0 { // (f)
		return errors.New("an explicit policy is required, and no policy is valid this far")
	}
	return nil
}

// grow is Section 6.1.3 (d)(1) and (d)(2): it replaces the deepest level by the
// one below it.
func (p *policies) grow(ids []string, anyCounts bool, w *work) error {
	// For each policy that a node expects: is one of those nodes allowed?
	expected := make(map[string]bool, len(p.level))
	for id, n := range p.level {
		if n.expected == nil {
			expected[id] = expected[id] || n.allowed
		}
		for _, id := range n.expected {
			expected[id] = expected[id] || n.allowed
		}
		if err := w.spend(1 + len(n.expected)); err != nil {
			return err
		}
	}
	if err := w.spend(len(ids) + len(expected)); err != nil {
		return err
	}
	_, underAny := p.level[oidAnyPolicy]
	next := make(map[string]policyNode, len(ids))
	for _, id := range ids {
		if allowed, ok := expected[id]; ok {
			next[id] = policyNode{allowed: allowed} // (1)(i)
		} else if underAny {
			next[id] = policyNode{allowed: p.inInitial(id)} // (1)(ii)
		}
	}
	if anyCounts { // (2)
		for id, allowed := range expected {
			if _, ok := next[id]; !ok {
				next[id] = policyNode{allowed: allowed}
			}
		}
	}
	p.level = next
	return nil
}

// mapPolicies is Section 6.1.4 (a) and (b).
func (p *policies) mapPolicies(mappings []policyMapping, w *work) error {
	if err := w.spend(len(mappings)); err != nil {
		return err
	}
	mapped := make(map[string][]string)
	for _, m := range mappings {
		if m.issuerDomain == oidAnyPolicy || m.subjectDomain == oidAnyPolicy {
			return errors.New("policy mapping from or to anyPolicy")
		}
		mapped[m.issuerDomain] = append(mapped[m.issuerDomain], m.subjectDomain)
	}
	_, underAny := p.level[oidAnyPolicy]
	for id, subjects := range mapped {
		n, ok := p.level[id]
		switch {
		case p.policyMapping == 0:
			delete(p.level, id) // (b)(2)
		case ok:
			p.level[id] = policyNode{subjects, n.allowed} // (b)(1)
		case underAny:
			p.level[id] = policyNode{subjects, p.inInitial(id)} // (b)(1), a new child of anyPolicy
		}
	}
	return nil
}

// descend is Section 6.1.4 (h): it counts a certificate that is not self-issued.
func (p *policies) descend() {
	for _, counter := range []*int{&p.explicitPolicy, &p.policyMapping, &p.inhibitAny} {
		if *counter > 0 {
			*counter--
		}
	}
}

// restrict is Section 6.1.4 (i) and (j).
func (p *policies) restrict(cert *node) {
	lower := func(counter *int, skip int) {
		if skip != absent {
			*counter = min(*counter, skip)
		}
	}
	lower(&p.explicitPolicy, cert.requireExplicitPolicy)
	lower(&p.policyMapping, cert.extensions.inhibitPolicyMapping)
	lower(&p.inhibitAny, cert.inhibitAnyPolicy)
}

// wrapUp is Section 6.1.5 (a), (b) and (g).
func (p *policies) wrapUp(cert *node) error {
	explicit := p.explicitPolicy <= 1 || cert.requireExplicitPolicy == 0
	if !explicit {
		return nil
	}
	for id, n := range p.level {
		// A node with anyPolicy stands for each policy that was asked for.
		if n.allowed || id == oidAnyPolicy && (p.initial == nil || len(p.initial) > 0) {
			return nil
		}
	}
	if len(p.level) == 0 {
		return errors.New("an explicit policy is required, and no policy is valid for the path")
	}
	return fmt.Errorf("none of the %d acceptable policies is valid for the path", len(p.initial))
}
