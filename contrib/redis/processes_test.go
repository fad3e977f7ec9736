package redis_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/childtest"
	"github.com/citizencert/citizencert/internal/testbed"
)

func TestMain(m *testing.M) { childtest.Main(m, site.serve) }

// serve says where it listens, and serves until it is killed.
func (s site) serve() error {
	handler, err := s.handler(context.Background(), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return (&http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}).Serve(listener)
}

// startSite runs a server of the site in a process of its own, and returns its
// address.
func startSite(t *testing.T, s site) string {
	t.Helper()
	_, address := childtest.Start(t, s)
	return address
}

// One answer is posted 64 times at once to two processes: one session begins.
func TestTwoProcesses(t *testing.T) {
	o := options(t)
	client := newClient(t, o)
	w := newWorld(t, o.Addr, newPrefix(t, client))
	servers := []string{startSite(t, w.site), startSite(t, w.site)}
	for round := range 3 {
		b := &browser{t, map[string]string{}}
		answer := b.answer(w, w.card)
		sessions := make([]string, 64)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range sessions {
			r := testbed.Request(t, "POST", "/signin/finish", answer)
			b.cookies.AddTo(r)
			r.Host = siteHost
			r.URL, r.RequestURI = &url.URL{Scheme: "http", Host: servers[i%2], Path: r.URL.Path}, ""
			wg.Go(func() {
				<-start
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				defer res.Body.Close()
				for _, c := range res.Cookies() {
					if c.Name == sessionCookie {
						sessions[i] = c.Value
					}
				}
				if (res.StatusCode == http.StatusOK) != (sessions[i] != "") || res.StatusCode != http.StatusOK && res.StatusCode != http.StatusForbidden {
					t.Errorf("got %s", res.Status)
				}
			})
		}
		close(start)
		wg.Wait()
		begun := 0
		for _, token := range sessions {
			if token != "" {
				begun++
				accepted(t, (&browser{t, map[string]string{sessionCookie: token}}).do(w, "GET", "/account", nil))
			}
		}
		if begun != 1 {
			t.Errorf("round %d: %d sessions began, want 1", round, begun)
		}
	}
}
