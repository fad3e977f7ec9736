package verify_test

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/citizencert/citizencert/internal/outside"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// What is wrong with a signer's certificate gets the reason that names it.
func TestCertificateRefusals(t *testing.T) {
	w := newWorld(t)
	now := noon()
	for _, tt := range []struct {
		name   string
		change func(*pkitest.Template)
		want   verify.Reason
	}{
		{"a citizen's", func(*pkitest.Template) {}, ""},
		{"a foreign resident's", func(tm *pkitest.Template) { tm.Person.Foreign = true }, ""},
		{"a mobile one", func(tm *pkitest.Template) { tm.Carrier = "mobile" }, ""},
		{"valid to the second", func(tm *pkitest.Template) { tm.NotAfter = now }, ""},
		{"expired a second ago", func(tm *pkitest.Template) { tm.NotAfter = now.Add(-time.Second) }, verify.ReasonExpired},
		{"valid from the second", func(tm *pkitest.Template) { tm.NotBefore = now }, ""},
		{"valid a second later", func(tm *pkitest.Template) { tm.NotBefore = now.Add(time.Second) }, verify.ReasonNotYetValid},
		{"for encryption", func(tm *pkitest.Template) { tm.Encryption = true }, verify.ReasonProfile},
		{"without keyUsage", func(tm *pkitest.Template) { tm.Omit = append(tm.Omit, pkitest.OIDKeyUsage) }, verify.ReasonProfile},
		{"a CA's", func(tm *pkitest.Template) { tm.BasicConstraints = &pkitest.BasicConstraints{CA: true} }, verify.ReasonProfile},
		{"without policy", func(tm *pkitest.Template) { tm.Omit = append(tm.Omit, pkitest.OIDCertificatePolicies) }, verify.ReasonPolicy},
		{"policy with one more digit", func(tm *pkitest.Template) {
			tm.Policies = []asn1.ObjectIdentifier{append(pkitest.OIDTestPolicy[:6:6], 33)}
		}, verify.ReasonPolicy},
		{"without key identifier", func(tm *pkitest.Template) { tm.Omit = append(tm.Omit, pkitest.OIDAuthorityKeyID) }, verify.ReasonProfile},
		{"SHA-1", func(tm *pkitest.Template) { tm.SignatureAlgorithm = x509.SHA1WithRSA }, verify.ReasonAlgorithm},
		{"RSA-1024", func(tm *pkitest.Template) { tm.RSABits = 1024 }, verify.ReasonAlgorithm},
		{"without directory attributes", func(tm *pkitest.Template) { tm.Omit = append(tm.Omit, pkitest.OIDSubjectDirectoryAttributes) }, verify.ReasonProfile},
		{"signed by the other generation", func(tm *pkitest.Template) {
			tm.SigningKey = w.G2.MOICA.Key
		}, verify.ReasonUntrusted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tm := pkitest.Template{Person: pkitest.Person{Name: "王測試"}}
			tt.change(&tm)
			issued, err := w.G3.MOICA.Issue(tm)
			if err != nil {
				t.Fatal(err)
			}
			res, err := w.verifier.Certificate(t.Context(), issued.DER, nil)
			wantReason(t, res, err, tt.want)
		})
	}
}

// A certificate under a CA that has MOICA's name and another key is refused.
func TestImpostor(t *testing.T) {
	w := newWorld(t)
	impostor, err := w.SelfSigned(pkitest.Template{RawSubject: w.G3.MOICA.Cert.RawSubject})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := impostor.Issue(pkitest.Template{})
	if err != nil {
		t.Fatal(err)
	}
	for name, certificates := range map[string][][]byte{"alone": nil, "with the CA": {impostor.Cert.Raw}} {
		t.Run(name, func(t *testing.T) {
			res, err := w.verifier.Certificate(t.Context(), issued.DER, &verify.Options{Certificates: certificates})
			wantReason(t, res, err, verify.ReasonUntrusted)
		})
	}
	t.Run("as SignedData", func(t *testing.T) {
		card := *w.card
		card.Cert, card.Key = issued.Cert, issued.Key
		der := w.sign(t, &card, filing, &pkitest.CMSOptions{Certificates: []*x509.Certificate{issued.Cert, impostor.Cert}})
		res, err := w.verifier.SignedData(t.Context(), der, nil)
		wantReason(t, res, err, verify.ReasonUntrusted)
	})
}

// No CA signs filings, not even an anchor.
func TestAnchorIsNoSigner(t *testing.T) {
	w := newWorld(t)
	for name, ca := range map[string]*pkitest.CA{"the root": w.G3.Root, "MOICA": w.G3.MOICA} {
		t.Run(name, func(t *testing.T) {
			card := *w.card
			card.Cert, card.Key = ca.Cert, ca.Key
			res, err := w.verifier.SignedData(t.Context(), w.sign(t, &card, filing, nil), nil)
			wantReason(t, res, err, verify.ReasonProfile)
		})
	}
}

