package main

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/verify/moica"
)

func TestAnchorsCheckReal(t *testing.T) {
	dir := realPKI(t)
	got := call(t, "anchors", "check", "-json", dir)
	var r anchorReport
	got.decodeJSON(t, &r)
	if got.code != exitGood || r.Verdict != "valid" || len(r.Missing) != 0 {
		t.Errorf("got exit code %d: %s", got.code, got.stdout)
	}
	var names []string
	for _, p := range r.Pinned {
		names = append(names, p.Name+" "+p.File)
	}
	if want := []string{"GRCA-G2 GRCA-G2.pem", "GRCA-G3 GRCA-G3.pem", "MOICA-G2 MOICA-G2.pem", "MOICA-G3 MOICA-G3.pem"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	for _, file := range []string{"GRCA-G1.pem", "GRCA-G1-to-G2-link.pem", "MOICA-G1.pem", "MOEACA-G2.pem"} {
		if !slices.ContainsFunc(r.NotPinned, func(f otherFile) bool { return f.File == file && strings.Contains(f.Why, "not pinned") }) {
			t.Errorf("%s is not listed as not pinned", file)
		}
	}
	text := call(t, "anchors", "check", dir).stdout
	if !strings.Contains(text, "not pinned           MOICA-G1.pem") || !strings.HasSuffix(text, "valid\n") {
		t.Errorf("got\n%s", text)
	}
}

// One generation alone is an incomplete folder, and yet one to verify with.
func TestAnchorsCheckRealIncomplete(t *testing.T) {
	from, dir := realPKI(t), t.TempDir()
	for _, name := range []string{"GRCA-G3.pem", "MOICA-G3.pem"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := call(t, "anchors", "check", "-json", dir)
	var r anchorReport
	got.decodeJSON(t, &r)
	if got.code != exitRefused || r.Verdict != "refused" || !slices.Equal(r.Missing, []string{"GRCA-G2", "MOICA-G2"}) {
		t.Errorf("got exit code %d: %s", got.code, got.stdout)
	}
	checkVerdict(t, call(t, "certificate", "-json", "-insecure-skip-revocation", "-anchor-dir", dir, "-profile", "any",
		filepath.Join(from, "MOICA-G3.pem")), "")
}

// The CAs of the look-alike have the same file names and are not pinned.
func TestAnchorsCheckLookAlike(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	names, err := fs.Glob(w.pki.FS(), "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(w.pki.FS(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := call(t, "anchors", "check", "-json", dir)
	var r anchorReport
	got.decodeJSON(t, &r)
	if got.code != exitRefused || len(r.Pinned) != 0 || len(r.Missing) != len(moica.Pins()) || r.Message == "" {
		t.Errorf("got exit code %d: %s", got.code, got.stdout)
	}
	card := writeTemp(t, "card.cer", w.card.Cert.Raw)
	call(t, "certificate", "-json", "-anchor-dir", dir, card).checkUsage(t, "anchors fetch")
}

func TestAnchorsUsage(t *testing.T) {
	file := writeTemp(t, "file", []byte("x"))
	call(t, "anchors").checkUsage(t, "anchors")
	call(t, "anchors", "frobnicate", "dir").checkUsage(t, "anchors frobnicate")
	call(t, "anchors", "check").checkUsage(t, "DIR")
	call(t, "anchors", "check", "-json", file+".missing").checkUsage(t, "no such file")
	call(t, "anchors", "check", file).checkUsage(t, "not a directory")
	call(t, "anchors", "fetch", "-json", file).checkUsage(t, "not a directory")
}

func TestNoAnchors(t *testing.T) {
	w := newWorld(t)
	filing, card := writeTemp(t, "filing.p7m", w.attached), writeTemp(t, "card.cer", w.card.Cert.Raw)
	call(t, "verify", "-json", filing).checkUsage(t, "anchors fetch")
	call(t, "certificate", card).checkUsage(t, "anchors fetch")
	t.Setenv(anchorsVariable, filepath.Join(t.TempDir(), "missing"))
	call(t, "verify", "-json", filing).checkUsage(t, "anchors fetch")
	t.Setenv(anchorsVariable, t.TempDir())
	call(t, "verify", "-json", filing).checkUsage(t, "anchors fetch")
}

// A repository answers requests from the real files, under the names that the
// two government hosts publish them by.
type repository struct{ dir string }

func (r repository) RoundTrip(req *http.Request) (*http.Response, error) {
	res := httptest.NewRecorder()
	name := map[string]string{
		"https://grca.nat.gov.tw/repository/Certs/GRCA2.cer":     "GRCA-G2.pem",
		"https://grca.nat.gov.tw/repository/Certs/GRCAG3.crt":    "GRCA-G3.pem",
		"https://moica.nat.gov.tw/repository/Certs/MOICA2.cer":   "MOICA-G2.pem",
		"https://moica.nat.gov.tw/repository/Certs/MOICA-G3.cer": "MOICA-G3.pem",
	}[req.URL.String()]
	http.ServeFileFS(res, req, os.DirFS(r.dir), name)
	return res.Result(), nil
}

func TestAnchorsFetch(t *testing.T) {
	original := http.DefaultTransport
	defer func() { http.DefaultTransport = original }()
	dir := filepath.Join(t.TempDir(), "anchors")

	http.DefaultTransport = repository{t.TempDir()}
	got := call(t, "anchors", "fetch", "-json", dir)
	var r anchorReport
	if got.decodeJSON(t, &r); got.code != exitRefused || r.Message == "" {
		t.Errorf("empty repository: got exit code %d: %s", got.code, got.stdout)
	}

	http.DefaultTransport = repository{realPKI(t)}
	for _, args := range [][]string{{"anchors", "fetch", dir}, {"anchors", "check", dir}} {
		if got := call(t, args...); got.code != exitGood || !strings.HasSuffix(got.stdout, "valid\n") {
			t.Errorf("%q: got exit code %d: %s%s", args, got.code, got.stdout, got.stderr)
		}
	}
}
