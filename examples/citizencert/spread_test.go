package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/contrib/nats"
)

// A batch of three processes and a server: one that records and two that judge, each
// with evidence of its own, from which all of it is judged again.
func TestBatchWorkers(t *testing.T) {
	dir := t.TempDir()
	filings, results := filepath.Join(dir, "filings"), filepath.Join(dir, "results")
	if got := call(t, "demo", "filings", "-n", "600", "-citizens", "9", "-size", "200", filings); got.code != exitGood {
		t.Fatalf("demo: %+v", got)
	}
	at := func(name string) string { return filepath.Join(filings, name) }
	const total = 7 * 600 // five shards
	repeatLines(t, at("manifest.jsonl"), "id", 7)
	repeatLines(t, at(demoExpected), "item", 7)

	const token = "0123456789abcdef0123456789abcdef"
	server, err := nats.StartServer(nats.ServerConfig{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	anchors := []string{"-json", "-anchors", at(demoAnchors), "-intermediates", at(demoIntermediates)}
	policy := with(anchors, "-crl", at(demoLists), "-line-host", "localhost:8080", "-line-service", "tax",
		"-key", writeTemp(t, "pseudonym.key", bytes.Repeat([]byte{7}, 32)),
		"-nats", strings.Replace(server.URL(), "://", "://"+token+"@", 1))

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // should one of them wait for ever
	defer cancel()
	packs := []string{filepath.Join(dir, "first.pack"), filepath.Join(dir, "second.pack")}
	var workers []func() outcome
	for _, pack := range packs {
		workers = append(workers, launch(ctx, t, dir, "", with([]string{"batch-worker"}, with(policy, "-workers", "1", "-evidence", pack, filings)...)...))
	}
	record := launch(ctx, t, dir, "", with([]string{"batch"}, with(policy, "-out", results, filings)...)...)
	if got := record(); got.code != exitRefused {
		t.Fatalf("batch: %+v", got)
	}
	judged := int64(0)
	for _, wait := range workers {
		got := wait()
		var worked nats.Worked
		got.decodeJSON(t, &worked)
		if got.code != exitGood || worked.Failed > 0 {
			t.Errorf("batch-worker: %+v", got)
		}
		judged += worked.Filings
	}
	if judged < total { // more, if a shard was judged by both
		t.Errorf("the workers have judged %d filings, want %d", judged, total)
	}
	checkExpected(t, total, at(demoExpected), filepath.Join(results, "results-0.jsonl"))
	if got := call(t, "audit", results); got.code != exitGood {
		t.Errorf("audit: %+v", got)
	}

	again := with([]string{"evidence", "verify"}, with(anchors, "-source", filings)...)
	var all rejudgedBatch
	got := call(t, with(again, "-store", packs[0], "-store", packs[1], results)...)
	got.decodeJSON(t, &all)
	if got.code != exitGood || all.Lines != total || all.AsRecorded == 0 || all.AsRecorded+all.NotJudged != total || len(all.Store) > 0 {
		t.Errorf("evidence verify: %d, %.500s", got.code, got.stdout)
	}
	if got := call(t, with(again, results)...); got.code != exitRefused || !strings.Contains(got.stdout, `"incomplete"`) {
		t.Errorf("evidence verify without what the workers kept: %d, %.500s", got.code, got.stdout)
	}
}

// repeatLines repeats the objects of a file so many times, each under a name of its
// own.
func repeatLines(t *testing.T, path, name string, times int) {
	t.Helper()
	once, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	to := json.NewEncoder(&all)
	for n := range times {
		for line := range bytes.Lines(once) {
			var object map[string]any
			if err := json.Unmarshal(line, &object); err != nil {
				t.Fatal(err)
			}
			object[name] = fmt.Sprintf("%v-%d", object[name], n)
			if err := to.Encode(object); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(path, all.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
