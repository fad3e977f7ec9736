package lookalike_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/signin"
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

// The component answers in the form that package signin reads, failures too.
func TestComponentAnswers(t *testing.T) {
	const good = `{"func":"MakeSignature","signatureType":"PKCS1","tbs":"text","tbsEncoding":"NONE","hashAlgorithm":"SHA256","withCardSN":"false"}`
	w := start(t)
	for name, test := range map[string]struct {
		card, body string
		want       signin.ReturnCode
	}{
		"signs":            {"0", "tbsPackage=" + good, 0},
		"no card":          {"9", "tbsPackage=" + good, 0x76000006},
		"no card chosen":   {"", "tbsPackage=" + good, 0x76000006},
		"no request":       {"0", "", 0x7600000B},
		"signature type":   {"0", "tbsPackage=" + strings.Replace(good, "PKCS1", "RAW", 1), 0x7600000C},
		"weak hash":        {"0", "tbsPackage=" + strings.Replace(good, "SHA256", "SHA1", 1), 0x7600000C},
		"unknown encoding": {"0", "tbsPackage=" + strings.Replace(good, "NONE", "hex", 1), 0x7600000C},
		"not base64":       {"0", "tbsPackage=" + strings.Replace(strings.Replace(good, "NONE", "base64", 1), "text", "%26", 1), 0x7600000C},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := http.Post(w.Component.Origin+"/sign?card="+test.card, "application/x-www-form-urlencoded", strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var a signin.Answer
			if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
				t.Fatal(err)
			}
			if a.Func != "sign" || a.ReturnCode != test.want || (a.Signature != "") != (test.want == 0) {
				t.Errorf("got %+v, want return code %v", a, test.want)
			}
		})
	}
}

// A page of any site can open the component's window, and none can use it
// without.
func TestComponentRefusesOtherPages(t *testing.T) {
	w := start(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Component.Origin+"/sign?card=0", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "https://elsewhere.example")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("got status %d, want 403", resp.StatusCode)
	}
}

func TestComponentWindow(t *testing.T) {
	w := start(t)
	resp, err := http.Get(w.Component.Origin + "/popupForm")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, card := range w.Cards {
		if !strings.Contains(string(body), card.NationalID) {
			t.Errorf("the window does not offer the card of %s", card.NationalID)
		}
	}
}

// The register knows every card's holder, and no other certificate.
func TestRegister(t *testing.T) {
	w := start(t)
	for _, card := range w.Cards {
		if match, err := w.Register.CheckIdentity(t.Context(), card.Cert, card.NationalID); !match || err != nil {
			t.Errorf("%s: got %t, %v; want a match", card.Note, match, err)
		}
	}
	card := w.Cards[lookalike.CitizenCard]
	if match, err := w.Register.CheckIdentity(t.Context(), card.EncryptionCert, card.NationalID); match || err != nil {
		t.Errorf("a certificate that is not registered: got %t, %v; want a mismatch", match, err)
	}
}
