// Tax is an income tax filing service that accepts citizen certificates, with
// everything around it that a developer's desk lacks: a look-alike of the
// national PKI, a simulated card, and the register of people.
//
//	go run ./examples/tax          serve, and print the address
//	go run ./examples/tax -once    walk through it in the terminal, and exit
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/examples/internal/site"
)

func main() {
	var opts options
	flag.StringVar(&opts.addr, "addr", "", "listen at `host:port` (default "+site.DefaultAddr+", or a free port)")
	flag.StringVar(&opts.db, "db", "", "keep accounts and filings in `file` (default a temporary one)")
	flag.BoolVar(&opts.once, "once", false, "walk through sign-in and filing in the terminal, and exit")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "tax: there are no arguments, only flags")
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	if err := start(ctx, opts, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "tax:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	addr, db string
	once     bool
}

// start builds the world and the service in it, and ends both in good order.
func start(ctx context.Context, opts options, out, log io.Writer) (err error) {
	world, err := lookalike.Start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()

	if opts.db == "" {
		dir, err := os.MkdirTemp("", "citizencert-tax-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		opts.db = filepath.Join(dir, "tax.db")
	}
	store, err := openStore(ctx, opts.db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	listener, err := site.Listen(opts.addr)
	if err != nil {
		return err
	}
	origin := "http://" + listener.Addr().String()
	level := slog.LevelInfo
	if opts.once {
		level = slog.LevelWarn // the walk tells its own story
	}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level}))
	service, err := newService(ctx, world, store, origin, logger)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, service.close()) }()

	if opts.once {
		return serveOnce(ctx, listener, service, world, origin, out)
	}
	fmt.Fprintf(out, "tax: open %s in a browser; Ctrl-C ends\n", origin)
	return site.Serve(ctx, listener, service.handler(), logger)
}
