package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify/evidence"
)

// kept verifies a filing, keeps its evidence and returns the file.
func (w *world) kept(t *testing.T, want int, args ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "filing.evidence")
	got := call(t, append([]string{"verify", "-json", "-evidence", name}, args...)...)
	if got.code != want {
		t.Fatalf("got exit code %d, want %d: %s%s", got.code, want, got.stdout, got.stderr)
	}
	return name
}

func TestEvidence(t *testing.T) {
	w := newWorld(t)
	full, path := w.trustFlags(t), w.pathFlags(t)
	attached, detached := writeTemp(t, "filing.p7m", w.attached), writeTemp(t, "filing.p7s", w.detached)
	document, other := writeTemp(t, "filing.txt", w.document), writeTemp(t, "other.txt", []byte("另一份"))
	root := writeTemp(t, "root.cer", w.root)
	good := w.kept(t, exitGood, with(full[1:], attached)...)
	apart := w.kept(t, exitGood, with(full[1:], "-content", document, detached)...)
	refused := w.kept(t, exitRefused, with(path[1:], attached)...)
	joined := writeTemp(t, "joined", joinFiles(t, good, refused))
	damaged := writeTemp(t, "damaged", bytes.Replace(readFile(t, good), []byte("MII"), []byte("MIJ"), 1))

	for _, test := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"as recorded", []string{good}, exitGood, []string{": as recorded: accepted\n"}},
		{"refused, as recorded", []string{refused}, exitGood, []string{": as recorded: refused\n", "status-unavailable"}},
		{"several", []string{good, refused, joined}, exitGood, []string{"joined:2: as recorded: refused"}},
		{"by digest", []string{apart}, exitGood, []string{"recorded digest was compared"}},
		{"with its content", []string{"-content", document, apart}, exitGood, []string{": as recorded: accepted\n"}},
		{"with other content", []string{"-content", other, apart}, exitRefused, []string{"it was accepted, and is refused", "reason: recorded none, now digest-mismatch"}},
		{"another policy, that agrees", []string{"-algorithms", "nist-sp800-57", good}, exitGood, []string{"policy: recorded citizencert-strict 2026.1, now nist-sp800-57"}},
		{"another profile", []string{"-profile", "moica-encryption", good}, exitRefused, []string{"check that refused: recorded none, now profile"}},
		{"another environment", []string{"-environment", "test", good}, exitRefused, []string{"now environment"}},
		{"damaged", []string{good, damaged}, exitRefused, []string{": as recorded: accepted\n", ": damaged\n", "signed-data with SHA-256"}},
		{"garbage", []string{document}, exitRefused, []string{": damaged\n"}},
		{"not sealed", []string{"-seal-key", root, good}, exitRefused, []string{": not-sealed\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := append([]string{"evidence", "verify", "-anchors", root}, test.args...)
			if test.name == "not sealed" {
				args[5] = writeTemp(t, "root.pem", encodePEM("CERTIFICATE", w.root))
			}
			got := call(t, args...)
			if got.code != test.code {
				t.Errorf("got exit code %d, want %d", got.code, test.code)
			}
			for _, text := range test.want {
				if !strings.Contains(got.stdout, text) {
					t.Errorf("got %s%s, want %q in it", got.stdout, got.stderr, text)
				}
			}
			var out rejudged
			call(t, append([]string{"evidence", "verify", "-json"}, args[2:]...)...).decodeJSON(t, &out)
			if (out.Verdict == "valid") != (test.code == exitGood) || len(out.Records) == 0 {
				t.Errorf("got %+v", out)
			}
		})
	}

	otherRoot := call(t, "evidence", "verify", "-anchors", writeTemp(t, "g2.cer", w.otherRoot), good)
	if otherRoot.code != exitRefused || !strings.Contains(otherRoot.stdout, "now untrusted") {
		t.Errorf("under another root: got %+v", otherRoot)
	}
	call(t, "evidence", "verify", good).checkUsage(t, "anchors fetch")
	call(t, "evidence", "verify", "-anchors", root, "missing").checkUsage(t, "missing")
	call(t, "evidence", "verify", "-anchors", root, "-store", "missing", good).checkUsage(t, "missing")
	call(t, "evidence", "verify", "-anchors", root, "-algorithms", "lenient", good).checkUsage(t, "historical=")
	call(t, "evidence", "verify", "-anchors", root, "-content", document, good, apart).checkUsage(t, "one record")
	call(t, append([]string{"verify", "-evidence", good}, with(full[1:], attached)...)...).checkUsage(t, "exists")
}

func TestEvidenceShow(t *testing.T) {
	w := newWorld(t)
	good := w.kept(t, exitGood, with(w.trustFlags(t)[1:], writeTemp(t, "filing.p7m", w.attached))...)
	got := call(t, "evidence", "show", good)
	for _, text := range []string{": accepted\n", cardSubject, "signed-data", "crl", "inside", "citizencert-strict 2026.1", "(now)"} {
		if got.code != exitGood || !strings.Contains(got.stdout, text) {
			t.Errorf("got exit code %d and %s, want %q in it", got.code, got.stdout, text)
		}
	}
	var out shown
	asJSON := call(t, "evidence", "show", "-json", good)
	asJSON.decodeJSON(t, &out)
	if len(out.Records) != 1 || len(out.Records[0].Record.Objects) < 5 || strings.Contains(asJSON.stdout, `"data"`) {
		t.Errorf("got %s", asJSON.stdout)
	}
	damaged := call(t, "evidence", "show", writeTemp(t, "damaged", readFile(t, good)[:100]))
	if damaged.code != exitRefused || !strings.Contains(damaged.stdout, "damaged") {
		t.Errorf("damaged: got %+v", damaged)
	}
}

