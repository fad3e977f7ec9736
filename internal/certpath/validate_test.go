package certpath

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/der"
)

// A chain is root, CA, lower CA and leaf, each with what a test changes.
type chain struct {
	root, ca, lower, leaf func(*x509.Certificate)
	in                    func(*Inputs)
}

func (c chain) find(t *testing.T) error {
	t.Helper()
	anchor := func(x *x509.Certificate) {
		isCA(x)
		if c.root != nil {
			c.root(x)
		}
	}
	below := func(change func(*x509.Certificate)) func(*x509.Certificate) {
		if change == nil {
			return isCA
		}
		return both(isCA, change)
	}
	root := issue(t, nil, "Root", anchor)
	ca := issue(t, root, "CA", below(c.ca))
	lower := issue(t, ca, "Lower", below(c.lower))
	leaf := issue(t, lower, "Citizen", c.leaf)
	in := Inputs{At: now}
	if c.in != nil {
		c.in(&in)
	}
	_, err := newTestSet(t, certs(root), nil).Find(leaf.Certificate, certs(ca, lower), in)
	return err
}

func at(instant time.Time) func(*Inputs) { return func(in *Inputs) { in.At = instant } }

func pathLen(n int) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = n, n == 0 }
}

func keyUsage(usage x509.KeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.KeyUsage = usage }
}

func purposes(usages ...x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = usages }
}

func asked(usages ...string) func(*Inputs) { return func(in *Inputs) { in.ExtKeyUsages = usages } }

func serial(n *big.Int) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.SerialNumber = n }
}

func noSubject(c *x509.Certificate) { c.Subject.CommonName = "" }

const accepted Kind = 0xff

// Each refusal stands beside its neighbour that passes.
func TestValidate(t *testing.T) {
	const clientAuth, emailProtection = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"
	unknown := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
	policyConstraints := func(body ...byte) func(*x509.Certificate) {
		return extension(extensionID(36), true, tlv(0x30, body))
	}
	mailSAN := tlv(0x30, text(0x81, "a@example.tw"))
	serialTooLarge := new(big.Int).Lsh(big.NewInt(1), maxSerialBits)
	tests := []struct {
		name  string
		chain chain
		want  Kind
	}{
		{"plain", chain{}, accepted},
		{"at notAfter", chain{in: at(notAfter)}, accepted},
		{"within the second of notAfter", chain{in: at(notAfter.Add(999 * time.Millisecond))}, accepted},
		{"one second after notAfter", chain{in: at(notAfter.Add(time.Second))}, Expired},
		{"at notBefore", chain{in: at(notBefore)}, accepted},
		{"one second before notBefore", chain{in: at(notBefore.Add(-time.Second))}, NotYetValid},
		{"CA expired", chain{ca: func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }}, Expired},
		{"anchor expired", chain{root: func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }}, Expired},

		{"not a CA", chain{ca: func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, 0 }}, Constraints},
		{"anchor not a CA", chain{root: func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, 0 }}, Constraints},
		{"no basicConstraints", chain{ca: func(c *x509.Certificate) { c.BasicConstraintsValid, c.KeyUsage = false, 0 }}, Constraints},
		{"keyUsage absent", chain{ca: keyUsage(0)}, accepted},
		{"keyUsage without keyCertSign", chain{ca: keyUsage(x509.KeyUsageCRLSign)}, Constraints},
		{"anchor without keyCertSign", chain{root: keyUsage(x509.KeyUsageCRLSign)}, Constraints},
		{"end entity with keyCertSign", chain{leaf: keyUsage(x509.KeyUsageCertSign)}, Constraints},

		{"pathLen exact", chain{ca: pathLen(1)}, accepted},
		{"pathLen exceeded", chain{ca: pathLen(0)}, Constraints},
		{"anchor pathLen exact", chain{root: pathLen(2)}, accepted},
		{"anchor pathLen exceeded", chain{root: pathLen(1)}, Constraints},
		{"lower pathLen cannot raise", chain{root: pathLen(1), ca: pathLen(5)}, Constraints},

		{"unknown extension", chain{leaf: extension(unknown, false, []byte{5, 0})}, accepted},
		{"unknown critical extension", chain{leaf: extension(unknown, true, []byte{5, 0})}, Constraints},
		{"unknown critical extension of a CA", chain{ca: extension(unknown, true, []byte{5, 0})}, Constraints},
		{"unknown critical extension of the anchor", chain{root: extension(unknown, true, []byte{5, 0})}, Constraints},

		{"largest serial number", chain{leaf: serial(new(big.Int).Sub(serialTooLarge, big.NewInt(1)))}, accepted},
		{"serial number too large", chain{leaf: serial(serialTooLarge)}, Malformed},
		{"empty subject, critical name", chain{leaf: both(noSubject, extension(extensionID(17), true, mailSAN))}, accepted},
		{"empty subject, name not critical", chain{leaf: both(noSubject, extension(extensionID(17), false, mailSAN))}, Constraints},
		{"empty subjectAltName", chain{leaf: extension(extensionID(17), false, []byte{0x30, 0})}, Malformed},
		{"malformed extended key usage", chain{leaf: extension(extensionID(37), false, []byte{0x30, 0})}, Malformed},
		{"critical policy qualifier", chain{leaf: extension(extensionID(32), true,
			tlv(0x30, tlv(0x30, oid(t, "1.2.3"), tlv(0x30, tlv(0x30, oid(t, "1.2.4"), []byte{5, 0})))))}, Constraints},

		{"purpose", chain{leaf: purposes(x509.ExtKeyUsageClientAuth), in: asked(clientAuth)}, accepted},
		{"one of two purposes", chain{leaf: purposes(x509.ExtKeyUsageClientAuth), in: asked(emailProtection, clientAuth)}, accepted},
		{"another purpose", chain{leaf: purposes(x509.ExtKeyUsageClientAuth), in: asked(emailProtection)}, Profile},
		{"no purpose given", chain{in: asked(clientAuth)}, accepted},
		{"any purpose in the end entity", chain{leaf: purposes(x509.ExtKeyUsageAny), in: asked(clientAuth)}, Profile},
		{"any purpose in a CA", chain{ca: purposes(x509.ExtKeyUsageAny), in: asked(clientAuth)}, accepted},
		{"purpose excluded by a CA", chain{ca: purposes(x509.ExtKeyUsageEmailProtection), in: asked(clientAuth)}, Constraints},
		{"purpose excluded by the anchor", chain{root: purposes(x509.ExtKeyUsageEmailProtection), in: asked(clientAuth)}, Constraints},
		{"purposes of CA and end entity disjoint", chain{ca: purposes(x509.ExtKeyUsageEmailProtection),
			leaf: purposes(x509.ExtKeyUsageClientAuth), in: asked(clientAuth, emailProtection)}, Profile},

		{"policies not asked for", chain{in: func(in *Inputs) { in.InitialPolicies = []string{"1.2.3"} }}, accepted},
		{"explicit policy", chain{in: func(in *Inputs) { in.RequireExplicitPolicy = true }}, Policy},
		{"policy all along", chain{ca: policyExtension(t, "1.2.3"), lower: policyExtension(t, "1.2.3"), leaf: policyExtension(t, "1.2.3"),
			in: func(in *Inputs) { in.RequireExplicitPolicy, in.InitialPolicies = true, []string{"1.2.3"} }}, accepted},
		{"another policy", chain{ca: policyExtension(t, "1.2.3"), lower: policyExtension(t, "1.2.3"), leaf: policyExtension(t, "1.2.3"),
			in: func(in *Inputs) { in.RequireExplicitPolicy, in.InitialPolicies = true, []string{"1.2.33"} }}, Policy},
		{"explicit policy by the anchor", chain{root: policyConstraints(0x80, 1, 0)}, Policy},
		{"explicit policy by the anchor, later than the path", chain{root: policyConstraints(0x80, 1, 9)}, accepted},
		{"explicit policy by a CA", chain{lower: policyConstraints(0x80, 1, 0)}, Policy},
		{"1,024 policies", chain{leaf: policyExtension(t, manyPolicies(1024)...)}, accepted},
		{"1,025 policies", chain{leaf: policyExtension(t, manyPolicies(1025)...)}, Limit},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.chain.find(t)
			if test.want != accepted {
				checkKind(t, err, test.want, nil)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func manyPolicies(n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, "1.2."+big.NewInt(int64(i)).String())
	}
	return ids
}

