// Package program is the command around an example service: its flags, the world
// that it runs in, and the order in which things start and end.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/examples/internal/site"
)

// A Program is one service's command.
type Program struct {
	Name string

	// New builds the service in its surroundings.
	New func(ctx context.Context, env Env) (Service, error)

	// Walk is the road of a citizen through the service, over HTTP.
	Walk func(ctx context.Context, env Env, out io.Writer) error
}

// Env is what surrounds a service.
type Env struct {
	World  *lookalike.World
	DB     string // file
	Origin string
	Logger *slog.Logger
}

// A Service is a web site that has to be closed.
type Service interface {
	Handler() http.Handler
	Close() error
}

// Options are the flags.
type Options struct {
	Addr, DB string
	Once     bool
}

// Main runs the program and does not return.
func (p *Program) Main() {
	var opts Options
	flag.StringVar(&opts.Addr, "addr", "", "listen at `host:port` (default "+site.DefaultAddr+", or a free port)")
	flag.StringVar(&opts.DB, "db", "", "keep what is stored in `file` (default a temporary one)")
	flag.BoolVar(&opts.Once, "once", false, "walk through the service in the terminal, and exit")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "%s: there are no arguments, only flags\n", p.Name)
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	if err := p.Start(ctx, opts, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", p.Name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Start builds the world and the service in it, and ends both in good order.
func (p *Program) Start(ctx context.Context, opts Options, out, log io.Writer) (err error) {
	env := Env{DB: opts.DB}
	if env.World, err = lookalike.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, env.World.Close()) }()

	if env.DB == "" {
		dir, err := os.MkdirTemp("", "citizencert-"+p.Name+"-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		env.DB = filepath.Join(dir, p.Name+".db")
	}
	listener, err := site.Listen(opts.Addr)
	if err != nil {
		return err
	}
	env.Origin = "http://" + listener.Addr().String()
	level := slog.LevelInfo
	if opts.Once {
		level = slog.LevelWarn // the walk tells its own story
	}
	env.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level}))
	service, err := p.New(ctx, env)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, service.Close()) }()

	if !opts.Once {
		fmt.Fprintf(out, "%s: open %s in a browser; the simulated phone is at %s; Ctrl-C ends\n", p.Name, env.Origin, env.World.PhoneScreen())
		return site.Serve(ctx, listener, service.Handler(), env.Logger)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- site.Serve(ctx, listener, service.Handler(), env.Logger) }()
	fmt.Fprintf(out, "service      %s, look-alike PKI, card and phone, no network\n", env.Origin)
	err = p.Walk(ctx, env, out)
	cancel()
	return errors.Join(err, <-served)
}
