package fetch

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func newGuard(t *testing.T, entries ...string) *Guard {
	t.Helper()
	g, err := NewGuard(entries)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGuardURL(t *testing.T) {
	g := newGuard(t, "moi.gov.tw", "NAT.gov.tw.", "192.0.2.7", "2001:db8::/32", "localhost")
	for raw, want := range map[string]bool{
		"http://ocsp-moica.moi.gov.tw/OCSP": true,
		"https://MOICA.nat.gov.tw./x?y#z":   true,
		"http://moi.gov.tw":                 true,
		"http://moi.gov.tw:8080/":           true,
		"http://192.0.2.7/":                 true,
		"http://[::ffff:192.0.2.7]/":        true,
		"http://[2001:db8::1]/":             true,
		"http://localhost:61161/":           true,
		"http://127.0.0.1/":                 true,
		"http://[::1]/":                     true,

		"http://192.0.2.8/":               false,
		"http://evilmoi.gov.tw/":          false,
		"http://moi.gov.tw.example.com/":  false,
		"http://gov.tw/":                  false,
		"http://moi.gov.tw../":            false,
		"http://moi.gov.tw%00.evil.com/":  false,
		"http://moi.gov.tw\\@example.com": false,
		"http://user@moi.gov.tw/":         false,
		"http://user:secret@moi.gov.tw/":  false,
		"ldap://moi.gov.tw/x":             false,
		"file:///etc/passwd":              false,
		"http:moi.gov.tw":                 false,
		"http:///x":                       false,
		"//moi.gov.tw/x":                  false,
		"":                                false,
		"http://moi.gov.tw:port/":         false,
		"http://ｍoi.gov.tw/":              false,
		"http://a.localhost.example/":     false,
		"http://[fe80::1%25eth0]/":        false,
	} {
		u, err := g.URL(raw)
		if (err == nil) != want {
			t.Errorf("%q: got %v, %v, want allowed = %v", raw, u, err, want)
		}
		if err == nil {
			continue
		}
		if _, ok := errors.AsType[*AddressError](err); !ok || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %T %v, want an *AddressError without credentials", raw, err, err)
		}
	}
	if _, err := newGuard(t).URL("http://moi.gov.tw/"); err == nil {
		t.Error("empty list allows a host")
	}
	for _, entry := range []string{"", ".", "a..b", "http://moi.gov.tw", "moi.gov.tw/x", "*.gov.tw", "10.0.0.0/33", "[::1]"} {
		if _, err := NewGuard([]string{entry}); err == nil {
			t.Errorf("entry %q: got no error", entry)
		}
	}
}

func TestGuardAddress(t *testing.T) {
	g := newGuard(t, "moi.gov.tw", "10.1.0.0/16", "::ffff:192.168.1.1")
	for text, want := range map[string]bool{
		"203.66.5.1": true, "2404:0:8100::1": true, "10.1.2.3": true, "::ffff:10.1.2.3": true, "192.168.1.1": true,

		"10.2.0.1": false, "192.168.1.2": false, "172.16.0.1": false, "127.0.0.1": false, "127.8.8.8": false, "::1": false,
		"::ffff:127.0.0.1": false, "169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false,
		"0.0.0.0": false, "0.1.2.3": false, "::": false, "100.64.0.1": false, "198.18.0.1": false, "224.0.0.1": false, "ff02::1": false,
		"255.255.255.255": false, "240.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "192.0.0.8": false,
	} {
		if err := g.address(netip.MustParseAddr(text)); (err == nil) != want {
			t.Errorf("%s: got %v, want allowed = %v", text, err, want)
		}
	}
}

// A name on the list whose address is not public is found out when connecting.
func TestGuardDial(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	address := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	for _, c := range []struct {
		guard *Guard
		want  bool
	}{
		{newGuard(t, "localhost"), true},
		{&Guard{suffixes: []string{"localhost"}}, false}, // the name without its addresses
	} {
		u, err := c.guard.URL(address)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodGet, u.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Body(c.guard.Client(nil), req, 1)
		if _, refused := errors.AsType[*AddressError](err); refused == c.want || (err == nil) != c.want {
			t.Errorf("got %v, want connected = %v", err, c.want)
		}
		if err != nil && (Transient(err) || strings.Contains(err.Error(), "http://")) {
			t.Errorf("got %v, want it final and without the URL", err)
		}
	}
}

// A client of the caller's keeps its transport, and follows no redirect either.
func TestClientOfCaller(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://example.com/", http.StatusFound))
	defer server.Close()
	base := &http.Client{Timeout: time.Minute}
	client := newGuard(t, "127.0.0.1").Client(base)
	req, err := http.NewRequest(http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Body(client, req, 1)
	if status, ok := errors.AsType[*StatusError](err); !ok || status.Code != http.StatusFound {
		t.Errorf("got %v, want status %d", err, http.StatusFound)
	}
	if base.CheckRedirect != nil || client.Timeout != time.Minute {
		t.Error("client was not copied")
	}
}

func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup[string, int](time.Minute)
		type ctxKey struct{}
		ctx := context.WithValue(t.Context(), ctxKey{}, "value")
		impatient, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		var runs atomic.Int32
		fetch := func(ctx context.Context) (int, error) {
			runs.Add(1)
			if ctx.Value(ctxKey{}) != "value" {
				t.Error("values of the context are gone")
			}
			time.Sleep(2 * time.Second)
			return 7, ctx.Err()
		}
		go func() {
			if _, err := g.Do(impatient, "a", fetch); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the caller's deadline", err)
			}
		}()
		synctest.Wait()
		for range 10 {
			go func() {
				if got, err := g.Do(t.Context(), "a", fetch); got != 7 || err != nil {
					t.Errorf("got %d, %v, want 7", got, err)
				}
			}()
		}
		time.Sleep(3 * time.Second)
		if got := runs.Load(); got != 1 {
			t.Errorf("fetched %d times, want once", got)
		}

		hang := func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
		if _, err := g.Do(t.Context(), "b", hang); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the group's deadline", err)
		}
		go func() {
			if _, err := g.Do(t.Context(), "c", hang); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want it canceled by Close", err)
			}
		}()
		synctest.Wait()
		g.Close()
		if _, err := g.Do(t.Context(), "d", hang); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want %v", err, ErrClosed)
		}
		done, stop := context.WithCancel(t.Context())
		stop()
		if _, err := g.Do(done, "e", fetch); !errors.Is(err, context.Canceled) || runs.Load() != 1 {
			t.Errorf("got %v, want no fetch for a caller who has left", err)
		}
	})
}
