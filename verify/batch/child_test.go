package batch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/moica"
)

// childJob has the test binary run a batch in a process of its own, which can be
// killed. Its value is a job in JSON.
const childJob = "CITIZENCERT_TEST_BATCH_JOB"

// A job is what the child is to do. The policy is in a folder: pins.json, the
// certificates, and *.crl.
type job struct {
	Source, Out, Policy string
	Resume              bool
	FileSize            uint64 // limit of the size of files, in bytes; 0: none
	Repeat              int    // judge the source's filings over and over until there have been so many, without a record
	Workers             int
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childJob); text != "" {
		var j job
		err := json.Unmarshal([]byte(text), &j)
		if err == nil {
			err = j.run()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// savePolicy writes what the child needs to judge as the world does.
func (w *world) savePolicy(t testing.TB, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, w.pki.FS()); err != nil {
		t.Fatal(err)
	}
	pins, err := json.Marshal(w.pki.Pins())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "pins.json"), pins)
	for _, ca := range []*pkitest.CA{w.pki.G2.Root, w.pki.G3.Root, w.pki.G2.MOICA, w.pki.G3.MOICA} {
		list, err := ca.CRL(pkitest.CRLOptions{})
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, ca.Name+".crl"), list)
	}
}

// loadPolicy is the other half.
func loadPolicy(dir string) (batch.Config, error) {
	var pins []moica.Pin
	text, err := os.ReadFile(filepath.Join(dir, "pins.json"))
	if err == nil {
		err = json.Unmarshal(text, &pins)
	}
	if err != nil {
		return batch.Config{}, err
	}
	anchors, err := moica.LoadTestAnchors(os.DirFS(dir), pins...)
	if err != nil {
		return batch.Config{}, err
	}
	store, err := crl.New(crl.Config{Offline: true})
	if err != nil {
		return batch.Config{}, err
	}
	lists, err := fs.Glob(os.DirFS(dir), "*.crl")
	if err != nil {
		return batch.Config{}, err
	}
	for _, name := range lists {
		list, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = store.Add(list, "")
		}
		if err != nil {
			return batch.Config{}, err
		}
	}
	return batch.Config{
		Verify:       verify.Config{Scheme: moica.Test(anchors, "127.0.0.1"), Status: []verify.StatusSource{store}},
		PseudonymKey: pseudonymKey, Host: host, Service: service, Checkpoint: 5 * time.Millisecond,
	}, nil
}

func (j *job) run() error {
	if j.FileSize > 0 {
		signal.Ignore(syscall.SIGXFSZ) // then writing fails, as it does on a disk that is full
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: j.FileSize, Max: j.FileSize}); err != nil {
			return err
		}
	}
	cfg, err := loadPolicy(j.Policy)
	if err != nil {
		return err
	}
	cfg.Workers = j.Workers
	runner, err := batch.New(cfg)
	if err != nil {
		return err
	}
	src, err := batch.Open(j.Source)
	if err != nil {
		return err
	}
	defer src.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if j.Repeat > 0 {
		return j.runRepeated(ctx, runner, src)
	}
	_, err = runner.Run(ctx, j.Out, src, batch.RunOptions{Resume: j.Resume})
	return err
}

// start starts a child. Its output goes to that of the test.
func (j job) start(t testing.TB) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childJob+"="+string(text))
	return cmd
}
