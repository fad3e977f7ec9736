package ocspclient_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Every goroutine has an owner that Close stops.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
