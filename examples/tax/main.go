// Tax is an income tax filing service that accepts citizen certificates, with
// everything around it that a developer's desk lacks: a look-alike of the
// national PKI, a simulated card and phone, and the register of people.
//
//	go run ./examples/tax          serve, and print the address
//	go run ./examples/tax -once    walk through it in the terminal, and exit
package main

import (
	"context"

	"github.com/citizencert/citizencert/examples/internal/program"
)

var tax = program.Program{
	Name: "tax",
	New:  func(ctx context.Context, env program.Env) (program.Service, error) { return newService(ctx, env) },
	Walk: walk,
}

func main() { tax.Main() }
