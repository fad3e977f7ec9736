package moica_test

import (
	"crypto/x509"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/citizencert/citizencert/internal/outside"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// The real first generation is judged at 2020 under the historical policy, and
// refused by the name of its digest under any other.
func TestHistoricalReal(t *testing.T) {
	anchors, err := moica.LoadHistoricalAnchors(os.DirFS(outside.RealPKI(t)))
	if err != nil {
		t.Fatal(err)
	}
	if len(anchors.Found()) != 6 {
		t.Errorf("got %d pinned certificates, want those of three generations", len(anchors.Found()))
	}
	var g1 *x509.Certificate
	for _, f := range anchors.Found() {
		if f.Pin.Name == "MOICA-G1" {
			g1 = f.Cert
		}
	}
	if g1 == nil {
		t.Fatal("MOICA G1 is not linked with its root")
	}
	config := verify.Config{Scheme: moica.Historical(anchors), Algorithms: moica.HistoricalPolicy(), InsecureSkipRevocation: true}
	profile := moica.SignatureProfile()
	profile.AllowCA, profile.KeyUsage = true, x509.KeyUsageCertSign
	v, err := verify.New(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		at   time.Time
		want verify.Reason
	}{
		{time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), ""},
		{g1.NotAfter, ""},
		{g1.NotAfter.Add(time.Second), verify.ReasonAlgorithm},
	} {
		res, err := v.Certificate(t.Context(), g1.Raw, &verify.Options{ReceivedAt: tt.at, Profile: &profile})
		got := verify.Reason("")
		if e, ok := err.(*verify.Error); ok {
			got = e.Reason
		}
		if got != tt.want || (err == nil) != (res != nil) {
			t.Errorf("at %v: got %v, want reason %q", tt.at, err, tt.want)
		}
	}

	config.Algorithms = verify.StrictPolicy()
	if _, err := verify.New(config); err == nil || !strings.Contains(err.Error(), "SHA-1") {
		t.Errorf("strict: got error %v, want one that names SHA-1", err)
	}
	// A sunset holds even where SHA-1 is admitted at any time.
	config.InsecureAllowSHA1 = true
	if v, err = verify.New(config); err != nil {
		t.Fatal(err)
	}
	root := config.Scheme.AnchorPeriods[0].Anchor
	for at, want := range map[time.Time]verify.Reason{g1.NotAfter: "", g1.NotAfter.Add(time.Second): verify.ReasonUntrusted} {
		_, err := v.Certificate(t.Context(), root.Raw, &verify.Options{ReceivedAt: at, Profile: &verify.Profile{AllowCA: true}})
		if e, ok := err.(*verify.Error); ok != (want != "") || ok && e.Reason != want {
			t.Errorf("root at %v: got %v, want reason %q", at, err, want)
		}
	}
}

// Without the historical option, the first generation is not even pinned.
func TestHistoricalIsApart(t *testing.T) {
	for _, p := range moica.HistoricalPins() {
		for _, q := range moica.Pins() {
			if p.SHA256 == q.SHA256 {
				t.Errorf("%s is a pin of today", p.Name)
			}
		}
		if _, err := moica.LoadTestAnchors(fstest.MapFS{}, p); err == nil || !strings.Contains(err.Error(), "production") {
			t.Errorf("got %v for %s in a test, want it refused", err, p.Name)
		}
	}
	pki := testbed.New(t, nil)
	if _, err := moica.LoadHistoricalAnchors(pki.FS()); err == nil {
		t.Error("got no error for look-alikes")
	}
}
