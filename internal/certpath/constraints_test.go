package certpath

import (
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"github.com/citizencert/citizencert/internal/der"
)

func subtrees(bases ...[]byte) []byte {
	var list []byte
	for _, base := range bases {
		list = append(list, tlv(0x30, base)...)
	}
	return list
}

func permitted(bases ...[]byte) []byte { return tlv(0x30, tlv(0xa0, subtrees(bases...))) }
func excluded(bases ...[]byte) []byte  { return tlv(0x30, tlv(0xa1, subtrees(bases...))) }

func mail(s string) []byte      { return text(0x81, s) }
func dns(s string) []byte       { return text(0x82, s) }
func uri(s string) []byte       { return text(0x86, s) }
func ip(b ...byte) []byte       { return tlv(0x87, b) }
func directory(n []byte) []byte { return tlv(0xa4, n) }
func other(t testing.TB, id string) []byte {
	return tlv(0xa0, oid(t, id), tlv(0xa0, text(0x0c, "x")))
}

func parseConstraints(value []byte) (*nameConstraints, error) {
	doc, err := der.Strict(value, certificateLimits)
	if err != nil {
		return nil, err
	}
	return readNameConstraints(doc.Root())
}

func parseName(t testing.TB, raw []byte) generalName {
	t.Helper()
	doc, err := der.Strict(raw, certificateLimits)
	if err != nil {
		t.Fatal(err)
	}
	n, err := parseGeneralName(doc.Root())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNameConstraints(t *testing.T) {
	const o, ou = 10, 11
	org, unit := attribute(o, utf8String, "Org"), attribute(ou, utf8String, "Unit")
	tests := []struct {
		constraints []byte
		name        []byte
		ok          bool
	}{
		{permitted(dns("example.tw")), dns("example.tw"), true},
		{permitted(dns("example.tw")), dns("WWW.Example.TW"), true},
		{permitted(dns("example.tw")), dns("notexample.tw"), false},
		{permitted(dns("www.example.tw")), dns("*.example.tw"), false},
		{permitted(dns("example.tw")), dns("*.example.tw"), true},
		{permitted(dns("")), dns("example.tw"), true},
		{excluded(dns("")), dns("example.tw"), false},
		{excluded(dns("www.example.tw")), dns("*.example.tw"), false},
		{excluded(dns("a.www.example.tw")), dns("*.example.tw"), true},
		{excluded(dns("example.tw")), dns("*.example.tw"), false},
		{excluded(dns("example.tw")), dns("example.org"), true},
		{permitted(dns("example.tw")), mail("a@example.org"), true}, // another form

		{permitted(mail("a@example.tw")), mail("a@EXAMPLE.tw"), true},
		{permitted(mail("a@example.tw")), mail("A@example.tw"), false},
		{permitted(mail("example.tw")), mail("a@example.tw"), true},
		{permitted(mail("example.tw")), mail("a@sub.example.tw"), false},
		{permitted(mail(".example.tw")), mail("a@sub.example.tw"), true},
		{permitted(mail(".example.tw")), mail("a@example.tw"), false},
		{permitted(mail("example.tw")), mail(`"a@b"@example.tw`), false}, // not compared
		{excluded(mail("example.org")), mail(`"a@b"@example.tw`), false},
		{excluded(mail("example.org")), other(t, oidSmtpUTF8Mailbox), false},

		{permitted(uri("example.tw")), uri("https://example.tw/x"), true},
		{permitted(uri("example.tw")), uri("https://user@www.example.tw:8443/"), false},
		{permitted(uri(".example.tw")), uri("https://user@www.example.tw:8443/"), true},
		{permitted(uri("example.tw")), uri("urn:uuid:1"), false},
		{excluded(uri("example.org")), uri("https://192.0.2.1/"), false},

		{permitted(ip(192, 0, 2, 0, 255, 255, 255, 0)), ip(192, 0, 2, 99), true},
		{permitted(ip(192, 0, 2, 0, 255, 255, 255, 0)), ip(192, 0, 3, 99), false},
		{permitted(ip(192, 0, 2, 0, 255, 255, 255, 0)), ip(make([]byte, 16)...), false},
		{excluded(ip(make([]byte, 8)...)), ip(192, 0, 2, 1), false},

		{permitted(directory(name(org))), directory(name(org, unit)), true},
		{permitted(directory(name(org))), directory(name(attribute(o, printable, "ORG"), unit)), true},
		{permitted(directory(name(org, unit))), directory(name(org)), false},
		{permitted(directory(name(unit))), directory(name(org, unit)), false},
		{excluded(directory(name(org))), directory(name(attribute(o, teletex, "oRG"), unit)), false},
		{excluded(directory(name(org, unit))), directory(name(org)), true},

		{excluded(other(t, "1.2.3")), other(t, "1.2.4"), false}, // not processed
		{permitted(dns("example.tw")), other(t, "1.2.4"), true},
	}
	for i, test := range tests {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			c, err := parseConstraints(test.constraints)
			if err != nil {
				t.Fatal(err)
			}
			w := work(maxWork)
			err = c.check(newConstrainedName(parseName(t, test.name)), &w)
			if (err == nil) != test.ok {
				t.Errorf("%x under %x: got %v, want ok = %t", test.name, test.constraints, err, test.ok)
			}
		})
	}
}

