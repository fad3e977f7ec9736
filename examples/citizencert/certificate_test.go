package main

import (
	"encoding/asn1"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

func TestCertificate(t *testing.T) {
	w := newWorld(t)
	card := writeTemp(t, "card.cer", w.card.Cert.Raw)
	root := writeTemp(t, "root.cer", w.root)
	skip := with(w.pathFlags(t), "-insecure-skip-revocation")
	for _, test := range []struct {
		name string
		args []string
		want verify.Reason // empty if valid
	}{
		{"with lists", with(w.trustFlags(t), card), ""},
		{"without evidence", with(w.pathFlags(t), card), verify.ReasonStatusUnavailable},
		{"skipped", with(skip, card), ""},
		{"encryption certificate", with(skip, writeTemp(t, "enc.cer", w.card.EncryptionCert.Raw)), ""},
		{"CA", with(skip, writeTemp(t, "moica.cer", w.moica)), ""},
		{"anchor, without evidence", []string{"-json", "-anchors", root, root}, ""},
		{"CA in the bundle", []string{"-json", "-insecure-skip-revocation", "-anchors", root,
			writeTemp(t, "bundle.pem", encodePEM("CERTIFICATE", w.card.Cert.Raw, w.moica))}, ""},
		{"bundle the other way round", []string{"-json", "-insecure-skip-revocation", "-anchors", root,
			writeTemp(t, "bundle.pem", encodePEM("CERTIFICATE", w.moica, w.card.Cert.Raw))}, ""},
		{"CA missing", []string{"-json", "-insecure-skip-revocation", "-anchors", root, card}, verify.ReasonUntrusted},
		{"profile moica of a CA", with(skip, "-profile", "moica", writeTemp(t, "moica.cer", w.moica)), verify.ReasonProfile},
		{"anchors without certificate", []string{"-json", "-anchors", writeTemp(t, "root.crl", encodePEM("X509 CRL", w.rootCRL)), card}, verify.ReasonMalformed},
		{"garbage", with(skip, writeTemp(t, "garbage", []byte("garbage"))), verify.ReasonMalformed},
		{"trailing byte", with(skip, writeTemp(t, "card.cer", append(slices.Clip(w.card.Cert.Raw), 0))), verify.ReasonMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkVerdict(t, call(t, append([]string{"certificate"}, test.args...)...), test.want)
		})
	}
}

func TestCertificatePurpose(t *testing.T) {
	w := newWorld(t)
	issued, err := w.pki.G3.MOICA.Issue(pkitest.Template{ExtKeyUsage: []asn1.ObjectIdentifier{pkitest.OIDClientAuth}})
	if err != nil {
		t.Fatal(err)
	}
	cert := writeTemp(t, "client.cer", issued.DER)
	for purpose, want := range map[string]verify.Reason{
		"clientAuth":          "",
		"1.3.6.1.5.5.7.3.2":   "",
		"serverAuth":          verify.ReasonProfile,
		"2.16.886.1.100.1.99": verify.ReasonProfile,
	} {
		checkVerdict(t, call(t, append([]string{"certificate", "-insecure-skip-revocation", "-eku", purpose}, with(w.pathFlags(t), cert)...)...), want)
	}
}

// realPKI returns the folder of the real CA certificates.
func realPKI(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CITIZENCERT_REAL_PKI")
	if dir == "" {
		t.Skip("CITIZENCERT_REAL_PKI is not set: it names the folder of the real CA certificates")
	}
	return dir
}

// The two generations share one issuer name, and each hangs from its own root.
func TestRealGenerations(t *testing.T) {
	dir := realPKI(t)
	for _, ca := range []string{"G1", "G2", "G3"} {
		for _, root := range []string{"G2", "G3"} {
			want := verify.ReasonUntrusted
			if ca == root {
				want = ""
			}
			got := call(t, "certificate", "-json", "-insecure-skip-revocation",
				"-anchors", filepath.Join(dir, "GRCA-"+root+".pem"), filepath.Join(dir, "MOICA-"+ca+".pem"))
			t.Run(ca+" under "+root, func(t *testing.T) { checkVerdict(t, got, want) })
		}
	}
}

func TestRealPinnedAnchors(t *testing.T) {
	dir := realPKI(t)
	ca := filepath.Join(dir, "MOICA-G3.pem")
	flags := []string{"certificate", "-json", "-insecure-skip-revocation", "-anchor-dir", dir}
	got := call(t, with(flags, "-profile", "any", ca)...)
	checkVerdict(t, got, "")
	var v struct{ Environment string }
	if got.decodeJSON(t, &v); v.Environment != "production" {
		t.Errorf("got environment %q, want production", v.Environment)
	}
	checkVerdict(t, call(t, with(flags, ca)...), verify.ReasonProfile)
	// A company CA under the same root is not pinned, but trusted as its root is.
	checkVerdict(t, call(t, with(flags, "-profile", "any", filepath.Join(dir, "MOEACA-G2.pem"))...), "")
	// What a look-alike issues is nothing to the real one.
	w := newWorld(t)
	checkVerdict(t, call(t, with(flags, "-intermediates", writeTemp(t, "moica.cer", w.moica), writeTemp(t, "card.cer", w.card.Cert.Raw))...), verify.ReasonUntrusted)
}
