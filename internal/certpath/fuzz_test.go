package certpath

import (
	"errors"
	"testing"
)

// What has a canonical form is the same name as itself and is told apart from
// itself with an attribute more.
func FuzzCanonicalName(f *testing.F) {
	f.Add(name())
	f.Add(name(attribute(3, utf8String, " Root  CA ")))
	f.Add(name(tlv(0x31, pair(10, printable, "a"), pair(11, bmp, "\x65\x3f")), attribute(6, teletex, "\xe9")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		key, err := CanonicalName(raw)
		if err != nil {
			if key != "" {
				t.Errorf("got key %q along with %v", key, err)
			}
			return
		}
		if !SameName(raw, raw) {
			t.Error("name is not the same as itself")
		}
		rdns, err := canonicalRDNs(raw)
		if err != nil {
			t.Fatal(err)
		}
		var longer string
		for _, rdn := range append(rdns, "x") {
			longer = string(appendField([]byte(longer), rdn))
		}
		if longer == key {
			t.Error("name with an attribute more has the same key")
		}
	})
}

// Constraints that parse exclude whatever they permit when they are turned round.
func FuzzNameConstraints(f *testing.F) {
	f.Add(permitted(dns("example.tw"), mail(".example.tw"), ip(192, 0, 2, 0, 255, 255, 255, 0)), dns("www.example.tw"))
	f.Add(excluded(directory(name(attribute(10, utf8String, "Org"))), uri("example.tw")), uri("https://example.tw/"))
	f.Add(permitted(mail("a@example.tw")), mail("a@example.tw"))
	f.Fuzz(func(t *testing.T, value, general []byte) {
		c, err := parseConstraints(value)
		if err != nil {
			return
		}
		names, err := parseOne(17, tlv(0x30, general))
		if err != nil {
			return
		}
		for _, n := range names.subjectAltNames {
			name := newConstrainedName(n)
			turned := &nameConstraints{excluded: c.permitted}
			w := work(maxWork)
			permits := len(c.permitted[n.form]) > 0 && c.check(name, &w) == nil
			if permits && turned.check(name, &w) == nil {
				t.Error("what is permitted is not excluded by the same subtrees")
			}
		}
	})
}

// Whatever the bytes are, Find returns a path or an *Error, never both, and a
// path only for the certificates it was issued for.
func FuzzFind(f *testing.F) {
	root := issue(f, nil, "Root", isCA)
	ca := issue(f, root, "CA", both(isCA, extension(extensionID(30), true, permitted(mail("example.tw")))))
	leaf := issue(f, ca, "Citizen", both(policyExtension(f, "1.2.3"), extension(extensionID(17), false, tlv(0x30, mail("a@example.tw")))))
	set := newTestSet(f, certs(root), certs(ca))
	f.Add(leaf.Raw, ca.Raw)
	f.Add(ca.Raw, leaf.Raw)
	f.Add(root.Raw, root.Raw)
	f.Fuzz(func(t *testing.T, der, hint []byte) {
		cert, err := ParseCertificate(der)
		if err == nil {
			hints := certs(root)
			if h, err := ParseCertificate(hint); err == nil {
				hints = append(hints, h)
			}
			path, findErr := set.Find(cert, hints, Inputs{At: now})
			if (path == nil) == (findErr == nil) {
				t.Errorf("got path of %d and %v", len(path), findErr)
			}
			err = findErr
		}
		if _, ok := errors.AsType[*Error](err); err != nil && !ok {
			t.Errorf("got %T, want *Error: %v", err, err)
		}
	})
}
