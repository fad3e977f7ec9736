package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
)

func deny(t *testing.T, store Store, key string, begunUntil, until time.Time) {
	t.Helper()
	if err := store.Deny(t.Context(), key, begunUntil, until); err != nil {
		t.Fatalf("Deny: %v", err)
	}
}

func wantDenied(t *testing.T, store Store, want bool, begun time.Time, keys ...string) {
	t.Helper()
	if got, err := store.Denied(t.Context(), begun, keys...); err != nil || got != want {
		t.Errorf("Denied(%v, %.20q): got %v, %v, want %v", begun, keys, got, err, want)
	}
}

// second is now, as session tokens have it: to the second.
func (cfg *Config) second() time.Time { return cfg.Now().Truncate(time.Second) }

// A denial is for sessions that began at or before its instant, under one of
// their names, on either connection.
func sessionDenials(t *testing.T, cfg Config) {
	store := cfg.Open(t)
	again := cfg.Again(t, store)
	now := cfg.second()
	session, subject, certificate := "session:"+keyOf(0), "subject:"+keyOf(1), "certificate:"+keyOf(2)
	wantDenied(t, store, false, now, session, subject, certificate)
	deny(t, store, subject, now, now.Add(time.Hour))
	for begun, want := range map[time.Time]bool{
		now: true, now.Add(-time.Second): true, now.Add(-time.Hour): true, now.Add(time.Second): false, now.Add(time.Hour): false,
	} {
		wantDenied(t, again, want, begun, session, subject, certificate)
		wantDenied(t, again, want, begun, subject)
		wantDenied(t, again, want, begun.In(time.FixedZone("CST", 8*3600)), subject)
	}
	wantDenied(t, again, false, now, session, certificate)
	wantDenied(t, again, false, now, "subject:"+keyOf(0), "session:"+keyOf(1))
	wantDenied(t, again, false, now)
	deny(t, again, session, now.Add(time.Minute), now.Add(time.Hour))
	wantDenied(t, store, true, now.Add(time.Minute), session, subject, certificate)
	wantDenied(t, store, false, now.Add(time.Minute), subject, certificate)
}

// Of two denials under one key the later instants hold, in whichever order they
// come.
func sessionLaterHolds(t *testing.T, cfg Config) {
	store := cfg.Open(t)
	now := cfg.second()
	early, late := now.Add(-time.Minute), now.Add(time.Minute)
	soon, long := cfg.Now().Add(life), cfg.Now().Add(time.Hour)
	type denial struct{ begunUntil, until time.Time }
	for i, denials := range [][]denial{
		{{early, long}, {late, soon}},
		{{late, soon}, {early, long}},
		{{late, long}, {early, soon}},
		{{early, soon}, {late, long}},
	} {
		for _, d := range denials {
			deny(t, store, keyOf(i), d.begunUntil, d.until)
		}
	}
	check := func() {
		t.Helper()
		for i := range 4 {
			wantDenied(t, store, true, late, keyOf(i))
			wantDenied(t, store, false, late.Add(time.Second), keyOf(i))
		}
	}
	check()
	cfg.Advance(life + life/2)
	deny(t, store, keyOf(-1), now, cfg.Now().Add(time.Hour)) // has whatever has ended removed
	check()
}

// A denial holds to its end, also while others end.
func sessionDenialExpiry(t *testing.T, cfg Config) {
	store := cfg.Open(t)
	now := cfg.second()
	deny(t, store, keyOf(0), now, cfg.Now().Add(life))
	deny(t, store, keyOf(1), now, cfg.Now().Add(time.Hour))
	cfg.Advance(life / 2)
	wantDenied(t, store, true, now, keyOf(0))
	cfg.Advance(life)
	deny(t, store, keyOf(2), now, cfg.Now().Add(time.Hour))
	wantDenied(t, store, true, now, keyOf(1))
	wantDenied(t, store, true, now, keyOf(2))
}

func sessionDenialsFull(t *testing.T, cfg Config) {
	if cfg.MaxDenials == 0 {
		t.Skip("MaxDenials is not set")
	}
	store := cfg.Open(t)
	now := cfg.second()
	for i := range cfg.MaxDenials {
		deny(t, store, keyOf(i), now, now.Add(time.Hour))
	}
	if err := store.Deny(t.Context(), keyOf(-1), now, now.Add(time.Hour)); !errors.Is(err, signin.ErrStoreFull) {
		t.Errorf("Deny: got %v, want ErrStoreFull", err)
	}
	deny(t, store, keyOf(0), now.Add(time.Minute), now.Add(time.Hour)) // takes no more room
	wantDenied(t, store, true, now.Add(time.Minute), keyOf(0))
	for i := range cfg.MaxDenials {
		wantDenied(t, store, true, now, keyOf(i))
	}
	wantDenied(t, store, false, now, keyOf(-1))
	cfg.Advance(time.Hour)
	deny(t, store, keyOf(-1), now, cfg.Now().Add(time.Hour))
}