// Subject names, legacy addresses in them, and every CA of the path count.
func TestValidateNameConstraints(t *testing.T) {
	constrain := func(value []byte) func(*x509.Certificate) { return extension(extensionID(30), true, value) }
	names := func(list ...[]byte) func(*x509.Certificate) {
		return extension(extensionID(17), false, tlv(0x30, list...))
	}
	subject := func(rdns ...[]byte) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.RawSubject = name(rdns...) }
	}
	email := func(address string) []byte {
		return tlv(0x31, tlv(0x30, tlv(6, oidEmailAddress), text(ia5, address)))
	}
	citizen, stranger := attribute(3, utf8String, "Citizen"), attribute(3, utf8String, "Stranger")
	tests := []struct {
		name  string
		chain chain
		want  Kind
	}{
		{"permitted", chain{ca: constrain(permitted(mail("example.tw"))), leaf: names(mail("a@example.tw"))}, accepted},
		{"not permitted", chain{ca: constrain(permitted(mail("example.tw"))), leaf: names(mail("a@example.org"))}, Constraints},
		{"not permitted by the anchor", chain{root: constrain(permitted(mail("example.tw"))), leaf: names(mail("a@example.org"))}, Constraints},
		{"permitted by one CA of two", chain{ca: constrain(permitted(mail("example.tw"))), lower: constrain(permitted(mail("example.org"))),
			leaf: names(mail("a@example.org"))}, Constraints},
		{"name of a CA", chain{root: constrain(excluded(mail("example.org"))), lower: names(mail("a@example.org"))}, Constraints},
		{"emailAddress", chain{ca: constrain(permitted(mail("example.tw"))), leaf: subject(citizen, email("a@example.tw"))}, accepted},
		{"emailAddress elsewhere", chain{ca: constrain(permitted(mail("example.tw"))), leaf: subject(citizen, email("a@example.org"))}, Constraints},
		{"subject", chain{lower: constrain(permitted(directory(name(citizen)))), leaf: subject(citizen)}, accepted},
		{"subject elsewhere", chain{lower: constrain(permitted(directory(name(citizen)))), leaf: subject(stranger)}, Constraints},
		{"not critical", chain{ca: extension(extensionID(30), false, permitted(mail("example.tw")))}, Constraints},
		{"in an end entity", chain{leaf: constrain(permitted(mail("example.tw")))}, Constraints},
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

// Self-issued certificates are exempt, except the last one of the path.
func TestNameConstraintsSelfIssued(t *testing.T) {
	out := extension(extensionID(17), false, tlv(0x30, mail("a@example.org")))
	root := issue(t, nil, "Root", both(isCA, extension(extensionID(30), true, permitted(mail("example.tw")))))
	renewed := issue(t, root, "Root", both(isCA, out))
	leaf := issue(t, renewed, "Citizen", nil)
	set := newTestSet(t, certs(root), nil)
	if _, err := set.Find(leaf.Certificate, certs(renewed), Inputs{At: now}); err != nil {
		t.Error(err)
	}
	_, err := set.Find(renewed.Certificate, nil, Inputs{At: now})
	checkKind(t, err, Constraints, renewed.Certificate)
}

func TestNameConstraintsWork(t *testing.T) {
	var bases, names [][]byte
	for i := range 500 {
		bases = append(bases, dns(fmt.Sprintf("b%d.example", i)))
		names = append(names, dns(fmt.Sprintf("n%d.example", i)))
	}
	c, err := parseConstraints(excluded(bases...))
	if err != nil {
		t.Fatal(err)
	}
	w := work(maxWork)
	for _, raw := range names {
		if err := c.check(newConstrainedName(parseName(t, raw)), &w); err != nil {
			t.Fatalf("within the bound: %v", err)
		}
	}
	err = c.check(newConstrainedName(parseName(t, names[0])), &w)
	if !errors.Is(err, errTooMuchWork) {
		t.Errorf("got %v, want %v", err, errTooMuchWork)
	}
}
