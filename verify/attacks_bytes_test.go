package verify_test

import (
	"bytes"
	"testing"

	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

func attackNesting(t *testing.T, w *world) {
	for name, der := range map[string][]byte{
		"2,000,000 open sequences": bytes.Repeat([]byte{0x30, 0x80}, 2_000_000),
		"33 levels":                append(bytes.Repeat([]byte{0x30, 0x80}, 33), make([]byte, 66)...),
	} {
		t.Run(name, func(t *testing.T) {
			res, err := w.verifier.SignedData(t.Context(), der, nil)
			wantReason(t, res, err, verify.ReasonLimit)
		})
	}
	overlapping := append(bytes.Repeat([]byte{0x24, 0x05, 0x60, 0x01, 0x82, 0x30, 0x21}, 26), make([]byte, 300)...)
	res, err := w.verifier.SignedData(t.Context(), overlapping, nil)
	wantReason(t, res, err, verify.ReasonMalformed)
}

// Elements that cost others minutes and gigabytes to read are refused or read.
// BenchmarkHostile has what they cost in time, TestHostileAllocations bounds the
// memory.
func attackManyElements(t *testing.T, w *world) {
	for _, input := range dertest.Hostile(1 << 20) {
		t.Run(input.Name, func(t *testing.T) {
			res, err := w.verifier.SignedData(t.Context(), input.Data, nil)
			checkOutcome(t, res, err)
			res, err = w.verifier.CopyUnverified(t.Context(), nil, bytes.NewReader(input.Data), nil)
			checkOutcome(t, res, err)
		})
	}
	for name, pieces := range map[string][]byte{
		"filled with empty pieces":  dertest.Indefinite(0x24, bytes.Repeat([]byte{0x04, 0x00}, 1<<19)),
		"filled with nested pieces": dertest.Indefinite(0x24, bytes.Repeat([]byte{0x24, 0x00}, 1<<19)),
	} {
		t.Run(name, func(t *testing.T) {
			der := w.sign(t, w.card, "", &pkitest.CMSOptions{Chunks: 1, RawContent: pieces})
			res, err := w.verifier.SignedData(t.Context(), der, nil)
			wantReason(t, res, err, "")
			res, err = w.verifier.CopyUnverified(t.Context(), nil, bytes.NewReader(der), nil)
			wantReason(t, res, err, "")
		})
	}
}

func attackPrefixes(t *testing.T, w *world) {
	der := w.sign(t, w.card, filing, nil)
	for n := range der {
		res, err := w.verifier.SignedData(t.Context(), der[:n], nil)
		wantReason(t, res, err, verify.ReasonMalformed)
	}
	for _, stub := range []string{"\x1f\x80", "\x1f\x05", "\x30\x81", "\x30\x84\x01"} {
		res, err := w.verifier.SignedData(t.Context(), []byte(stub), nil)
		wantReason(t, res, err, verify.ReasonMalformed)
	}
}
