package crl_test

import (
	"bytes"
	"testing"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// An added list is found by the name of its issuer, however that is spelt, and its
// neighbours by other names and keys are left alone.
func TestAddedByIssuer(t *testing.T) {
	w := newWorld(t)
	spelt := bytes.Replace(w.ca.Cert.RawSubject, []byte("TW"), []byte("tw"), 1)
	if bytes.Equal(spelt, w.ca.Cert.RawSubject) {
		t.Fatal("name has no country TW")
	}
	for _, c := range []struct {
		name   string
		issuer []byte
		want   verify.Status
	}{
		{"same octets", nil, verify.Good},
		{"same name", spelt, verify.Good},
		{"another name", bytes.Replace(spelt, []byte("tw"), []byte("hk"), 1), verify.Unknown},
	} {
		store := w.store(crl.Config{Offline: true})
		for _, ca := range []*pkitest.CA{w.G2.MOICA, w.G2.Root, w.G3.Root} {
			der, err := ca.CRL(pkitest.CRLOptions{})
			if err == nil {
				err = store.Add(der, "")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := store.Add(w.list(pkitest.CRLOptions{RawIssuer: c.issuer}), ""); err != nil {
			t.Fatal(err)
		}
		if got, err := w.ask(store, w.query()); got != c.want {
			t.Errorf("%s: got %v (%v), want %v", c.name, got, err, c.want)
		}
	}
}
