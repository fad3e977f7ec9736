package crl_test

import (
	"bufio"
	"crypto/x509"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// killedDir, in the environment, makes TestKilled the process that is killed.
const killedDir = "CITIZENCERT_TEST_KILLED_DIR"

// editions is how many lists a process writes before it is at the end.
const editions = 60

// A feed is a folder in which every list is one number further.
type feed struct {
	dir  string
	next int
}

func (f *feed) Open(string) (fs.File, error) {
	return os.Open(filepath.Join(f.dir, strconv.Itoa(f.next)))
}

// A process that is killed while it writes lists and indexes leaves the newest one
// that it had verified, or a newer one.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(killedDir); dir != "" {
		writeUntilKilled(t, dir)
		return
	}
	w := newWorld(t)
	dir := t.TempDir()
	for i := 1; i <= editions; i++ {
		list := w.list(pkitest.CRLOptions{Partition: true, Number: big.NewInt(int64(i)), ThisUpdate: noon.Add(-time.Hour), Filler: 5000})
		write(t, filepath.Join(dir, strconv.Itoa(i)), list)
		at := noon.Add(time.Duration(i) * time.Second)
		if err := os.Chtimes(filepath.Join(dir, strconv.Itoa(i)), at, at); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "cert"), w.cert.Raw)
	write(t, filepath.Join(dir, "issuer"), w.ca.Cert.Raw)
	for _, after := range []int{1, 2, 3, 5, 8, 13, 21, 34, 55} {
		os.RemoveAll(filepath.Join(dir, "store"))
		reached := killAfter(t, dir, after)
		store := w.store(crl.Config{Dir: filepath.Join(dir, "store"), IndexKey: indexKey, Offline: true})
		number := int64(-1)
		reports, err := store.Status(t.Context(), w.query())
		for _, r := range reports {
			if list, err := crl.Parse(r.DER); err == nil && r.Source == w.ca.URLs.Partition && r.Says == verify.Good {
				number = list.Number.Int64()
			}
		}
		if number < int64(reached) {
			t.Errorf("killed after %d lists: got number %d (%v)", reached, number, err)
		}
		store.Close()
	}
}

// killAfter has a process write lists, and kills it when it has written some. It
// returns how many it has told of.
func killAfter(t *testing.T, dir string, lists int) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$", "-test.count=1")
	cmd.Env = append(os.Environ(), killedDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reached := 0
	for lines := bufio.NewScanner(out); reached < lists && lines.Scan(); {
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			reached = n
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if reached < lists {
		t.Fatalf("the process ended after %d lists, want it killed after %d", reached, lists)
	}
	return reached
}

func writeUntilKilled(t *testing.T, dir string) {
	feed := &feed{dir: dir}
	store, err := crl.New(crl.Config{
		Dir: filepath.Join(dir, "store"), IndexKey: indexKey, Folder: feed, RefreshInterval: -1,
		Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	q := verify.StatusQuery{Cert: read(t, filepath.Join(dir, "cert")), Issuer: read(t, filepath.Join(dir, "issuer"))}
	q.Fresh.CRL = time.Nanosecond // look again each time
	for feed.next = 1; feed.next <= editions; feed.next++ {
		if reports, err := store.Status(t.Context(), q); len(reports) == 0 {
			t.Fatal(err)
		}
		fmt.Println(feed.next)
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