// Denials under one key that come at once leave the latest instant.
func sessionDenialsAtOnce(t *testing.T, cfg Config) {
	store := cfg.Open(t)
	again := cfg.Again(t, store)
	now := cfg.second()
	var wg sync.WaitGroup
	for i := range 64 {
		from := store
		if i%2 == 1 {
			from = again
		}
		wg.Go(func() {
			if err := from.Deny(t.Context(), keyOf(0), now.Add(time.Duration(i)*time.Second), now.Add(time.Hour)); err != nil {
				t.Errorf("Deny: %v", err)
			}
		})
	}
	wg.Wait()
	wantDenied(t, store, true, now.Add(63*time.Second), keyOf(0))
	wantDenied(t, store, false, now.Add(64*time.Second), keyOf(0))
}

func keep(t *testing.T, store Store, key string, certificate []byte, until time.Time) {
	t.Helper()
	if err := store.Keep(t.Context(), key, certificate, until); err != nil {
		t.Fatalf("Keep: %v", err)
	}
}

func wantKept(t *testing.T, store Store, key string, want []byte) {
	t.Helper()
	got, err := store.Kept(t.Context(), key)
	switch {
	case want != nil && (err != nil || !bytes.Equal(got, want)):
		t.Errorf("Kept: got %d bytes, %v, want %d", len(got), err, len(want))
	case want == nil && (!errors.Is(err, signin.ErrNotFound) || got != nil):
		t.Errorf("Kept: got %d bytes, %v, want ErrNotFound", len(got), err)
	}
}

// certificateOf returns bytes of the size of a certificate.
func certificateOf(i int) []byte { return bytes.Repeat(fmt.Append(nil, i, "\x00\xff\r\n"), 200) }

// A certificate comes back as it was kept, any number of times, and is apart from
// denials and challenges of that name.
func sessionCertificates(t *testing.T, cfg Config) {
	store := cfg.Open(t)
	again := cfg.Again(t, store)
	now := cfg.Now()
	wantKept(t, store, keyOf(0), nil)
	der := certificateOf(0)
	keep(t, store, keyOf(0), der, now.Add(time.Hour))
	clear(der) // it is the caller's
	deny(t, store, keyOf(1), now, now.Add(time.Hour))
	put(t, store, keyOf(2), []byte("value"), now.Add(time.Hour))
	for range 3 {
		wantKept(t, again, keyOf(0), certificateOf(0))
		wantKept(t, again, keyOf(1), nil)
		wantKept(t, again, keyOf(2), nil)
	}
	gone(t, store, keyOf(0))
	wantDenied(t, store, false, now, keyOf(0))
	deny(t, store, keyOf(0), now, now.Add(time.Hour))
	wantKept(t, store, keyOf(0), certificateOf(0))
	keep(t, store, keyOf(1), certificateOf(1), now.Add(time.Hour))
	wantDenied(t, store, true, now, keyOf(1))
}

// A certificate is there to its instant, the later of two, and not after.
func sessionCertificateExpiry(t *testing.T, cfg Config) {
	store := cfg.Open(t)
	soon, long := cfg.Now().Add(life), cfg.Now().Add(time.Hour)
	for i, untils := range [][]time.Time{{soon}, {soon, long}, {long, soon}, {soon, soon}} {
		for _, until := range untils {
			keep(t, store, keyOf(i), certificateOf(i), until)
		}
	}
	cfg.Advance(life / 2)
	for i := range 4 {
		wantKept(t, store, keyOf(i), certificateOf(i))
	}
	cfg.Advance(life)
	for i, kept := range []bool{false, true, true, false} {
		if kept {
			wantKept(t, store, keyOf(i), certificateOf(i))
		} else {
			wantKept(t, store, keyOf(i), nil)
		}
	}
	keep(t, store, keyOf(0), certificateOf(0), cfg.Now().Add(time.Hour))
	wantKept(t, store, keyOf(0), certificateOf(0))
}

func sessionCertificatesFull(t *testing.T, cfg Config) {
	if cfg.MaxCertificates == 0 {
		t.Skip("MaxCertificates is not set")
	}
	store := cfg.Open(t)
	long := cfg.Now().Add(time.Hour)
	for i := range cfg.MaxCertificates {
		keep(t, store, keyOf(i), fmt.Append(nil, i), long)
	}
	if err := store.Keep(t.Context(), keyOf(-1), []byte("one more"), long); !errors.Is(err, signin.ErrStoreFull) {
		t.Errorf("Keep: got %v, want ErrStoreFull", err)
	}
	keep(t, store, keyOf(0), fmt.Append(nil, 0), long.Add(time.Hour)) // takes no more room
	for i := range cfg.MaxCertificates {
		wantKept(t, store, keyOf(i), fmt.Append(nil, i))
	}
	cfg.Advance(time.Hour)
	keep(t, store, keyOf(-1), []byte("after"), cfg.Now().Add(time.Hour))
	wantKept(t, store, keyOf(0), fmt.Append(nil, 0))
	wantKept(t, store, keyOf(1), nil)
}
