package lookalike_test

import (
	"testing"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
)

func start(t *testing.T) *lookalike.World {
	t.Helper()
	w, err := lookalike.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// The register knows the holder of every card and phone, and no other certificate.
func TestRegister(t *testing.T) {
	w := start(t)
	for _, card := range w.Cards {
		if match, err := w.Register.CheckIdentity(t.Context(), card.Cert, card.NationalID); !match || err != nil {
			t.Errorf("%s: got %t, %v; want a match", card.Note, match, err)
		}
	}
	for _, phone := range w.Phones {
		if match, err := w.Register.CheckIdentity(t.Context(), phone.Card.Cert, phone.IDNumber); !match || err != nil {
			t.Errorf("phone: got %t, %v; want a match", match, err)
		}
	}
	card := w.Cards[lookalike.CitizenCard]
	if match, err := w.Register.CheckIdentity(t.Context(), card.EncryptionCert, card.NationalID); match || err != nil {
		t.Errorf("a certificate that is not registered: got %t, %v; want a mismatch", match, err)
	}
}
