// Package programtest runs an example service inside a test, in surroundings like
// those that its command gives it.
package programtest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/examples/internal/program"
)

// A Place is a service with everything around it, reached over HTTP at its Origin. It
// ends with the test.
type Place[S program.Service] struct {
	*testing.T
	program.Env
	Service S
	Logged  *Buffer

	build   func(context.Context, program.Env) (S, error)
	mu      sync.RWMutex // of handler
	handler http.Handler
}

// Open starts the world and, in it, the service that build returns.
func Open[S program.Service](t *testing.T, build func(context.Context, program.Env) (S, error)) *Place[S] {
	t.Helper()
	world, err := lookalike.Start()
	if err != nil {
		t.Fatal(err)
	}
	p := &Place[S]{T: t, Logged: new(Buffer), build: build}
	t.Cleanup(func() { p.closing(world.Close) })
	server := httptest.NewUnstartedServer(p)
	p.Env = program.Env{
		World:  world,
		DB:     filepath.Join(t.TempDir(), "service.db"),
		Origin: "http://" + server.Listener.Addr().String(),
		Logger: slog.New(slog.NewTextHandler(p.Logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	p.Start()
	t.Cleanup(func() { p.closing(p.Service.Close) })
	server.Start()
	t.Cleanup(server.Close)
	return p
}

// Start starts the service on its file.
func (p *Place[S]) Start() {
	p.Helper()
	var err error
	if p.Service, err = p.build(p.Context(), p.Env); err != nil {
		p.Fatal(err)
	}
	p.Handle(p.Service.Handler())
}

// Stop ends the service, so that it can be started anew.
func (p *Place[S]) Stop() {
	p.Helper()
	p.Handle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no such server", http.StatusBadGateway)
	}))
	p.closing(p.Service.Close)
}

// Handle has h answer the requests that come, once those that are running have ended.
func (p *Place[S]) Handle(h http.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = h
}

// ServeHTTP answers the citizens.
func (p *Place[S]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	p.handler.ServeHTTP(w, r)
}

func (p *Place[S]) closing(f func() error) {
	p.Helper()
	if err := f(); err != nil {
		p.Errorf("closing: %v", err)
	}
}

// A Buffer is what a service writes and a test reads.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
