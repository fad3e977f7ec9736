// Household is a service of a household registration office: citizens sign in with
// their card or phone, and apply for a household transcript by consenting, with it
// again, to the text of the application. What is stored proves the consent.
//
//	go run ./examples/household          serve, and print the address
//	go run ./examples/household -once    walk through it in the terminal, and exit
package main

import (
	"context"
	"errors"

	"github.com/citizencert/citizencert/examples/internal/program"
)

var household = program.Program{
	Name: "household",
	New: func(ctx context.Context, env program.Env) (program.Service, error) {
		store, err := openStore(ctx, env.DB)
		if err != nil {
			return nil, err
		}
		s, err := newService(ctx, env, store)
		if err != nil {
			return nil, errors.Join(err, store.Close())
		}
		return s, nil
	},
	Walk: walk,
}

func main() { household.Main() }
