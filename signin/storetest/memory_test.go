package storetest_test

import (
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/storetest"
)

func TestMemoryStore(t *testing.T) {
	clock := pkitest.NewClock(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC))
	storetest.Run(t, storetest.Config{
		Open:            func(*testing.T) storetest.Store { return &signin.MemoryStore{Now: clock.Now} },
		Now:             clock.Now,
		Advance:         clock.Advance,
		MaxChallenges:   signin.MaxChallenges,
		MaxDenials:      signin.MaxDenials,
		MaxCertificates: signin.MaxCertificates,
	})
}

// With the clock on the wall, as a store on a network has it.
func TestMemoryStoreWaiting(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for what must end")
	}
	storetest.Run(t, storetest.Config{Open: func(*testing.T) storetest.Store { return &signin.MemoryStore{} }})
}
