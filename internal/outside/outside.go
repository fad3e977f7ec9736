// Package outside finds what tests use and the module does not have: the public
// suites, the certificates of the national PKIs, and programs. A test that lacks it is
// skipped, for a reason that the gate knows.
package outside

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Conformance returns the path of a file or folder of the public suites, which the
// variable CITIZENCERT_CONFORMANCE points at.
func Conformance(t testing.TB, elements ...string) string {
	t.Helper()
	return below(t, "CITIZENCERT_CONFORMANCE", elements)
}

// RealPKI returns the path of a file among the CA certificates of the national PKIs, or
// of their folder, which the variable CITIZENCERT_REAL_PKI points at.
func RealPKI(t testing.TB, elements ...string) string {
	t.Helper()
	return below(t, "CITIZENCERT_REAL_PKI", elements)
}

func below(t testing.TB, variable string, elements []string) string {
	t.Helper()
	root := os.Getenv(variable)
	if root == "" {
		t.Skip(variable + " is not set")
	}
	return filepath.Join(append([]string{root}, elements...)...)
}

// Read reads a file of the public suites.
func Read(t testing.TB, elements ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(Conformance(t, elements...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// ReadJSON reads a file of the public suites into a value.
func ReadJSON(t testing.TB, value any, elements ...string) {
	t.Helper()
	if err := json.Unmarshal(Read(t, elements...), value); err != nil {
		t.Fatal(err)
	}
}

// Program returns the path of a program. Where the services are required, REQUIRE_SERVICES
// being 1, a test that lacks it fails.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("REQUIRE_SERVICES") == "1" {
		t.Fatal(name + " is not installed")
	}
	if err != nil {
		t.Skip(name + " is not installed")
	}
	return path
}
