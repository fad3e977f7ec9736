package crl

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// What is told of two lists is what the maps of their entries differ in, and once.
func TestDiff(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		before, after := reference{}, reference{}
		from, to := newIndex(0), newIndex(0)
		for range r.IntN(3000) {
			number, e := randomSerial(r), randomEntry(r)
			if r.IntN(3) != 0 {
				before.add(number, e)
				from.add(number, e)
			}
			if r.IntN(3) != 0 {
				if r.IntN(3) == 0 {
					e = randomEntry(r)
				}
				after.add(number, e)
				to.add(number, e)
			}
		}
		from.finish()
		to.finish()
		want := map[string]verify.Status{}
		for name, e := range after {
			if e.status() != verify.Unknown && (e.status() != before[name].status() || !has(before, name)) {
				want[name] = e.status()
			}
		}
		for name, e := range before {
			if e.status() == verify.Suspended && (!has(after, name) || after[name].status() == verify.Unknown) {
				want[name] = verify.Good
			}
		}
		tr := transition{&List{index: from}, &holding{list: &List{index: to}}}
		tr.to.query.Cert = &x509.Certificate{}
		tr.to.query.Issuer = &x509.Certificate{RawSubjectPublicKeyInfo: []byte("key")}
		err := tr.diff(shelfKey{}, func(batch []Change) {
			if len(batch) > changesPerCall {
				t.Errorf("told of %d changes at once", len(batch))
			}
			for _, c := range batch {
				number, _ := serialOf(c.Serial)
				name := fmt.Sprintf("%v %x", number.negative, number.octets)
				if got, ok := want[name]; !ok || got != c.Status || string(c.IssuerKey) != "key" {
					t.Errorf("told that %s is %v, want %v, %v", name, c.Status, got, ok)
				}
				delete(want, name)
			}
		})
		if err != nil || len(want) != 0 {
			t.Fatalf("%d changes not told, %v", len(want), err)
		}
	}
}

// Of an indirect list, what stands under the name of the issuer it was fetched for is
// told of with the key of that issuer, and nothing else is.
func TestDiffIndirect(t *testing.T) {
	name := func(cn string) []byte {
		der, err := asn1.Marshal(pkix.Name{CommonName: cn}.ToRDNSequence())
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	own, other, lister := name("測試 CA"), name("Test other CA"), name("Test list issuer")
	list := func(entries map[foreignKey]entry) *List {
		l := &List{RawIssuer: lister, index: newIndex(0), foreign: &foreignEntries{byName: map[string][]int{}, entries: entries}}
		for group, issuer := range [][]byte{1: own, 2: other} {
			if canonical, err := certpath.CanonicalName(issuer); err == nil {
				l.foreign.byName[canonical] = []int{group}
			}
		}
		return l
	}
	hold := entry{reason: reasonHold}
	from := list(map[foreignKey]entry{{1, "\x01"}: {}, {1, "\x02"}: hold, {2, "\x05"}: hold})
	to := list(map[foreignKey]entry{{1, "\x01"}: {}, {1, "\x03"}: {}, {1, "\x04"}: hold, {2, "\x03"}: {}})
	to.index.add(serial{octets: []byte{9}}, entry{}) // the list issuer's own certificate
	from.index.finish()
	to.index.finish()
	tr := transition{from, &holding{list: to}}
	tr.to.query.Cert = &x509.Certificate{RawIssuer: own}
	tr.to.query.Issuer = &x509.Certificate{RawSubjectPublicKeyInfo: []byte("key")}
	want := map[string]verify.Status{"\x02": verify.Good, "\x03": verify.Revoked, "\x04": verify.Suspended}
	err := tr.diff(shelfKey{}, func(batch []Change) {
		for _, c := range batch {
			if got, ok := want[string(c.Serial)]; !ok || got != c.Status || string(c.IssuerKey) != "key" {
				t.Errorf("told that %x is %v, want %v, %v", c.Serial, c.Status, got, ok)
			}
			delete(want, string(c.Serial))
		}
	})
	if err != nil || len(want) != 0 {
		t.Errorf("%d changes not told, %v", len(want), err)
	}
}

func has(m reference, name string) bool {
	_, ok := m[name]
	return ok
}

// A saved index says what it said before, of entries of every form, and a page that
// was damaged is an error and never an answer.
func TestSavedIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	l, want := &List{index: newIndex(1 << 20), signedDigest: make([]byte, 32)}, reference{}
	for range 5000 {
		number, e := randomSerial(r), randomEntry(r)
		l.index.add(number, e)
		want.add(number, e)
	}
	l.index.finish()
	key := bytes.Repeat([]byte{7}, MinIndexKey)
	file, err := os.CreateTemp(t.TempDir(), tempPattern)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	l.frame = minimalFrame(t)
	if err := writeIndex(file, l, key); err != nil {
		t.Fatal(err)
	}
	saved, err := openIndex(file, key)
	if err != nil {
		t.Fatal(err)
	}
	checkIndex(t, saved.index, want)
	if n := testing.AllocsPerRun(100, func() { saved.index.lookup(serial{octets: []byte{1}}) }); n != 0 {
		t.Errorf("got %v allocations for a lookup, want none", n)
	}

	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	pages := int64(len(saved.index.tables[0].saved.digests) / 32)
	for page := range pages {
		at := info.Size() - (page+1)*pageBytes + r.Int64N(pageBytes)
		flip(t, file, at)
		saved, err := openIndex(file, key)
		if err != nil {
			t.Fatalf("page %d from the end damaged: got %v before it is used", page, err)
		}
		failed := 0
		if err := l.index.each(func(number serial, e entry) error {
			got, listed, err := saved.index.lookup(number)
			if err != nil {
				failed++
			} else if !listed || got != e {
				t.Errorf("page %d from the end damaged: got %+v, %v, want %+v or an error", page, got, listed, e)
			}
			return nil
		}); err != nil || failed == 0 {
			t.Errorf("page %d from the end damaged: %d lookups failed, %v", page, failed, err)
		}
		flip(t, file, at)
	}
}

func flip(t *testing.T, file *os.File, at int64) {
	t.Helper()
	var b [1]byte
	if _, err := file.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := file.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}

// minimalFrame is that of a list by a CA of the look-alike PKI.
func minimalFrame(t *testing.T) frame {
	t.Helper()
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer pki.Close()
	der, err := pki.G3.MOICA.CRL(pkitest.CRLOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return l.frame
}
