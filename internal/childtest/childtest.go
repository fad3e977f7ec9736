// Package childtest has a test binary do jobs in processes of its own, which can be
// killed, or measured without what other tests have left behind.
//
// A package whose tests have jobs calls Main from TestMain. A job is any type that JSON
// carries, the same one for the whole package.
package childtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// variable holds the job of a process. A process without one runs the tests.
const variable = "CITIZENCERT_TEST_JOB"

// Main runs the tests, or the job for which this process has been started.
func Main[Job any](m *testing.M, run func(Job) error) {
	text := os.Getenv(variable)
	if text == "" {
		os.Exit(m.Run())
	}
	go func() {
		io.Copy(io.Discard, os.Stdin) // until the process of the tests has ended
		os.Exit(1)
	}()
	var job Job
	err := json.Unmarshal([]byte(text), &job)
	if err == nil {
		err = run(job)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Command returns a process with a job, which has not started yet.
func Command(t testing.TB, job any) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), variable+"="+string(text))
	if _, err := cmd.StdinPipe(); err != nil { // nothing is written: it ends with this process
		t.Fatal(err)
	}
	return cmd
}

// Start starts a process and waits for the line in which it says that it has begun. It
// lives until it is killed or the test ends.
func Start(t testing.TB, job any) (process *exec.Cmd, said string) {
	t.Helper()
	process, out := start(t, job)
	said, err := out.ReadString('\n')
	if err != nil {
		t.Fatalf("the process has not begun: %v", err)
	}
	return process, strings.TrimSpace(said)
}

// KillAt starts a process that counts on its standard output, a number a line, and kills
// it when it is at n. It returns the last number that was read.
func KillAt(t testing.TB, job any, n int) (reached int) {
	t.Helper()
	process, out := start(t, job)
	defer Kill(process)
	for reached = -1; reached < n; {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatalf("the process ended at %d, want it killed at %d: %v", reached, n, err)
		}
		if reached, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
			t.Fatalf("the process says %q, want a number", line)
		}
	}
	return reached
}

func start(t testing.TB, job any) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	process := Command(t, job)
	process.Stderr = os.Stderr
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Kill(process) })
	return process, bufio.NewReader(out)
}

// Kill kills a process, if it is alive, and waits for its end.
func Kill(process *exec.Cmd) {
	process.Process.Kill()
	process.Wait()
}

// PeakMemory returns the most resident memory that this process has had, in bytes. It
// is VmHWM of Linux: the rusage of a process begins with its parent's.
func PeakMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int64
	if _, err := fmt.Sscan(after, &kilobytes); err != nil {
		return 0, fmt.Errorf("no VmHWM in /proc/self/status: %w", err)
	}
	return kilobytes << 10, nil
}
