package certpath

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/algorithm"
)

func TestFindKnownIntermediate(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	ca := issue(t, root, "CA", isCA)
	leaf := issue(t, ca, "Citizen", nil)
	set := newTestSet(t, certs(root), certs(ca))

	path, err := set.Find(leaf.Certificate, nil, Inputs{At: now})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range certs(leaf, ca, root) {
		if path[i] != want {
			t.Errorf("path[%d]: got %s, want %s", i, label(path[i]), label(want))
		}
	}
	if !set.IsAnchor(root.Certificate) || set.IsAnchor(ca.Certificate) || set.IsAnchor(leaf.Certificate) {
		t.Error("IsAnchor is not true of the root alone")
	}
}

func TestFindHints(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	upper := issue(t, root, "Upper", isCA)
	lower := issue(t, upper, "Lower", isCA)
	leaf := issue(t, lower, "Citizen", nil)
	stranger := issue(t, nil, "Stranger", isCA)
	set := newTestSet(t, certs(root), nil)

	path, err := set.Find(leaf.Certificate, certs(stranger, lower, leaf, root, upper, upper), Inputs{At: now})
	if err != nil || len(path) != 4 {
		t.Fatalf("got path of %d and %v, want 4 certificates", len(path), err)
	}
	_, err = set.Find(leaf.Certificate, certs(lower), Inputs{At: now})
	checkKind(t, err, Untrusted, nil)
	// A hint extends a path from a known CA, too.
	set = newTestSet(t, certs(root), certs(upper))
	if _, err = set.Find(leaf.Certificate, certs(lower), Inputs{At: now}); err != nil {
		t.Error(err)
	}
}

// Generations of a CA share one name. The key decides, with and without key
// identifiers to narrow the choice.
func TestFindEqualNames(t *testing.T) {
	var roots, cas []*entity
	for range 3 {
		root := issue(t, nil, "Root", isCA)
		roots, cas = append(roots, root), append(cas, issue(t, root, "CA", isCA))
	}
	set := newTestSet(t, certs(roots...), certs(cas...))
	for i, ca := range cas {
		for _, issuer := range []*entity{ca, ca.withoutKeyID()} {
			leaf := issue(t, issuer, "Citizen", nil)
			path, err := set.Find(leaf.Certificate, nil, Inputs{At: now})
			if err != nil {
				t.Fatal(err)
			}
			if path[1] != ca.Certificate || path[2] != roots[i].Certificate {
				t.Errorf("generation %d: got a path through another", i+1)
			}
			others := newTestSet(t, certs(roots[(i+1)%3]), certs(cas[(i+1)%3]))
			_, err = others.Find(leaf.Certificate, certs(ca), Inputs{At: now})
			checkKind(t, err, Untrusted, nil)
		}
	}
	impostor := issue(t, nil, "CA", isCA)
	leaf := issue(t, impostor, "Citizen", nil)
	_, err := set.Find(leaf.Certificate, certs(impostor), Inputs{At: now})
	checkKind(t, err, Untrusted, impostor.Certificate)
}

func TestFindKeyIdentifierMismatch(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	set := newTestSet(t, certs(root), nil)
	other := root.withoutKeyID()
	other.SubjectKeyId = []byte("another key")
	leaf := issue(t, other, "Citizen", nil)
	_, err := set.Find(leaf.Certificate, nil, Inputs{At: now})
	checkKind(t, err, Untrusted, leaf.Certificate)
	if MatchesKeyIdentifier(leaf.Certificate, root.Certificate) {
		t.Error("key identifiers match")
	}
	same := issue(t, root, "Citizen", nil)
	if !MatchesKeyIdentifier(same.Certificate, root.Certificate) {
		t.Error("key identifiers do not match")
	}
	if _, err := set.Find(same.Certificate, nil, Inputs{At: now}); err != nil {
		t.Error(err)
	}
}

