package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// runDemo runs a small batch and returns its filings, its results, and the flags of its
// policy.
func runDemo(t *testing.T, more ...string) (filings, results string, policy []string) {
	t.Helper()
	dir := t.TempDir()
	filings, results = filepath.Join(dir, "filings"), filepath.Join(dir, "results")
	if got := call(t, "demo", "filings", "-n", "40", "-citizens", "3", "-size", "200", filings); got.code != exitGood {
		t.Fatalf("demo: %+v", got)
	}
	at := func(name string) string { return filepath.Join(filings, name) }
	policy = []string{"-anchors", at(demoAnchors), "-intermediates", at(demoIntermediates)}
	args := with([]string{"batch"}, policy...)
	args = with(args, "-crl", at(demoLists), "-line-host", "localhost:8080", "-line-service", "tax", "-out", results)
	if got := call(t, with(with(args, more...), filings)...); got.code == exitUsage {
		t.Fatalf("batch: %+v", got)
	}
	return filings, results, policy
}

// What other processes have kept is looked at where the auditor names it.
func TestAuditStores(t *testing.T) {
	_, results, _ := runDemo(t, "-embedded")
	_, other, _ := runDemo(t)
	kept := filepath.Join(t.TempDir(), "worker.pack")
	if err := os.Rename(filepath.Join(results, "evidence.pack"), kept); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(other, "evidence.pack")
	flipped := func(name string) (path string, at int) {
		data := readFile(t, name)
		at = len(data) / 2
		data[at] ^= 1
		return writeTemp(t, "flipped.pack", data), at
	}
	mangled, at := flipped(kept)
	mangledForeign, _ := flipped(foreign)
	for _, test := range []struct {
		name      string
		stores    []string
		code      int
		want, not string
	}{
		{"none", nil, exitGood, "name the packs of the workers with -store", "damaged"},
		{"all", []string{kept}, exitGood, "the record is as it was written", "not looked at"},
		{"all, and one more", []string{foreign, kept}, exitGood, "the record is as it was written", "not looked at"},
		{"another", []string{foreign}, exitRefused, "results-0.jsonl, line 1 (filing-0000000) is not as it was written: it rests on the ", "is as"},
		{"a byte flipped", []string{foreign, mangled}, exitRefused, mangled + " is not as it was written: evidence: damaged: object with SHA-256 ", "is as"},
		{"a byte of what no result rests on flipped", []string{mangledForeign, kept}, exitRefused, mangledForeign + " is not as it was written", "is as"},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := []string{"audit"}
			for _, store := range test.stores {
				args = with(args, "-store", store)
			}
			got := call(t, with(args, results)...)
			if got.code != test.code || !strings.Contains(got.stdout, test.want) || strings.Contains(got.stdout, test.not) {
				t.Errorf("got %+v, want code %d with %q", got, test.code, test.want)
			}
		})
	}
	var damage damageReport
	call(t, "audit", "-json", "-store", mangled, results).decodeJSON(t, &damage)
	_, after, found := strings.Cut(damage.Message, " at offset ")
	offset, err := strconv.Atoi(strings.SplitN(after, ":", 2)[0])
	if damage.File != mangled || !found || err != nil || offset > at {
		t.Errorf("got %+v, want the offset of an object at byte %d of %s", damage, at, mangled)
	}
	call(t, "audit", "-store", "missing", results).checkUsage(t, "missing")
}
