package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A sealer is who seals: a service with a key, and a time-stamp authority.
type sealer struct {
	key             crypto.Signer
	private, public string // files
	tsa             *pkitest.TSA
	anchors, list   string // files
}

func newSealer(t *testing.T) *sealer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	tsa, err := newWorld(t).pki.NewTSA()
	if err != nil {
		t.Fatal(err)
	}
	list, err := tsa.Issuer.CRL(pkitest.CRLOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &sealer{
		key: key, private: writeTemp(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		public: writeTemp(t, "public.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		tsa:    tsa, anchors: writeTemp(t, "tsa.cer", tsa.Issuer.Cert.Raw), list: writeTemp(t, "tsa.crl", list),
	}
}

// token is a file with a time-stamp token over data.
func (s *sealer) token(t *testing.T, data []byte) string {
	t.Helper()
	token, err := s.tsa.Timestamp(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return writeTemp(t, "token.tst", token)
}

func (s *sealer) byKey() []string { return []string{"-seal-key", s.public} }

func (s *sealer) byTime() []string {
	return []string{"-seal-tsa-anchors", s.anchors, "-seal-crl", s.list}
}

// A sealCase is a check of seals, and what must come of it.
type sealCase struct {
	name string
	args []string
	code int
	want []string
}

func (c sealCase) check(t *testing.T, command []string, operand string) {
	t.Run(c.name, func(t *testing.T) {
		got := call(t, with(with(command, c.args...), operand)...)
		if got.code != c.code {
			t.Errorf("got exit code %d, want %d", got.code, c.code)
		}
		for _, text := range c.want {
			if !strings.Contains(got.stdout, text) {
				t.Errorf("got %s%s, want %q in it", got.stdout, got.stderr, text)
			}
		}
	})
}

// cases are what must come of something that a sealer has put both seals over.
func (s *sealer) cases(other *sealer) []sealCase {
	return []sealCase{
		{"nobody is named", nil, exitGood, []string{"seal not checked", "jws: -seal-key names no key", "timestamp: -seal-tsa-anchors names no authority"}},
		{"key", s.byKey(), exitGood, []string{"  key\n", "timestamp: -seal-tsa-anchors names no authority"}},
		{"one of two keys", with(other.byKey(), s.byKey()...), exitGood, []string{"  key\n"}},
		{"time-stamp", s.byTime(), exitGood, []string{"time-stamp: 20", "jws: -seal-key names no key"}},
		{"both", with(s.byKey(), s.byTime()...), exitGood, []string{"time-stamp: 20", "  key\n"}},
		{"another key", other.byKey(), exitRefused, []string{"not sealed by a key of -seal-key", "seal refused"}},
		{"key, and another authority", with(s.byKey(), other.byTime()...), exitRefused, []string{"not sealed by a time-stamp", "untrusted"}},
		{"authority of unknown status", []string{"-seal-tsa-anchors", s.anchors}, exitRefused, []string{"not sealed by a time-stamp", "status-unavailable"}},
		{"authority that is not asked about", []string{"-seal-tsa-anchors", s.anchors, "-insecure-skip-seal-revocation"}, exitGood, []string{"time-stamp: 20"}},
	}
}

// A batch is sealed at its end, and its seals are verified together with its lines.
func TestSealBatch(t *testing.T) {
	filings, results, policy := runDemo(t)
	s, other := newSealer(t), newSealer(t)
	manifest, seals := filepath.Join(results, "manifest-0.json"), filepath.Join(results, "manifest-0.seals")
	verify := with(with([]string{"evidence", "verify"}, policy...), "-source", filings)
	audit := []string{"audit"}
	seal := func(args ...string) outcome {
		t.Helper()
		return call(t, with(with([]string{"evidence", "seal"}, args...), results)...)
	}

	for _, command := range [][]string{audit, verify} {
		sealCase{"no seal", nil, exitGood, []string{"manifest"}}.check(t, command, results)
		sealCase{"no seal, and a key", s.byKey(), exitRefused, []string{"not sealed by a key of -seal-key"}}.check(t, command, results)
		sealCase{"no seal, and an authority", s.byTime(), exitRefused, []string{"not sealed by a time-stamp"}}.check(t, command, results)
	}
	for name, refused := range map[string]outcome{
		"digest-mismatch":    seal(with(s.byTime(), "-timestamp", s.token(t, []byte("something else")))...),
		"untrusted":          seal(with(s.byTime(), "-timestamp", other.token(t, readFile(t, manifest)))...),
		"status-unavailable": seal("-seal-tsa-anchors", s.anchors, "-timestamp", s.token(t, readFile(t, manifest))),
	} {
		if refused.code != exitRefused || !strings.Contains(refused.stdout, name) {
			t.Errorf("got %+v, want a token that is refused: %s", refused, name)
		}
	}
	if _, err := os.Stat(seals); err == nil {
		t.Fatal("a seal that was refused has been added")
	}
	if got := seal("-key", s.private); got.code != exitGood || !strings.Contains(got.stdout, "sealed\n") {
		t.Fatalf("got %+v", got)
	}
	if got := seal(with(s.byTime(), "-timestamp", s.token(t, readFile(t, manifest)))...); got.code != exitGood || !strings.Contains(got.stdout, "seals                2") {
		t.Fatalf("got %+v", got)
	}
	for _, test := range s.cases(other) {
		test.check(t, audit, results)
		test.check(t, verify, results)
	}

	whole := readFile(t, manifest)
	spoil := func(path string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range [][]string{audit, verify} {
		spoil(manifest, append(whole, ' '))
		sealCase{"the manifest has changed", s.byKey(), exitRefused, []string{"seal 1 of 2 does not verify"}}.check(t, command, results)
		sealCase{"the manifest has changed", s.byTime(), exitRefused, []string{"digest-mismatch"}}.check(t, command, results)
		spoil(manifest, whole)
		line := readFile(t, seals)
		line[len(line)/2] ^= 1
		spoil(seals, line)
		sealCase{"a seal has changed", nil, exitRefused, []string{"manifest-0.seals is not as it was written", "seal"}}.check(t, command, results)
		line[len(line)/2] ^= 1
		spoil(seals, line)
		sealCase{"restored", s.byKey(), exitGood, nil}.check(t, command, results)
	}
	testSealsMoved(t, filings, results, s)

	seal().checkUsage(t, "want -key or -timestamp")
	seal("-timestamp", manifest).checkUsage(t, "go together")
	seal("-key", s.public).checkUsage(t, "PRIVATE KEY")
	call(t, with(audit, "-seal-crl", s.list, results)...).checkUsage(t, "are for -seal-tsa-anchors")
	call(t, with(with(audit, s.byTime()...), "-insecure-skip-seal-revocation", results)...).checkUsage(t, "contradicts")
}

// testSealsMoved puts the manifest and the seals of one run beside the results of
// another of the same filings, which came to the same.
func testSealsMoved(t *testing.T, filings, results string, s *sealer) {
	t.Helper()
	at := func(name string) string { return filepath.Join(filings, name) }
	policy := []string{"-anchors", at(demoAnchors), "-intermediates", at(demoIntermediates)}
	second := filepath.Join(t.TempDir(), "results")
	args := with(with([]string{"batch"}, policy...), "-crl", at(demoLists), "-line-host", "localhost:8080", "-line-service", "tax",
		"-key", filepath.Join(results, "pseudonym.key"), "-out", second, filings)
	if got := call(t, args...); got.code == exitUsage {
		t.Fatalf("batch: %+v", got)
	}
	move := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(second, name), readFile(t, filepath.Join(results, name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := with(with([]string{"evidence", "verify"}, policy...), "-source", filings)
	move("manifest-0.seals")
	sealCase{"seals of another run", s.byKey(), exitRefused, []string{"seal 1 of 2 does not verify"}}.check(t, verify, second)
	move("manifest-0.json")
	sealCase{"manifest and seals of another run", s.byKey(), exitRefused, []string{"manifest-0.json is not as it was written"}}.check(t, verify, second)
	sealCase{"manifest and seals of another run", s.byKey(), exitRefused, []string{"manifest-0.json is not as it was written"}}.check(t, []string{"audit"}, second)
}

// The seals of a file of evidence are verified with its records.
func TestSealFile(t *testing.T) {
	w := newWorld(t)
	s, other := newSealer(t), newSealer(t)
	name := w.kept(t, exitGood, with(w.trustFlags(t)[1:], writeTemp(t, "filing.p7m", w.attached))...)
	verify := []string{"evidence", "verify", "-anchors", writeTemp(t, "root.cer", w.root)}
	sealCase{"no seal, and an authority", s.byTime(), exitRefused, []string{": not-sealed\n", "not sealed by a time-stamp"}}.check(t, verify, name)

	sealed := func(over func(*evidence.File) []byte) string {
		t.Helper()
		file, err := evidence.Parse(readFile(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := file.SealWith(s.key); err != nil {
			t.Fatal(err)
		}
		file.AddTimestamp(readFile(t, s.token(t, over(file))))
		line, err := file.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return writeTemp(t, "sealed.evidence", line)
	}
	good := sealed((*evidence.File).Bytes)
	for _, test := range s.cases(other) {
		test.check(t, verify, good)
	}
	var out struct {
		Records []struct {
			Seals []struct {
				Verdict   string
				Timestamp *struct{ Time time.Time }
			}
		}
	}
	call(t, with(with(verify, "-json"), with(s.byTime(), good)...)...).decodeJSON(t, &out)
	if found := out.Records[0].Seals; len(found) != 2 || found[0].Verdict != sealNotChecked || found[1].Verdict != "valid" || found[1].Timestamp.Time.IsZero() {
		t.Errorf("got %+v", found)
	}
	bad := sealed(func(*evidence.File) []byte { return []byte("something else") })
	sealCase{"one good seal and a token over something else", with(s.byKey(), s.byTime()...), exitRefused, []string{": not-sealed\n", "digest-mismatch"}}.check(t, verify, bad)
	sealCase{"a token over something else, not checked", s.byKey(), exitGood, []string{"timestamp: -seal-tsa-anchors names no authority"}}.check(t, verify, bad)
}
