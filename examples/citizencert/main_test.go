package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
)

// asProgram has the test binary be the program itself.
const asProgram = "CITIZENCERT_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Unsetenv(anchorsVariable) // the tests say which anchors they mean
	code := m.Run()
	if shared.pki != nil {
		shared.pki.Close()
	}
	os.Exit(code)
}

// An outcome is what one call of the program left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// call runs the program in this process.
func call(t *testing.T, args ...string) outcome {
	t.Helper()
	return callWith(t, "", args...)
}

func callWith(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// execute runs the program in a process of its own.
func execute(t *testing.T, dir, stdin string, args ...string) outcome {
	t.Helper()
	return launch(t.Context(), t, dir, stdin, args...)()
}

// launch starts the program in a process of its own, and returns what waits for its end.
// It is killed when ctx ends.
func launch(ctx context.Context, t *testing.T, dir, stdin string, args ...string) (wait func() outcome) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() outcome {
		cmd.Wait() // what came of it is in its state
		return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	}
}

// decodeJSON reads the one object on standard output.
func (o outcome) decodeJSON(t *testing.T, out any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(o.stdout))
	if err := dec.Decode(out); err != nil {
		t.Fatalf("standard output is not a JSON object: %v\n%s%s", err, o.stdout, o.stderr)
	}
	if dec.More() {
		t.Fatalf("standard output has more than one JSON object:\n%s", o.stdout)
	}
}

// checkUsage checks that there is no verdict, and one line that says why.
func (o outcome) checkUsage(t *testing.T, want string) {
	t.Helper()
	if o.code != exitUsage || o.stdout != "" {
		t.Errorf("got exit code %d and %q on standard output, want %d and nothing", o.code, o.stdout, exitUsage)
	}
	if !strings.Contains(o.stderr, want) || strings.Count(o.stderr, "\n") != 1 {
		t.Errorf("got %q on standard error, want one line with %q", o.stderr, want)
	}
}

// writeTemp writes a file into a folder of the test's and returns its name.
func writeTemp(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func encodePEM(label string, objects ...[]byte) []byte {
	var text []byte
	for _, object := range objects {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: object})...)
	}
	return text
}

// A world is a PKI with a citizen who has signed a document, and the files that
// an operator has of it.
type world struct {
	pki      *pkitest.PKI
	card     *pkitest.Card
	document []byte

	root, moica, otherRoot []byte // certificates
	attached, detached     []byte // SignedData
	rootCRL, moicaCRL      []byte
	cardOCSP               []byte
}

var shared struct {
	once sync.Once
	pki  *pkitest.PKI
	w    *world
	err  error
}

// newWorld returns the one world that tests share. They revoke nothing in it.
func newWorld(t testing.TB) *world {
	t.Helper()
	shared.once.Do(func() { shared.err = makeWorld() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.w
}

func makeWorld() (err error) {
	if shared.pki, err = pkitest.New(pkitest.Config{}); err != nil {
		return err
	}
	g := shared.pki.G3
	w := &world{
		pki: shared.pki, document: []byte("申報書"),
		root: g.Root.Cert.Raw, moica: g.MOICA.Cert.Raw, otherRoot: shared.pki.G2.Root.Cert.Raw,
	}
	if w.card, err = g.IssueCard(pkitest.Person{Name: "王測試", Number: "0000000012345678", LastFour: "6789"}); err != nil {
		return err
	}
	if w.attached, err = w.card.SignPKCS7(w.document, nil); err != nil {
		return err
	}
	if w.detached, err = w.card.SignPKCS7(w.document, &pkitest.CMSOptions{Detached: true}); err != nil {
		return err
	}
	if w.rootCRL, err = g.Root.CRL(pkitest.CRLOptions{}); err != nil {
		return err
	}
	if w.moicaCRL, err = g.MOICA.CRL(pkitest.CRLOptions{}); err != nil {
		return err
	}
	w.cardOCSP, err = g.MOICA.OCSP(w.card.Cert, pkitest.OCSPOptions{})
	shared.w = w
	return err
}

// trustFlags are the flags for the world's root, its CA and its lists.
func (w *world) trustFlags(t *testing.T) []string {
	t.Helper()
	return append(w.pathFlags(t),
		"-crl", writeTemp(t, "root.crl", w.rootCRL),
		"-crl", writeTemp(t, "moica.crl", w.moicaCRL))
}

// pathFlags leave out the evidence.
func (w *world) pathFlags(t *testing.T) []string {
	t.Helper()
	return []string{"-json",
		"-anchors", writeTemp(t, "root.pem", encodePEM("CERTIFICATE", w.root)),
		"-intermediates", writeTemp(t, "moica.cer", w.moica)}
}
