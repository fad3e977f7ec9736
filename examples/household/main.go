// Household is a service of a household registration office: citizens sign in with
// their card or phone, and apply for a household transcript by consenting, with it
// again, to the text of the application. What is stored proves the consent.
//
//	go run ./examples/household          serve, and print the address
//	go run ./examples/household -once    walk through it in the terminal, and exit
package main

import (
	"context"

	"github.com/citizencert/citizencert/examples/internal/program"
)

var household = program.Program{
	Name: "household",
	New:  func(ctx context.Context, env program.Env) (program.Service, error) { return newService(ctx, env) },
	Walk: walk,
}

func main() { household.Main() }
