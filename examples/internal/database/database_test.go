package database_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/examples/internal/database"
	"github.com/citizencert/citizencert/signin"
)

func open(t *testing.T, path string) *database.Store {
	t.Helper()
	s, err := database.Open(t.Context(), path, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestPairwiseKeyOutlivesRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	var got [2][]byte
	for i := range got {
		s := open(t, path)
		var err error
		if got[i], err = s.PairwiseKey(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(got[0]) != signin.MinPairwiseKey || !bytes.Equal(got[0], got[1]) {
		t.Errorf("got keys of %d and %d bytes, equal: %t; want the same key twice", len(got[0]), len(got[1]), bytes.Equal(got[0], got[1]))
	}
}
