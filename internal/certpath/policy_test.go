package certpath

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A treeNode is a node of the valid_policy_tree, as RFC 5280 describes it.
type treeNode struct {
	valid    string
	expected []string
	depth    int
	parent   *treeNode
	children []*treeNode
}

func (n *treeNode) grow(valid string) *treeNode {
	child := &treeNode{valid: valid, expected: []string{valid}, depth: n.depth + 1, parent: n}
	n.children = append(n.children, child)
	return child
}

// at returns the nodes of the tree at a depth.
func (n *treeNode) at(depth int) []*treeNode {
	if n == nil {
		return nil
	}
	if n.depth == depth {
		return []*treeNode{n}
	}
	var nodes []*treeNode
	for _, child := range n.children {
		nodes = append(nodes, child.at(depth)...)
	}
	return nodes
}

// prune removes what has no descendant at depth, and returns the tree that is
// left, nil for NULL.
func (n *treeNode) prune(depth int) *treeNode {
	if n == nil || n.depth == depth {
		return n
	}
	n.children = slices.DeleteFunc(n.children, func(child *treeNode) bool { return child.prune(depth) == nil })
	if len(n.children) == 0 {
		return nil
	}
	return n
}

func (n *treeNode) remove() {
	n.parent.children = slices.DeleteFunc(n.parent.children, func(c *treeNode) bool { return c == n })
}

func hasValid(nodes []*treeNode, id string) bool {
	return slices.ContainsFunc(nodes, func(n *treeNode) bool { return n.valid == id })
}

// treeVerdict runs Sections 6.1.2 to 6.1.5 as written, for the policies alone.
// certs stand in the order of the RFC: that issued by the anchor first.
func treeVerdict(certs []*node, in *Inputs) bool {
	n := len(certs)
	counter := func(inhibit bool) int {
		if inhibit {
			return 0
		}
		return n + 1
	}
	explicit, mapping, inhibitAny := counter(in.RequireExplicitPolicy), counter(in.InhibitPolicyMapping), counter(in.InhibitAnyPolicy)
	tree := &treeNode{valid: oidAnyPolicy, expected: []string{oidAnyPolicy}}
	for i, cert := range certs {
		i++
		tree = treeProcess(tree, cert, i, inhibitAny > 0 || i < n && cert.selfIssued())
		if explicit == 0 && tree == nil {
			return false
		}
		if i == n {
			break
		}
		tree = treeMap(tree, cert, i, mapping)
		if !cert.selfIssued() {
			explicit, mapping, inhibitAny = max(explicit-1, 0), max(mapping-1, 0), max(inhibitAny-1, 0)
		}
		skip := func(n int) int {
			if n == absent {
				return math.MaxInt
			}
			return n
		}
		explicit = min(explicit, skip(cert.requireExplicitPolicy))
		mapping = min(mapping, skip(cert.extensions.inhibitPolicyMapping))
		inhibitAny = min(inhibitAny, skip(cert.inhibitAnyPolicy))
	}
	explicit = max(explicit-1, 0)
	if certs[n-1].requireExplicitPolicy == 0 {
		explicit = 0
	}
	return explicit > 0 || treeIntersect(tree, n, in.InitialPolicies) != nil
}

// treeProcess is Section 6.1.3 (d) and (e).
func treeProcess(tree *treeNode, cert *node, i int, anyCounts bool) *treeNode {
	if cert.policies == nil || tree == nil {
		return nil
	}
	parents := tree.at(i - 1)
	for _, id := range cert.policies.ids {
		matched := false
		for _, parent := range parents {
			if slices.Contains(parent.expected, id) {
				parent.grow(id)
				matched = true
			}
		}
		for _, parent := range parents {
			if !matched && parent.valid == oidAnyPolicy {
				parent.grow(id)
			}
		}
	}
	if cert.policies.any && anyCounts {
		for _, parent := range parents {
			for _, id := range parent.expected {
				if !hasValid(parent.children, id) {
					parent.grow(id)
				}
			}
		}
	}
	return tree.prune(i)
}

// treeMap is Section 6.1.4 (b).
func treeMap(tree *treeNode, cert *node, i, mapping int) *treeNode {
	if tree == nil {
		return nil
	}
	mapped := make(map[string][]string)
	for _, m := range cert.mappings {
		mapped[m.issuerDomain] = append(mapped[m.issuerDomain], m.subjectDomain)
	}
	for id, subjects := range mapped {
		nodes := tree.at(i)
		for _, n := range nodes {
			switch {
			case n.valid != id:
			case mapping > 0:
				n.expected = subjects
			default:
				n.remove()
			}
		}
		if mapping > 0 && !hasValid(nodes, id) {
			for _, n := range nodes {
				if n.valid == oidAnyPolicy {
					n.parent.grow(id).expected = subjects
				}
			}
		}
	}
	return tree.prune(i)
}

