package pkitest_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/digitorus/pkcs7"

	"github.com/citizencert/citizencert/pkitest"
)

// What package verify/batch says of each filing is tested there. Here: the shares, the
// kinds, and that equal configurations choose equally.
func TestFilings(t *testing.T) {
	pki, _ := newPKI(t)
	cfg := pkitest.FilingsConfig{
		N: 300, Citizens: 7, ContentSize: 500, Attached: 0.3, Statements: 0.3, Seed: 9,
		Defects: map[pkitest.Defect]float64{pkitest.DefectRevoked: 0.2, pkitest.DefectTampered: 0.1},
	}
	filings, err := pki.NewFilings(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defects, kinds, holders := make(map[pkitest.Defect]int), make(map[pkitest.FilingKind]int), make(map[string]bool)
	n := 0
	for f, err := range filings.All() {
		if err != nil {
			t.Fatal(err)
		}
		defects[f.Defect]++
		kinds[f.Kind]++
		if f.Defect == "" {
			holders[f.Holder] = true
			checkFiling(t, &f)
		}
		again, err := filings.Filing(n)
		if err != nil || again.Name != f.Name || again.Defect != f.Defect || again.Kind != f.Kind || !bytes.Equal(again.Content, f.Content) {
			t.Errorf("filing %d is not the same when it is made again: %v", n, err)
		}
		n++
	}
	if n != 300 || len(holders) != 7 {
		t.Errorf("got %d filings by %d citizens, want 300 by 7", n, len(holders))
	}
	for what, got := range map[string]int{
		"revoked":    defects[pkitest.DefectRevoked] - 60,
		"tampered":   defects[pkitest.DefectTampered] - 30,
		"attached":   kinds[pkitest.AttachedFiling] - 90,
		"statements": kinds[pkitest.StatementFiling] - 90,
	} {
		if got < -25 || got > 25 {
			t.Errorf("%s: %d too many", what, got)
		}
	}
	if sum := defects[""] + defects[pkitest.DefectRevoked] + defects[pkitest.DefectTampered]; sum != n {
		t.Errorf("got defects %v", defects)
	}
}

// checkFiling checks a filing without defect by other means than this module's.
func checkFiling(t *testing.T, f *pkitest.Filing) {
	t.Helper()
	if f.Kind == pkitest.StatementFiling {
		cert, err := x509.ParseCertificate(f.Certificate)
		if err == nil {
			err = cert.CheckSignature(x509.SHA256WithRSA, []byte(f.Line), f.Signature)
		}
		sum := sha256.Sum256(f.Content)
		if err != nil || !strings.HasSuffix(f.Line, "/"+hex.EncodeToString(sum[:])) {
			t.Errorf("%s: %v, line %s", f.Name, err, f.Line)
		}
		return
	}
	p7, err := pkcs7.Parse(f.Signature)
	if err == nil {
		if f.Kind == pkitest.DetachedFiling {
			p7.Content = f.Content
		}
		err = p7.Verify()
	}
	if err != nil || len(p7.Content) != 500 || f.ReceivedAt.IsZero() {
		t.Errorf("%s: %v, %d bytes", f.Name, err, len(p7.Content))
	}
}

func TestFilingsConfig(t *testing.T) {
	pki, _ := newPKI(t)
	for _, defects := range []map[pkitest.Defect]float64{
		{"late": 0.1},
		{pkitest.DefectRevoked: -0.1},
		{pkitest.DefectRevoked: 0.6, pkitest.DefectExpired: 0.6},
	} {
		if _, err := pki.NewFilings(pkitest.FilingsConfig{N: 1, Defects: defects}); err == nil {
			t.Errorf("%v is accepted", defects)
		}
	}
}