// A card of one environment is nothing in the other.
func TestEnvironments(t *testing.T) {
	w := newWorld(t)
	dir := outside.RealPKI(t)
	anchors, err := moica.LoadAnchors(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	production := w.newVerifier(t, func(cfg *verify.Config) { cfg.Scheme = moica.Production(anchors) })
	res, err := production.SignedData(t.Context(), w.sign(t, w.card, filing, nil), nil)
	wantReason(t, res, err, verify.ReasonUntrusted)
}

// The real MOICA certificates end at their own root and at no other.
func TestRealChain(t *testing.T) {
	dir := outside.RealPKI(t)
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	verifier := func(files ...string) *verify.Verifier {
		folder := fstest.MapFS{}
		for _, f := range files {
			folder[f] = &fstest.MapFile{Data: read(f)}
		}
		anchors, err := moica.LoadAnchors(folder)
		if err != nil {
			t.Fatal(err)
		}
		v, err := verify.New(verify.Config{Scheme: moica.Production(anchors), InsecureSkipRevocation: true, Clock: noon})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	all := []string{"GRCA-G2.pem", "GRCA-G3.pem", "MOICA-G2.pem", "MOICA-G3.pem"}
	anyCA := &verify.Profile{Name: "any", AllowCA: true}
	for _, tt := range []struct {
		name    string
		anchors []string
		cert    string
		want    verify.Reason
		path    int
	}{
		{"G2 under both roots", all, "MOICA-G2.pem", "", 2},
		{"G3 under both roots", all, "MOICA-G3.pem", "", 2},
		{"G2 under its root", []string{"GRCA-G2.pem"}, "MOICA-G2.pem", "", 2},
		{"G3 under its root", []string{"GRCA-G3.pem"}, "MOICA-G3.pem", "", 2},
		{"G2 under the other root", []string{"GRCA-G3.pem"}, "MOICA-G2.pem", verify.ReasonUntrusted, 0},
		{"G3 under the other root", []string{"GRCA-G2.pem"}, "MOICA-G3.pem", verify.ReasonUntrusted, 0},
		{"an anchor", all, "GRCA-G3.pem", "", 1},
		{"G1", all, "MOICA-G1.pem", verify.ReasonUntrusted, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := verifier(tt.anchors...).Certificate(t.Context(), derOf(t, read(tt.cert)), &verify.Options{Profile: anyCA})
			wantReason(t, res, err, tt.want)
			if err == nil && len(res.Signers[0].Path) != tt.path {
				t.Errorf("got a path of %d certificates, want %d", len(res.Signers[0].Path), tt.path)
			}
		})
	}
}

func derOf(t testing.TB, data []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatal("no PEM block in a certificate file")
	}
	return block.Bytes
}

func TestNewRefuses(t *testing.T) {
	w := newWorld(t)
	good := func() verify.Config { return verify.Config{Scheme: w.scheme(t), Status: w.sources(t)} }
	for _, tt := range []struct {
		name   string
		change func(*verify.Config)
		want   string
	}{
		{"nothing", func(*verify.Config) {}, ""},
		{"no anchors", func(c *verify.Config) { c.Scheme.Anchors = nil }, "trust anchors"},
		{"no environment", func(c *verify.Config) { c.Scheme.Environment = 0 }, "Environment"},
		{"no sources of status", func(c *verify.Config) { c.Status = nil }, "InsecureSkipRevocation"},
		{"sources that are skipped", func(c *verify.Config) { c.InsecureSkipRevocation = true }, "contradict"},
		{"an intermediate of nobody", func(c *verify.Config) { c.Scheme.Anchors = c.Scheme.Anchors[:1] }, "Scheme"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := good()
			tt.change(&cfg)
			_, err := verify.New(cfg)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

// Neither errors nor logs give away who the holder is.
func TestNoPersonalData(t *testing.T) {
	w := newWorld(t)
	res, err := w.verifier.SignedData(t.Context(), w.sign(t, w.card, filing, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.G3.MOICA.Revoke(w.card.Cert, noon(), pkitest.ReasonKeyCompromise)
	_, refusal := w.newVerifier(t, nil).SignedData(t.Context(), w.sign(t, w.card, filing, nil), nil)
	if refusal == nil {
		t.Fatal("got no refusal")
	}
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("signed in", "identity", res.Signers[0].Identity, "result", res, "err", refusal)
	e, _ := errors.AsType[*verify.Error](refusal)
	asJSON, err := e.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{log.String(), refusal.Error(), string(asJSON)} {
		testbed.Nameless(t, w.card, text)
	}
}
