package signin_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/signin"
)

// Of all tokens there are, the service takes its own and refuses the others with
// an *Error.
func FuzzToken(f *testing.F) {
	w := newWorld(f)
	b := w.browser(f)
	b.signIn(w.card)
	token := b.cookies[sessionCookie]
	signed := token[:strings.LastIndex(token, ".")]
	f.Add(token)
	f.Add(token[1:])
	f.Add(signed)
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = taxHost
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: text})
		s, err := w.auth.Check(r)
		if err != nil {
			if _, ok := errors.AsType[*signin.Error](err); !ok || s != nil {
				t.Errorf("got %v, %T, want nil and an *Error", s, err)
			}
			return
		}
		if !strings.HasPrefix(text, signed+".") {
			t.Errorf("token %q was accepted", text)
		}
	})
}
