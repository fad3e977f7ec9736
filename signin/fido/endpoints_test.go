package fido_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
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

// What a service does not offer is not to be had by a request that no form of it makes:
// who is refused a message to the phones of others cannot choose it, nor the site of MOI.
func TestStartOffered(t *testing.T) {
	for _, tt := range []struct {
		name  string
		modes []fido.Mode
		want  string
	}{
		{"all", allModes, "qr web app push redirect"},
		{"none said", nil, "qr web app push"},
		{"no push", []fido.Mode{fido.ModeQR, fido.ModeWeb}, "qr web app"},
		{"a code alone", []fido.Mode{fido.ModeQR}, "qr"},
		{"an app", []fido.Mode{fido.ModeApp}, "app"},
	} {
		w := newWorld(t, func(cfg *fido.Config) { cfg.Modes = tt.modes })
		for _, mode := range []string{"qr", "web", "app", "push", "redirect"} {
			body := map[string]string{"mode": mode, "idNumber": wangID}
			if mode == "redirect" {
				delete(body, "idNumber")
			}
			b := w.browser(t)
			switch rec := b.do("POST", "/signin/fido/start", body); {
			case !strings.Contains(tt.want, mode):
				b.refused(rec, signin.CodeRequest)
			case rec.Code != http.StatusOK:
				t.Errorf("%s: mode %s: got %d %s", tt.name, mode, rec.Code, rec.Body)
			}
		}
	}
}
