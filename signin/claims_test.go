package signin_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/testbed"
)

// A token has the claims of the list and no others, and nothing by which anybody but
// this service knows the certificate or its holder.
func TestTokenSaysLittle(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	b.signIn(w.card)
	parts := strings.Split(b.cookies[sessionCookie], ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	want := []string{"acr", "amr", "aud", "auth_time", "cid", "env", "exp", "iat", "iss", "jti", "nbf", "sub"}
	if got := slices.Sorted(maps.Keys(claims)); !slices.Equal(got, want) {
		t.Errorf("got claims %v, want %v", got, want)
	}
	testbed.Nameless(t, w.card, string(payload))
	one, two := sha1.Sum(w.card.Cert.Raw), sha256.Sum256(w.card.Cert.Raw)
	for _, secret := range []string{
		hex.EncodeToString(one[:]), hex.EncodeToString(two[:]),
		base64.RawURLEncoding.EncodeToString(one[:]), base64.RawURLEncoding.EncodeToString(two[:]),
		w.card.Cert.SerialNumber.String(), w.card.Cert.SerialNumber.Text(16),
	} {
		if strings.Contains(strings.ToLower(string(payload)), strings.ToLower(secret)) {
			t.Errorf("the token holds %s: %s", secret, payload)
		}
	}
}