// A self-issued certificate does not count towards pathLen, and as the last of
// the path is subject to everything.
func TestValidateSelfIssued(t *testing.T) {
	root := issue(t, nil, "Root", both(isCA, pathLen(1)))
	renewed := issue(t, root, "Root", isCA)
	ca := issue(t, renewed, "CA", isCA)
	leaf := issue(t, ca, "Citizen", nil)
	set := newTestSet(t, certs(root), nil)
	if _, err := set.Find(leaf.Certificate, certs(renewed, ca), Inputs{At: now}); err != nil {
		t.Error(err)
	}
	lower := issue(t, ca, "Lower", isCA)
	leaf = issue(t, lower, "Citizen", nil)
	_, err := set.Find(leaf.Certificate, certs(renewed, ca, lower), Inputs{At: now})
	checkKind(t, err, Constraints, lower.Certificate)
}

// No error repeats the subject of an end entity.
func TestErrorNamesNoPerson(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	set := newTestSet(t, certs(root), nil)
	for _, leaf := range []*entity{
		issue(t, root, "王小明", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) }),
		issue(t, issue(t, nil, "Root", isCA), "王小明", nil),
	} {
		_, err := set.Find(leaf.Certificate, nil, Inputs{At: now})
		want := fmt.Sprintf("certificate with serial number %X: ", leaf.SerialNumber)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "王") {
			t.Errorf("got %v, want %q and the reason", err, want)
		}
	}
}

// A version 1 certificate cannot say that it is a CA. As an anchor it need not,
// below one it must.
func TestValidateVersion1(t *testing.T) {
	root := version1(t, nil, "Root")
	leaf := issue(t, root, "Citizen", nil)
	if _, err := newTestSet(t, certs(root), nil).Find(leaf.Certificate, nil, Inputs{At: now}); err != nil {
		t.Error(err)
	}
	ca := version1(t, root, "CA")
	leaf = issue(t, ca, "Citizen", nil)
	_, err := newTestSet(t, certs(root), nil).Find(leaf.Certificate, certs(ca), Inputs{At: now})
	checkKind(t, err, Constraints, ca.Certificate)
}

// version1 makes a certificate without version and extensions, which package
// x509 does not do.
func version1(t *testing.T, issuer *entity, name string) *entity {
	t.Helper()
	model := issue(t, issuer, name, nil)
	if issuer == nil {
		issuer = model
	}
	doc, err := der.Strict(model.RawTBSCertificate, der.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var fields []byte
	var algorithm []byte
	r := doc.Root().Reader()
	for e := range r.All() {
		if e.Tag.IsContext() {
			continue // version and extensions
		}
		if algorithm == nil && e.Tag == der.Sequence {
			algorithm = e.Raw
		}
		fields = append(fields, e.Raw...)
	}
	tbs := tlv(0x30, fields)
	digest := sha256.Sum256(tbs)
	signature, err := ecdsa.SignASN1(rand.Reader, issuer.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return &entity{parse(t, tlv(0x30, tbs, algorithm, tlv(3, []byte{0}, signature))), model.key}
}
