package database_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
)

// What was put is there for the next process, once.
func TestChallenges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	first, second := open(t, path).Challenges(), open(t, path).Challenges()
	put := func(key string, life time.Duration) {
		t.Helper()
		if err := first.Put(t.Context(), key, []byte(key), time.Now().Add(life)); err != nil {
			t.Fatal(err)
		}
	}
	put("over", -time.Minute)
	put("live", time.Minute)
	put("live", time.Minute) // what was taken is put back
	if value, err := second.Take(t.Context(), "live"); err != nil || string(value) != "live" {
		t.Errorf("got %q, %v", value, err)
	}
	for _, key := range []string{"live", "over", "none"} {
		if value, err := first.Take(t.Context(), key); err != signin.ErrNotFound {
			t.Errorf("%s: got %q, %v; want ErrNotFound", key, value, err)
		}
	}
}
