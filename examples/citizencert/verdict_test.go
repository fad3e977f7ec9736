package main

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// The identity is there if the scheme has read one.
func TestSignerIdentity(t *testing.T) {
	w := newWorld(t)
	s := verify.Signer{Path: []*x509.Certificate{w.card.Cert}}
	if got := newSigner(&s); got.Identity != nil {
		t.Errorf("got identity %+v, want none", got.Identity)
	}
	s.Identity = verify.Identity{Scheme: "tw-moica", SerialNumber: "0000000012345678", Name: "王測試", Kind: verify.Citizen, Carrier: verify.Card, LastFour: "6789", Generation: "G3"}
	want := identity{"tw-moica", "0000000012345678", "王測試", verify.Citizen, verify.Card, "6789", "G3"}
	if got := newSigner(&s); got.Identity == nil || *got.Identity != want {
		t.Errorf("got identity %+v, want %+v", got.Identity, want)
	}
}

func TestRevocationText(t *testing.T) {
	from := time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC)
	r := revocationFact{Status: verify.Good, Rung: verify.RungOCSP, Source: "http://ocsp.example/", ThisUpdate: from, RevokedAfter: from.Add(time.Hour)}
	const want = "good (ocsp: http://ocsp.example/), from 2026-05-31T00:00:00Z; revoked or suspended since 2026-05-31T01:00:00Z; an earlier suspension that has ended is not excluded"
	if got := r.text(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Who signed in place of the issuer is named, with its status.
func TestRevocationSigner(t *testing.T) {
	w := newWorld(t)
	f := verify.RevocationFact{Cert: w.card.Cert, Authorities: []verify.Authority{
		{Path: []*x509.Certificate{w.pki.G3.MOICA.Cert}, NoCheck: true}, {Path: []*x509.Certificate{w.pki.G3.Root.Cert}},
	}}
	got := newRevocation(&f).SignedBy
	if len(got) != 2 || got[0].Status != "no-check" || got[1].Status != "good" || got[1].Subject != nameText(w.pki.G3.Root.Cert.RawSubject) {
		t.Errorf("got %+v, want MOICA, not checked, and its root, good", got)
	}
}

// A scheme says where its responders live; of custom anchors the certificates do,
// addresses aside.
func TestAllowedHosts(t *testing.T) {
	w := newWorld(t)
	scheme := verify.Scheme{Hosts: []string{"moi.gov.tw"}}
	issued, err := w.pki.G3.MOICA.Issue(templateWithURLs("http://crl.example/1.crl", "http://localhost/2.crl", "http://192.0.2.1/3.crl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		t    trust
		want []string
	}{
		{"offline", trust{}, nil},
		{"pinned", trust{online: true, hosts: stringList{"proxy.example"}}, []string{"moi.gov.tw", "proxy.example"}},
		{"custom", trust{online: true, anchors: stringList{"root"}, hosts: stringList{"127.0.0.1"}}, []string{"moi.gov.tw", "127.0.0.1", "crl.example"}},
	} {
		if got := test.t.allowedHosts(scheme, [][]byte{issued.DER, []byte("garbage")}); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func templateWithURLs(lists ...string) pkitest.Template {
	return pkitest.Template{CRLDistributionPoints: lists, AccessDescriptions: []pkitest.AccessDescription{}}
}
