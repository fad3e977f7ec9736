package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/examples/internal/program"
	"github.com/citizencert/citizencert/examples/internal/programtest"
)

// TestOnce walks the road of go run ./examples/tax -once, twice over one file:
// what the first run knows of the citizen, the second still knows.
func TestOnce(t *testing.T) {
	t.Parallel() // it waits for the phone
	db := filepath.Join(t.TempDir(), "a name%20with #odd? characters.db")
	for _, run := range []string{"first", "second"} {
		t.Run(run, func(t *testing.T) {
			var out, log bytes.Buffer
			err := tax.Start(t.Context(), program.Options{Addr: "127.0.0.1:0", DB: db, Once: true}, &out, &log)
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, &out, &log)
			}
			rest := out.String()
			for _, line := range []string{
				"card signed  citizencert:1/dev-signin/127.0.0.1:",
				"sign-in      verified",
				"account      linked",
				"filing       verified",
				"path       王測試 ← (測試用) 內政部憑證管理中心 ← Government Root Certification Authority - G3",
				"good, learned by ",
				"policy     citizencert-strict",
				"judged again from that alone: accepted, as recorded",
				"tampered     refused: digest-mismatch",
				"judged again from that alone: refused, as recorded",
				"sign-in      verified: phone of",
				"account      the one of the card",
				"filing       signed with the phone and verified",
				"judged again from that alone: accepted, as recorded",
				"done",
			} {
				_, after, found := strings.Cut(rest, line)
				if !found {
					t.Fatalf("no line with %q, in this order, in\n%s", line, &out)
				}
				rest = after
			}
			if log.Len() > 0 {
				t.Errorf("got log\n%s\nwant none", &log)
			}
		})
	}
	if _, err := os.Stat(db); err != nil {
		t.Errorf("the database is not where it was asked for: %v", err)
	}
}

func TestStartRefused(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, []byte("not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string]program.Options{
		"address in use": {Addr: busy.Addr().String()},
		"public address": {Addr: "0.0.0.0:0"},
		"no such folder": {Addr: "127.0.0.1:0", DB: filepath.Join(t.TempDir(), "none", "tax.db")},
		"not a database": {Addr: "127.0.0.1:0", DB: text},
	} {
		t.Run(name, func(t *testing.T) {
			opts.Once = true
			var out, log bytes.Buffer
			if err := tax.Start(t.Context(), opts, &out, &log); err == nil {
				t.Errorf("got no error, want one\n%s", &out)
			}
		})
	}
}

// A walk that fails says at which step.
func TestWalkFails(t *testing.T) {
	o := newOffice(t)
	o.World.Register.SetDown(true)
	err := walk(t.Context(), o.Env, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "linking the account") || !strings.Contains(err.Error(), "try again later") {
		t.Errorf("got error %v, want one from linking the account that says what the page says", err)
	}
}

// Ctrl-C ends the service without an error, and the temporary file is gone.
func TestServeUntilStopped(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancel(t.Context())
	var out, log programtest.Buffer
	ended := make(chan error, 1)
	go func() { ended <- tax.Start(ctx, program.Options{Addr: "127.0.0.1:0"}, &out, &log) }()
	address := regexp.MustCompile(`http://[0-9.:]+`)
	for deadline := time.Now().Add(10 * time.Second); !address.MatchString(out.String()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no address within ten seconds; log:\n%s", log.String())
		}
	}
	resp, err := http.Get(address.FindString(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("home: got status %d, want 200", resp.StatusCode)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
