// Tax is an income tax filing service that accepts citizen certificates, with
// everything around it that a developer's desk lacks: a look-alike of the
// national PKI, a simulated card and phone, and the register of people.
//
//	go run ./examples/tax          serve, and print the address
//	go run ./examples/tax -once    walk through it in the terminal, and exit
package main

import (
	"context"
	"errors"
	"io"

	"github.com/citizencert/citizencert/examples/internal/program"
)

var tax = program.Program{
	Name: "tax",
	New: func(ctx context.Context, env program.Env) (program.Service, error) {
		store, err := openStore(ctx, env.DB)
		if err != nil {
			return nil, err
		}
		s, err := newService(ctx, env.World, store, env.Origin, env.Logger)
		if err != nil {
			return nil, errors.Join(err, store.Close())
		}
		return s, nil
	},
	Walk: func(ctx context.Context, env program.Env, out io.Writer) error {
		scheme, err := env.World.Scheme()
		if err != nil {
			return err
		}
		judge, err := newJudge(scheme)
		if err != nil {
			return err
		}
		return walk(ctx, env.Origin, env.World, judge, out)
	},
}

func main() { tax.Main() }
