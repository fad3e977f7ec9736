package fido_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin/fido"
)

// direct takes requests to the look-alike without a network, which a bubble of
// package synctest does not have.
func (w *world) direct() *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		rec := httptest.NewRecorder()
		w.fido.ServeHTTP(rec, r)
		return rec.Result(), nil
	})}
}

// Wait asks every four seconds, and no longer than the ticket lives.
func TestWait(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name   string
		script pkitest.FidoScript
		answer bool
		class  fido.Class
		after  time.Duration
	}{
		{"at once", pkitest.FidoScript{Approve: true}, true, "", 0},
		{"pending, then done", pkitest.FidoScript{Approve: true, Pending: 3}, true, "", 12 * time.Second},
		{"HTML, then done", pkitest.FidoScript{Approve: true, Call: resultCall, Status: 502, Times: 2}, true, "", 8 * time.Second},
		{"never", pkitest.FidoScript{}, false, fido.ClassExpired, 28 * time.Second},
		{"HTML for ever", pkitest.FidoScript{Approve: true, Call: resultCall, Status: 502}, false, fido.ClassExpired, 28 * time.Second},
		{"refused", pkitest.FidoScript{Approve: true, Call: resultCall, Code: "APP_USER_CANCEL"}, false, fido.ClassCanceled, 0},
		{"forged", pkitest.FidoScript{Approve: true, Call: resultCall, Tamper: func(r map[string]any) { delete(r, "idp_checksum") }}, false, fido.ClassChecksum, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			w.clock.Set(began)
			key, err := fido.ParseKey(w.fido.KeyText())
			if err != nil {
				t.Fatal(err)
			}
			client, err := fido.NewTest(fido.ClientConfig{ServiceID: w.fido.ServiceID(), Key: key, HTTPClient: w.direct()})
			if err != nil {
				t.Fatal(err)
			}
			w.fido.Script(tt.script)
			ticket, err := client.Ticket(t.Context(), fido.Request{IDNumber: wangID, Mode: fido.ModeQR, Hint: "測試", TimeLimit: 30 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			a, err := client.Wait(t.Context(), ticket)
			if (a != nil) != tt.answer {
				t.Errorf("%s: got %v, %v", tt.name, a, err)
			}
			if tt.class != "" {
				wantClass(t, err, tt.class)
			}
			if got := time.Since(began); got != tt.after {
				t.Errorf("%s: took %v, want %v", tt.name, got, tt.after)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w.clock.Set(time.Now())
		w.fido.Script(pkitest.FidoScript{})
		client := w.newClient(t, w.direct())
		ticket, err := client.Ticket(t.Context(), fido.Request{IDNumber: wangID, Mode: fido.ModeQR, Hint: "測試"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err = client.Wait(ctx, ticket)
		wantClass(t, err, fido.ClassTransport)
		if got := time.Since(began); got != time.Second {
			t.Errorf("canceled after %v", got)
		}
	})
}