// treeIntersect is Section 6.1.5 (g).
func treeIntersect(tree *treeNode, n int, initial []string) *treeNode {
	if tree == nil || initial == nil {
		return tree
	}
	var validPolicyNodes []*treeNode
	for depth := range n {
		for _, parent := range tree.at(depth) {
			if parent.valid == oidAnyPolicy {
				validPolicyNodes = append(validPolicyNodes, parent.children...)
			}
		}
	}
	for _, node := range validPolicyNodes {
		if node.valid != oidAnyPolicy && !slices.Contains(initial, node.valid) {
			node.remove()
		}
	}
	for _, last := range tree.at(n) {
		if last.valid == oidAnyPolicy {
			for _, id := range initial {
				if !hasValid(validPolicyNodes, id) {
					last.parent.grow(id)
				}
			}
			last.remove()
		}
	}
	return tree.prune(n)
}

// graphVerdict does the same with policies.
func graphVerdict(certs []*node, in *Inputs) bool {
	w := work(maxWork)
	p := newPolicies(len(certs), in)
	for i, cert := range certs {
		final := i == len(certs)-1
		if p.process(cert, final, &w) != nil {
			return false
		}
		if final {
			break
		}
		if p.mapPolicies(cert.mappings, &w) != nil {
			return false
		}
		if !cert.selfIssued() {
			p.descend()
		}
		p.restrict(cert)
	}
	return p.wrapUp(certs[len(certs)-1]) == nil
}

// randomPath makes certificates that have nothing but policies.
func randomPath(r *rand.Rand) []*node {
	ids := []string{"1.1", "1.2", "1.3", "1.4"}
	skip := func() int { return r.IntN(12) - 9 } // mostly absent, else 0 to 2
	certs := make([]*node, 1+r.IntN(5))
	for i := range certs {
		cert := &node{subject: "a", issuer: "b"}
		if r.IntN(5) == 0 {
			cert.issuer = "a"
		}
		cert.requireExplicitPolicy = max(skip(), absent)
		cert.extensions.inhibitPolicyMapping = max(skip(), absent)
		cert.inhibitAnyPolicy = max(skip(), absent)
		if r.IntN(12) > 0 {
			cert.policies = &certificatePolicies{any: r.IntN(3) == 0}
			for _, id := range ids {
				if r.IntN(2) == 0 {
					cert.policies.ids = append(cert.policies.ids, id)
				}
			}
		}
		for range r.IntN(4) {
			m := policyMapping{ids[r.IntN(4)], ids[r.IntN(4)]}
			if !slices.Contains(cert.mappings, m) {
				cert.mappings = append(cert.mappings, m)
			}
		}
		certs[i] = cert
	}
	return certs
}

// The graph, of which one level is kept, decides like the tree of the RFC.
func TestPolicyGraphIsTree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	count := map[bool]int{}
	for range 100_000 {
		certs := randomPath(r)
		in := &Inputs{
			RequireExplicitPolicy: r.IntN(2) == 0,
			InhibitPolicyMapping:  r.IntN(6) == 0,
			InhibitAnyPolicy:      r.IntN(6) == 0,
		}
		if r.IntN(3) > 0 {
			in.InitialPolicies = [][]string{{}, {"1.1"}, {"1.2", "1.3"}, {"1.9"}}[r.IntN(4)]
		}
		got, want := graphVerdict(certs, in), treeVerdict(certs, in)
		if got != want {
			var path string
			for _, c := range certs {
				path += fmt.Sprintf("\n%+v %v self-issued %t skip %d %d %d", c.policies, c.mappings, c.selfIssued(),
					c.requireExplicitPolicy, c.extensions.inhibitPolicyMapping, c.inhibitAnyPolicy)
			}
			t.Fatalf("inputs %+v: got %t, want %t%s", in, got, want, path)
		}
		count[got]++
	}
	if count[true] < 10_000 || count[false] < 10_000 {
		t.Errorf("got %d valid and %d invalid paths, want many of both", count[true], count[false])
	}
}

func TestMappingOfAnyPolicy(t *testing.T) {
	w := work(maxWork)
	p := newPolicies(2, &Inputs{})
	for _, m := range []policyMapping{{oidAnyPolicy, "1.1"}, {"1.1", oidAnyPolicy}} {
		if p.mapPolicies([]policyMapping{m}, &w) == nil {
			t.Errorf("mapping %v was accepted", m)
		}
	}
}