func TestAuthorityCertIssuer(t *testing.T) {
	const rootSerial = 7
	root := issue(t, nil, "Root", both(isCA, serial(big.NewInt(rootSerial))))
	named := func(issuer []byte, serial byte) *entity {
		value := tlv(0x30, tlv(0xa1, tlv(0xa4, issuer)), tlv(0x82, []byte{serial}))
		return issue(t, root.withoutKeyID(), "Citizen", extension(extensionID(35), false, value))
	}
	set := newTestSet(t, certs(root), nil)
	tests := []struct {
		name string
		leaf *entity
		ok   bool
	}{
		{"issuer and serial", named(root.RawIssuer, rootSerial), true},
		{"another serial", named(root.RawIssuer, rootSerial+1), false},
		{"another issuer", named(issue(t, nil, "Other", isCA).RawIssuer, rootSerial), false},
	}
	for _, test := range tests {
		if got := MatchesKeyIdentifier(test.leaf.Certificate, root.Certificate); got != test.ok {
			t.Errorf("%s: got match = %t", test.name, got)
		}
		_, err := set.Find(test.leaf.Certificate, nil, Inputs{At: now})
		if (err == nil) != test.ok {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}

func TestFindAccept(t *testing.T) {
	root1, root2 := issue(t, nil, "Root 1", isCA), issue(t, nil, "Root 2", isCA)
	ca := issue(t, root1, "CA", isCA)
	cross := certify(t, root2, "CA", ca.key, isCA)
	leaf := issue(t, ca, "Citizen", nil)
	set := newTestSet(t, certs(root1, root2), certs(ca, cross))
	errRevoked := errors.New("revoked")
	not1 := func(path []*x509.Certificate) error {
		if path[2] == root1.Certificate {
			return errRevoked
		}
		return nil
	}
	path, err := set.Find(leaf.Certificate, nil, Inputs{At: now, Accept: not1})
	if err != nil || path[2] != root2.Certificate {
		t.Errorf("got %v, want the path to the other root", err)
	}
	none := func([]*x509.Certificate) error { return errRevoked }
	if path, err := set.Find(leaf.Certificate, nil, Inputs{At: now, Accept: none}); path != nil || !errors.Is(err, errRevoked) {
		t.Errorf("got path of %d and %v, want the error of Accept", len(path), err)
	}
}

func TestFindAnchor(t *testing.T) {
	root := issue(t, nil, "Root", both(isCA, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }))
	set := newTestSet(t, certs(root), nil)
	_, err := set.Find(root.Certificate, nil, Inputs{At: now})
	checkKind(t, err, Profile, root.Certificate)
	in := Inputs{At: now, AllowAnchorAsEndEntity: true, ExtKeyUsages: []string{"1.3.6.1.5.5.7.3.2"}, RequireExplicitPolicy: true}
	if path, err := set.Find(root.Certificate, nil, in); err != nil || len(path) != 1 {
		t.Errorf("got path of %d and %v, want 1", len(path), err)
	}
	in.ExtKeyUsages = []string{"1.3.6.1.5.5.7.3.1"}
	_, err = set.Find(root.Certificate, nil, in)
	checkKind(t, err, Profile, root.Certificate)
	in.At = notAfter.Add(1e9)
	_, err = set.Find(root.Certificate, nil, in)
	checkKind(t, err, Expired, root.Certificate)
}

func TestNewSetRefusals(t *testing.T) {
	if _, err := NewSet(nil, nil, algorithm.Policy{}); err == nil {
		t.Error("a Set without anchors was made")
	}
	root, other := issue(t, nil, "Root", isCA), issue(t, nil, "Root", isCA)
	ca := issue(t, other, "CA", isCA)
	_, err := NewSet(certs(root), certs(ca), algorithm.Policy{})
	checkKind(t, err, Untrusted, ca.Certificate)
	if !strings.Contains(err.Error(), `CA "CA"`) {
		t.Errorf("got %q, want the name of the CA", err)
	}
	forged := issue(t, other.withoutKeyID(), "CA", isCA)
	_, err = NewSet(certs(root), certs(forged), algorithm.Policy{})
	checkKind(t, err, Untrusted, forged.Certificate)
	if !errors.Is(err, algorithm.ErrBadSignature) {
		t.Errorf("got %v, want a bad signature", err)
	}
}

// A flipped bit anywhere in a certificate is refused.
func TestFindMangled(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	leaf := issue(t, root, "Citizen", policyExtension(t, "1.2.3"))
	set := newTestSet(t, certs(root), nil)
	for i := range leaf.Raw {
		der := bytes.Clone(leaf.Raw)
		der[i] ^= 0x01
		cert, err := ParseCertificate(der)
		if err == nil {
			_, err = set.Find(cert, nil, Inputs{At: now})
		}
		if err == nil {
			t.Errorf("byte %d flipped: accepted", i)
		}
	}
}

// What the policy refuses is named as such, not as a missing link.
func TestFindAlgorithm(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak := certify(t, root, "CA", small, isCA)
	leaf := issue(t, weak, "Citizen", nil)
	set := newTestSet(t, certs(root), nil)
	_, err = set.Find(leaf.Certificate, certs(weak), Inputs{At: now})
	checkKind(t, err, Algorithm, weak.Certificate)
	_, err = set.Find(weak.Certificate, nil, Inputs{At: now})
	checkKind(t, err, Algorithm, weak.Certificate)

	sha1 := *issue(t, root, "Citizen", nil).Certificate
	sha1.SignatureAlgorithm = x509.ECDSAWithSHA1
	_, err = set.Find(&sha1, nil, Inputs{At: now})
	checkKind(t, err, Algorithm, &sha1)
	if err := CheckSignature(leaf.Certificate, root.Certificate, algorithm.Policy{}); !errors.Is(err, algorithm.ErrBadSignature) {
		t.Errorf("got %v under the key of another CA, want a bad signature", err)
	}
	checkKind(t, CheckSignature(&sha1, root.Certificate, algorithm.Policy{}), Algorithm, &sha1)
	if !strings.Contains(err.Error(), "ECDSA-SHA1") {
		t.Errorf("got %q, want the name of the algorithm", err)
	}
}

// BenchmarkFind is what a path through a known CA costs beyond the one
// signature check that it needs.
func BenchmarkFind(b *testing.B) {
	root := issue(b, nil, "Root", isCA)
	ca := issue(b, root, "CA", both(isCA, policyExtension(b, "1.2.3")))
	leaf := issue(b, ca, "Citizen", policyExtension(b, "1.2.3"))
	set := newTestSet(b, certs(root), certs(ca))
	b.Run("part=signature", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := CheckSignature(leaf.Certificate, ca.Certificate, algorithm.Policy{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("part=path", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := set.Find(leaf.Certificate, nil, Inputs{At: now}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestKindString(t *testing.T) {
	seen := make(map[string]bool)
	for k := Untrusted; k <= Malformed; k++ {
		seen[k.String()] = true
	}
	if len(seen) != int(Malformed)+1 || seen[""] {
		t.Errorf("got names %v, want one for each Kind", seen)
	}
	if got := (Malformed + 1).String(); got != "Kind(9)" {
		t.Errorf("got %q for no Kind", got)
	}
}
