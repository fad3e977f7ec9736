package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A batch from the filings to the audit, as an operator goes about it.
func TestBatch(t *testing.T) {
	dir := t.TempDir()
	filings, results := filepath.Join(dir, "filings"), filepath.Join(dir, "results")
	if got := call(t, "demo", "filings", "-n", "600", "-citizens", "9", "-size", "200", filings); got.code != exitGood {
		t.Fatalf("demo: %+v", got)
	}
	if got := call(t, "demo", "filings", filings); got.code != exitUsage {
		t.Errorf("demo over filings that are there: %+v", got)
	}
	at := func(name string) string { return filepath.Join(filings, name) }
	flags := []string{"batch", "-json", "-anchors", at(demoAnchors), "-intermediates", at(demoIntermediates), "-crl", at(demoLists),
		"-line-host", "localhost:8080", "-line-service", "tax", "-out", results}
	got := call(t, append(flags, filings)...)
	var report struct {
		Manifest string
		Page     string
		Summary  struct {
			Filings int64
			Reasons map[string]int64
		}
	}
	got.decodeJSON(t, &report)
	if got.code != exitRefused || report.Summary.Filings != 600 {
		t.Fatalf("batch: %+v", got)
	}
	checkProgress(t, got.stderr)
	checkExpected(t, 600, at(demoExpected), filepath.Join(results, "results-0.jsonl"))

	page, err := os.ReadFile(report.Page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{report.Manifest, "簽章驗證報告", "Verification report", "<svg", "憑證已廢止", "has been revoked"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, not := range []string{"<script", "http://", "https://", "測試 "} {
		if bytes.Contains(page, []byte(not)) {
			t.Errorf("the page has %q", not)
		}
	}

	again := call(t, append(flags, "-resume", filings)...)
	if again.code != exitRefused || !strings.Contains(again.stdout, report.Manifest) {
		t.Errorf("running again has changed something: %+v", again)
	}
	if got := call(t, "audit", results); got.code != exitGood || !strings.Contains(got.stdout, report.Manifest) {
		t.Errorf("audit: %+v", got)
	}
	checkRejudged(t, filings, results)

	// With a queue in the process, the results are the same.
	spread := filepath.Join(dir, "spread")
	if got := call(t, append(append(flags, "-key", filepath.Join(results, "pseudonym.key"), "-embedded", "-out", spread), filings)...); got.code != exitRefused {
		t.Errorf("batch -embedded: %+v", got)
	}
	checkExpected(t, 600, at(demoExpected), filepath.Join(spread, "results-0.jsonl"))
	if got := call(t, "evidence", "verify", "-json", "-anchors", at(demoAnchors), "-intermediates", at(demoIntermediates), "-source", filings, spread); got.code != exitGood {
		t.Errorf("evidence verify: %+v", got)
	}

	path := filepath.Join(results, "results-0.jsonl")
	lines, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines[len(lines)/2] ^= 1
	if err := os.WriteFile(path, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := call(t, "audit", "-json", results); got.code != exitRefused || !strings.Contains(got.stdout, `"record":"damaged"`) {
		t.Errorf("audit of a damaged record: %+v", got)
	}
}

// checkRejudged judges the lines again: all of them, one, under another policy, without
// the filings, and with damage in what is kept.
func checkRejudged(t *testing.T, filings, results string) {
	t.Helper()
	flags := []string{"evidence", "verify", "-json", "-anchors", filepath.Join(filings, demoAnchors), "-intermediates", filepath.Join(filings, demoIntermediates)}
	type rejudged struct {
		Verdict                              string
		Lines, AsRecorded, NotJudged, Others int64
		Records                              []rejudgedRecord
		Store                                []string
	}
	again := func(want int, more ...string) (out rejudged) {
		t.Helper()
		got := call(t, append(append(flags, more...), results)...)
		got.decodeJSON(t, &out)
		if got.code != want {
			t.Errorf("%v: got code %d, want %d: %.500s", more, got.code, want, got.stdout)
		}
		return out
	}
	all := again(exitGood, "-source", filings)
	if all.Lines != 600 || all.AsRecorded+all.NotJudged != 600 || all.NotJudged == 0 || len(all.Records) != 0 {
		t.Errorf("got %+v", all)
	}
	one := again(exitGood, "-source", filings, "-item", "filing-0000003")
	if len(one.Records) != 1 || one.Lines != 1 || one.Records[0].SHA256 == "" {
		t.Errorf("got %+v", one)
	}
	if got := again(exitRefused); got.Others != all.AsRecorded || got.Records[0].Verdict != "incomplete" {
		t.Errorf("without the filings: got %+v", got.Verdict)
	}
	call(t, append(flags, "-item", "nobody", results)...).checkUsage(t, "no filing")
	call(t, append(flags, "-content", "x", results)...).checkUsage(t, "-source")
	call(t, append(flags, "-source", filings, filepath.Join(filings, demoAnchors))...).checkUsage(t, "the folder of a batch")

	pack := filepath.Join(results, "evidence.pack")
	data, err := os.ReadFile(pack)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(pack, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := again(exitRefused, "-source", filings); len(got.Store) != 1 || !strings.Contains(got.Store[0], "SHA-256") {
		t.Errorf("a damaged pack: got %+v", got.Store)
	}
	if got := call(t, "audit", "-json", results); got.code != exitRefused || !strings.Contains(got.stdout, "evidence.pack") {
		t.Errorf("audit of a damaged pack: %+v", got)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(pack, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkProgress checks that each line is an object that tells how far it has come.
func checkProgress(t *testing.T, stderr string) {
	t.Helper()
	var last struct{ Place, Total int64 }
	for line := range strings.Lines(stderr) {
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Errorf("progress %q: %v", line, err)
		}
	}
	if last.Place != 600 || last.Total != 600 {
		t.Errorf("progress ends at %d of %d, want 600", last.Place, last.Total)
	}
}

// checkExpected checks that the results, so many, are those that were expected, line by
// line.
func checkExpected(t *testing.T, filings int, expected, results string) {
	t.Helper()
	want, err := os.ReadFile(expected)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	type line struct{ Item, Reason string }
	decoder := json.NewDecoder(bytes.NewReader(got))
	n := 0
	for text := range bytes.Lines(want) {
		var a, b line
		if err := json.Unmarshal(text, &a); err != nil {
			t.Fatal(err)
		}
		if err := decoder.Decode(&b); err != nil || a != b {
			t.Errorf("got %+v, want %+v: %v", b, a, err)
		}
		n++
	}
	if n != filings || decoder.More() {
		t.Errorf("expected are %d results, want %d and no more", n, filings)
	}
}

func TestBatchUsage(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"-out is required":   {dir},
		"the source says":    {"-out", dir, "-at", "2026-05-31T15:59:59Z", dir},
		"-explain":           {"-out", dir, "-explain", dir},
		"-ocsp":              {"-out", dir, "-ocsp", "x", dir},
		"-workers":           {"-out", dir, "-workers", "-1", dir},
		"anchors fetch":      {"-out", dir, dir},
		"no such file":       {"-out", dir, "-anchors", filepath.Join(dir, "none"), dir},
		"got 0 arguments":    {"-out", dir},
		"PseudonymKey has 5": {"-out", dir, "-key", writeTemp(t, "key", []byte("short")), "-anchors", writeTemp(t, "root.pem", encodePEM("CERTIFICATE", newWorld(t).root)), writeSource(t)},
	} {
		call(t, append([]string{"batch"}, args...)...).checkUsage(t, want)
	}
	for want, args := range map[string][]string{
		"-nats is required":    {"batch-worker", dir},
		"-key is required":     {"batch-worker", "-nats", "nats://127.0.0.1:1", dir},
		"-embedded contradict": {"batch", "-out", dir, "-embedded", "-nats", "nats://127.0.0.1:1", dir},
		"-nats-credentials":    {"batch", "-out", dir, "-nats-credentials", "x", dir},
	} {
		call(t, args...).checkUsage(t, want)
	}
	call(t, "demo", "filings", "-n", "0", dir).checkUsage(t, "-n and -size")
	call(t, "audit", dir).checkUsage(t, "batch.json")
}

// writeSource writes a folder with an empty manifest.
func writeSource(t *testing.T) string {
	t.Helper()
	return filepath.Dir(writeTemp(t, "manifest.jsonl", nil))
}
