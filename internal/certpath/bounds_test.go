package certpath

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"math/rand"
	"slices"
	"strconv"
	"testing"
)

// decoy is a certificate with a name and a monstrous key, signed by nobody.
func decoy(t *testing.T, issuer *entity, name string, bits int) *entity {
	t.Helper()
	modulus := new(big.Int).Rand(rand.New(rand.NewSource(int64(bits))), new(big.Int).Lsh(big.NewInt(1), uint(bits)))
	modulus.SetBit(modulus.SetBit(modulus, bits-1, 1), 0, 1)
	forger := *issuer.Certificate
	forger.PublicKey = nil
	public := &rsa.PublicKey{N: modulus, E: 1<<31 - 1}
	return &entity{parse(t, sign(t, &entity{&forger, newKey(t)}, name, nil, public, isCA)), nil}
}

func TestFindDecoys(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	ca := issue(t, root, "CA", isCA)
	set := newTestSet(t, certs(root), nil)
	var decoys []*x509.Certificate
	for range 40 {
		decoys = append(decoys, decoy(t, root, "CA", 16384).Certificate)
	}
	leaf := issue(t, ca.withoutKeyID(), "Citizen", nil)
	search, err := set.newSearch(leaf.Certificate, Inputs{At: now})
	if err != nil {
		t.Fatal(err)
	}
	_, err = search.find(decoys)
	checkKind(t, err, Limit, nil)
	if got := search.hintLinks.checks; got != maxHintChecks {
		t.Errorf("got %d signature checks on hints, want %d", got, maxHintChecks)
	}
	if got := search.targetLinks.checks; got != 0 {
		t.Errorf("got %d signature checks with keys of decoys", got)
	}
	// The key identifier of the leaf tells the decoys apart for nothing.
	leaf = issue(t, ca, "Citizen", nil)
	if search, err = set.newSearch(leaf.Certificate, Inputs{At: now}); err != nil {
		t.Fatal(err)
	}
	if _, err := search.find(append(decoys, ca.Certificate)); err != nil {
		t.Error(err)
	}
	if got := search.hintLinks.checks; got != 1 {
		t.Errorf("got %d signature checks on hints, want 1", got)
	}
}

// A CA whose key is beyond the policy, although an anchor vouches for it, costs
// no arithmetic either.
func TestFindMonstrousKey(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	public := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 16383, 1), E: 1<<31 - 1}
	monster := &entity{parse(t, sign(t, root, "CA", nil, public, isCA)), nil}
	leaf := issue(t, issue(t, nil, "CA", isCA).withoutKeyID(), "Citizen", nil)
	search, err := newTestSet(t, certs(root), certs(monster)).newSearch(leaf.Certificate, Inputs{At: now})
	if err != nil {
		t.Fatal(err)
	}
	_, err = search.find(nil)
	checkKind(t, err, Algorithm, monster.Certificate)
	if got := search.targetLinks.checks; got != 0 {
		t.Errorf("got %d signature checks, want none", got)
	}
}

// Two CAs certify each other 250 times over. Every path is tried within the
// bounds, and the reason is that of a complete path.
func TestFindCrossCertificates(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	a, b := issue(t, root, "A", isCA), issue(t, root, "B", isCA)
	cross := []*entity{a, b}
	for range 250 {
		cross = append(cross, certify(t, b, "A", a.key, isCA), certify(t, a, "B", b.key, isCA))
	}
	leaf := issue(t, a, "Citizen", func(c *x509.Certificate) { c.NotAfter = now.Add(-1) })
	for _, known := range []bool{true, false} {
		var hints []*x509.Certificate
		set := newTestSet(t, certs(root), certs(cross...))
		if !known {
			set, hints = newTestSet(t, certs(root), nil), certs(cross...)
		}
		search, err := set.newSearch(leaf.Certificate, Inputs{At: now})
		if err != nil {
			t.Fatal(err)
		}
		_, err = search.find(hints)
		checkKind(t, err, Expired, leaf.Certificate)
		if search.targetLinks.checks != 1 || search.hintLinks.checks > maxHintChecks ||
			search.paths > maxPaths || search.steps > maxSteps {
			t.Errorf("known = %t: got %d, %d signature checks, %d paths, %d steps", known,
				search.targetLinks.checks, search.hintLinks.checks, search.paths, search.steps)
		}
	}
}

func TestFindLongPath(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	var cas []*entity
	last := root
	for range maxPath - 2 {
		last = issue(t, last, "CA", both(isCA, func(c *x509.Certificate) { c.Subject.SerialNumber = c.SerialNumber.String() }))
		cas = append(cas, last)
	}
	set := newTestSet(t, certs(root), certs(cas...))
	if _, err := set.Find(issue(t, last, "Citizen", nil).Certificate, nil, Inputs{At: now}); err != nil {
		t.Error(err)
	}
	oneMore := issue(t, last, "One more", isCA)
	_, err := set.Find(issue(t, oneMore, "Citizen", nil).Certificate, certs(oneMore), Inputs{At: now})
	checkKind(t, err, Limit, nil)
}

// More certificates than anyone needs are not all looked at.
func TestFindManyHints(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	ca := issue(t, root, "CA", isCA)
	leaf := issue(t, ca, "Citizen", nil)
	set := newTestSet(t, certs(root), nil)
	hints := certs(slices.Repeat([]*entity{leaf}, maxHints-1)...)
	if _, err := set.Find(leaf.Certificate, append(hints, ca.Certificate), Inputs{At: now}); err != nil {
		t.Error(err)
	}
	_, err := set.Find(leaf.Certificate, append(hints, leaf.Certificate, ca.Certificate), Inputs{At: now})
	checkKind(t, err, Limit, nil)
}

// A hint that cannot be read is no candidate, and is named if it was meant to be.
func TestFindMalformedHint(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	malformed := issue(t, root, "CA", both(isCA, extension(extensionID(54), true, tlv(2, []byte{0xff}))))
	leaf := issue(t, malformed, "Citizen", nil)
	set := newTestSet(t, certs(root), nil)
	_, err := set.Find(leaf.Certificate, certs(malformed), Inputs{At: now})
	checkKind(t, err, Malformed, malformed.Certificate)
	good := certify(t, root, "CA", malformed.key, both(isCA, extension(extensionID(54), true, tlv(2, []byte{0}))))
	if _, err := set.Find(leaf.Certificate, certs(malformed, good), Inputs{At: now}); err != nil {
		t.Error(err)
	}
}

func TestFindLongName(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	set := newTestSet(t, certs(root), nil)
	for _, test := range []struct {
		rdns int
		want Kind
	}{{250, accepted}, {1_000, Limit}} {
		leaf := issue(t, root, "", func(c *x509.Certificate) {
			for i := range test.rdns {
				c.Subject.ExtraNames = append(c.Subject.ExtraNames,
					pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 11}, Value: strconv.Itoa(i)})
			}
		})
		_, err := set.Find(leaf.Certificate, nil, Inputs{At: now})
		if test.want != accepted {
			checkKind(t, err, test.want, leaf.Certificate)
		} else if err != nil {
			t.Errorf("%d RDNs: %v", test.rdns, err)
		}
	}
}