// Records that refer to a pack or a folder need it, and say what of it is damaged.
func TestEvidenceStore(t *testing.T) {
	w := newWorld(t)
	root := writeTemp(t, "root.cer", w.root)
	file, err := evidence.Parse(readFile(t, w.kept(t, exitGood, with(w.trustFlags(t)[1:], writeTemp(t, "filing.p7m", w.attached))...)))
	if err != nil {
		t.Fatal(err)
	}
	folder := evidence.Dir(t.TempDir())
	packName := filepath.Join(t.TempDir(), "objects.pack")
	pack, err := evidence.OpenPack(packName)
	if err != nil {
		t.Fatal(err)
	}
	rec := *file.Record
	rec.Objects = nil
	for _, o := range file.Record.Objects {
		if o.Kind != evidence.KindSignedData {
			for _, s := range []evidence.Store{folder, pack} {
				if err := s.Put(t.Context(), o.SHA256, o.Data); err != nil {
					t.Fatal(err)
				}
			}
			o.Data = nil
		}
		rec.Objects = append(rec.Objects, o)
	}
	pack.Close()
	// Two processes that have judged for one batch have a part each.
	one, other := evidence.Dir(t.TempDir()), evidence.Dir(t.TempDir())
	for i, o := range file.Record.Objects {
		if err := []evidence.Store{one, other}[i%2].Put(t.Context(), o.SHA256, o.Data); err != nil {
			t.Fatal(err)
		}
	}
	if file, err = evidence.NewFile(&rec); err != nil {
		t.Fatal(err)
	}
	line, err := file.Encode()
	if err != nil {
		t.Fatal(err)
	}
	name := writeTemp(t, "filing.evidence", line)
	for _, store := range []string{string(folder), packName} {
		if got := call(t, "evidence", "verify", "-anchors", root, "-store", store, name); got.code != exitGood {
			t.Errorf("with %s: got %+v", filepath.Base(store), got)
		}
	}
	if got := call(t, "evidence", "verify", "-anchors", root, "-store", string(one), "-store", string(other), name); got.code != exitGood {
		t.Errorf("with two stores: got %+v", got)
	}
	if got := call(t, "evidence", "verify", "-anchors", root, "-store", string(one), name); got.code != exitRefused || !strings.Contains(got.stdout, "incomplete") {
		t.Errorf("with one of two stores: got %+v", got)
	}
	got := call(t, "evidence", "verify", "-anchors", root, name)
	if got.code != exitRefused || !strings.Contains(got.stdout, "incomplete") || !strings.Contains(got.stdout, "neither in the record nor at hand") {
		t.Errorf("without a store: got %+v", got)
	}
	data := readFile(t, packName)
	data[len(data)-10] ^= 1
	got = call(t, "evidence", "verify", "-anchors", root, "-store", writeTemp(t, "changed.pack", data), name)
	last := rec.Objects[len(rec.Objects)-1].SHA256.String()
	if got.code != exitRefused || !strings.Contains(got.stdout, last) {
		t.Errorf("with a byte of the pack changed: got %+v, want object %s named", got, last)
	}
}

// A seal is checked against the key that the operator names.
func TestEvidenceSeal(t *testing.T) {
	w := newWorld(t)
	name := w.kept(t, exitGood, with(w.trustFlags(t)[1:], writeTemp(t, "filing.p7m", w.attached))...)
	file, err := evidence.Parse(readFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	service, err := w.pki.G2.MOICA.Issue(pkitest.Template{})
	if err != nil {
		t.Fatal(err)
	}
	if err := file.SealWith(service.Key); err != nil {
		t.Fatal(err)
	}
	line, err := file.Encode()
	if err != nil {
		t.Fatal(err)
	}
	sealed := writeTemp(t, "sealed", line)
	spki, err := x509.MarshalPKIXPublicKey(service.Cert.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"evidence", "verify", "-anchors", writeTemp(t, "root.cer", w.root), "-seal-key"}
	for what, key := range map[string][]byte{
		"key":         pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}),
		"certificate": encodePEM("CERTIFICATE", service.Cert.Raw),
	} {
		if got := call(t, with(args, writeTemp(t, "key.pem", key), sealed)...); got.code != exitGood {
			t.Errorf("%s: got %+v", what, got)
		}
	}
	if got := call(t, with(args, writeTemp(t, "key.pem", encodePEM("CERTIFICATE", w.moica)), sealed)...); got.code != exitRefused {
		t.Errorf("another key: got %+v", got)
	}
	call(t, with(args, sealed, sealed)...).checkUsage(t, "PEM")
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func joinFiles(t *testing.T, names ...string) (all []byte) {
	t.Helper()
	for _, name := range names {
		all = append(all, readFile(t, name)...)
	}
	return all
}
