package fido_test

import (
	"net/http"
	"testing"

	"github.com/citizencert/citizencert/signin"
)

// What a page may not send is refused as such, and is nobody else's fault.
func TestStartRequests(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		body map[string]string
		want signin.Code
	}{
		{map[string]string{"mode": "I-SCAN", "idNumber": wangID}, signin.CodeRequest},
		{map[string]string{"idNumber": wangID}, signin.CodeRequest},
		{map[string]string{"mode": "qr", "idNumber": wangID, "device": "手機"}, signin.CodeRequest},
		{map[string]string{"mode": "push", "idNumber": wangID, "device": "手\n機"}, signin.CodeRequest},
		{map[string]string{"mode": "qr", "idNumber": ""}, "phone-id-number"},
		{map[string]string{"mode": "qr", "idNumber": "123"}, "phone-id-number"},
	} {
		b := w.browser(t)
		rec := b.do("POST", "/signin/fido/start", tt.body)
		if b.refused(rec, tt.want); rec.Code != http.StatusBadRequest {
			t.Errorf("%v: got status %d", tt.body, rec.Code)
		}
	}
	b := w.browser(t)
	if rec := b.do("POST", "/signin/fido/start", map[string]string{"mode": "push", "idNumber": wangID, "device": "我的手機"}); rec.Code != http.StatusOK {
		t.Errorf("a named device: got %d %s", rec.Code, rec.Body)
	}
}
