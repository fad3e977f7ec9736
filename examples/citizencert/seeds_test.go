package main

import (
	"archive/zip"
	"io"
	"path/filepath"
	"testing"
)

// Inputs that have upset other parsers: there is always a verdict, and it is
// never a good one.
func TestConformanceSeeds(t *testing.T) {
	w := newWorld(t)
	archives, err := filepath.Glob(filepath.Join(conformanceDir(t, "fuzz-seeds"), "*.zip"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("got no archives and error %v", err)
	}
	root, moica := writeTemp(t, "root.cer", w.root), writeTemp(t, "moica.cer", w.moica)
	card := writeTemp(t, "card.cer", w.card.Cert.Raw)
	judges := [][]string{
		{"verify", "-json", "-insecure-skip-revocation", "-anchors", root, "-"},
		{"certificate", "-json", "-insecure-skip-revocation", "-anchors", root, "-"},
		{"ocsp", "-json", "-cert", card, "-issuer", moica, "-"},
		{"crl", "-json", "-cert", card, "-issuer", moica, "-"},
	}
	inputs := 0
	for _, name := range archives {
		archive, err := zip.OpenReader(name)
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		for _, f := range archive.File {
			data := readEntryOf(t, f)
			inputs++
			if got := callWith(t, data, "inspect", "-json", "-"); got.code == exitUsage {
				t.Errorf("%s: inspect: %s", f.Name, got.stderr)
			}
			for _, args := range judges {
				if got := callWith(t, data, args...); got.code != exitRefused {
					t.Errorf("%s: %s: got exit code %d: %s%s", f.Name, args[0], got.code, got.stdout, got.stderr)
				}
			}
		}
	}
	t.Logf("%d inputs", inputs)
}

func readEntryOf(t *testing.T, f *zip.File) string {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
