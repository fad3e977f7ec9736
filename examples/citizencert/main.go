// Command citizencert verifies signatures, certificates, OCSP responses and
// revocation lists, and looks after the pinned anchors:
//
//	citizencert verify      [-content FILE] … FILE      a SignedData
//	citizencert verify      -statement LINE -content FILE … FILE   a document filed by signing a line
//	citizencert certificate … FILE                      a certification path for the first certificate in FILE
//	citizencert ocsp        -cert FILE -issuer FILE … FILE
//	citizencert crl         -cert FILE -issuer FILE … FILE
//	citizencert inspect     FILE                        what is in a certificate, CRL, OCSP response or SignedData
//	citizencert evidence    show FILE                   what a verdict rested on, as "verify -evidence FILE" keeps it
//	citizencert evidence    verify … FILE...            judge it again, from what it holds, and say what changed
//	citizencert batch       -out DIR … SOURCE           many filings: a folder, manifest or archive
//	citizencert evidence    verify -source SOURCE … DIR   judge the lines of a batch again
//	citizencert evidence    seal -key FILE DIR          sign the manifest of a batch, or add a time-stamp token
//	citizencert batch-worker -nats URL … SOURCE         judge for a batch that runs with -nats URL elsewhere
//	citizencert audit       [-store PACK] DIR           whether the record of a batch is as it was written
//	citizencert demo        filings -n N DIR            invented filings to try batch with
//	citizencert anchors     fetch|check DIR             download, or name and re-check, the pinned anchors in DIR
//
// Flags stand before FILE; "citizencert help COMMAND" lists them. Every FILE may
// be in DER, PEM or bare base64, and "-" is standard input.
//
// The verdict goes to standard output: text, or one JSON object with -json. The
// exit code is 0 for valid or good, 1 for refused or any other status, malformed
// input included, and 2 if there is no verdict because of how the program was
// called or because a file cannot be read; the reason is then on standard error.
//
// Names of certificate holders are personal data. They are written to standard
// output, where the caller asked for them, and nowhere else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/citizencert/citizencert/verify"
)

// The exit codes.
const (
	exitGood    = 0
	exitRefused = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // the second interrupt ends what does not wait for ctx
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// A command is one verb of the program.
type command struct {
	name    string // one or two words
	operand string // what its argument is; with dots there may be several
	summary string
	// setup registers the flags and returns what to do once they are parsed.
	setup func(fs *flag.FlagSet) action
}

// An action does the work of a command on its operand. An error means that there
// is no verdict.
type action func(ctx context.Context, in *files, operand string) (report, error)

// A report is what a command has found out: a JSON object, and its text for people.
type report interface {
	exitCode() int
	writeText(w *textWriter)
}

var commands = []command{
	{"verify", "FILE", "a SignedData", setupVerify},
	{"certificate", "FILE", "a certification path for the first certificate in FILE", setupCertificate},
	{"ocsp", "FILE", "judge one OCSP response for one certificate", setupOCSP},
	{"crl", "FILE", "judge one CRL for one certificate", setupCRL},
	{"inspect", "FILE", "what is in this certificate, CRL, OCSP response or SignedData", setupInspect},
	{"evidence show", "FILE", "what a verdict rested on", setupEvidenceShow},
	{"evidence verify", "FILE...", "judge recorded verdicts again, from what they hold, and say what changed; or the lines of a batch in a folder", setupEvidenceVerify},
	{"evidence seal", "DIR", "sign the manifest of a batch in DIR, or put a time-stamp token over it beside it", setupEvidenceSeal},
	{"batch", "SOURCE", "the filings of a folder, a manifest or an archive, each with a line of results", setupBatch},
	{"batch-worker", "SOURCE", "judge for a batch of another process", setupBatchWorker},
	{"audit", "DIR", "whether the record of a batch in DIR is as it was written", setupAudit},
	{"demo filings", "DIR", "write invented filings, and the PKI of those who signed, into DIR", setupDemoFilings},
	{"anchors fetch", "DIR", "download the pinned anchors into DIR", setupAnchorsFetch},
	{"anchors check", "DIR", "name and re-check the pinned anchors in DIR", setupAnchorsCheck},
}

// run is the program but for the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		writeUsage(stderr)
		return exitUsage
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		return help(args[1:], stdout, stderr)
	}
	cmd, rest := findCommand(args)
	if cmd == nil {
		fmt.Fprintf(stderr, "citizencert: unknown command %q; \"citizencert help\" lists them\n", strings.Join(args[:len(args)-len(rest)], " "))
		return exitUsage
	}
	return cmd.run(ctx, rest, &files{stdin: stdin, stderr: stderr}, stdout, stderr)
}

func (c *command) run(ctx context.Context, args []string, in *files, stdout, stderr io.Writer) int {
	fs, asJSON, act := c.flags()
	usage := func(err error) int {
		fmt.Fprintf(stderr, "citizencert %s: %v\n", c.name, err)
		return exitUsage
	}
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		c.writeUsage(stdout)
		return exitGood
	} else if err != nil {
		return usage(fmt.Errorf("%w; \"citizencert help %s\" lists the flags", err, c.name))
	}
	if c.many() && fs.NArg() > 1 {
		in.more = fs.Args()[1:]
	} else if fs.NArg() != 1 {
		return usage(fmt.Errorf("got %d arguments after the flags, want one: %s", fs.NArg(), c.operand))
	}
	rep, err := act(ctx, in, fs.Arg(0))
	if err != nil {
		return usage(err)
	}
	if err := writeReport(stdout, rep, *asJSON); err != nil {
		return usage(fmt.Errorf("writing the result: %w", err))
	}
	return rep.exitCode()
}

// many reports whether the command takes several operands.
func (c *command) many() bool { return strings.HasSuffix(c.operand, "...") }

func (c *command) flags() (fs *flag.FlagSet, asJSON *bool, act action) {
	fs = flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors and usage are written by run
	act = c.setup(fs)
	return fs, fs.Bool("json", false, "print one JSON object"), act
}

// findCommand returns the command that args begin with, and the arguments after
// it; or nil, and what is left after the words that should have been one.
func findCommand(args []string) (*command, []string) {
	isGroup := false
	for i := range commands {
		group, verb, two := strings.Cut(commands[i].name, " ")
		if group != args[0] {
			continue
		}
		if !two {
			return &commands[i], args[1:]
		}
		if isGroup = true; len(args) > 1 && args[1] == verb {
			return &commands[i], args[2:]
		}
	}
	if isGroup && len(args) > 1 {
		return nil, args[2:]
	}
	return nil, args[1:]
}

func help(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		writeUsage(stdout)
		return exitGood
	}
	cmd, _ := findCommand(args)
	if cmd == nil {
		fmt.Fprintf(stderr, "citizencert help: unknown command %q\n", strings.Join(args, " "))
		return exitUsage
	}
	cmd.writeUsage(stdout)
	return exitGood
}

func writeUsage(w io.Writer) {
	fmt.Fprintf(w, "Usage: citizencert COMMAND [flags] FILE\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-15s %-7s %s\n", c.name, c.operand, c.summary)
	}
	fmt.Fprintf(w, `
FILE may be DER, PEM or bare base64; "-" is standard input.
Exit code: 0 valid or good, 1 refused or any other status, 2 usage or unreadable file.
"citizencert help COMMAND" lists the flags of a command.
`)
}

func (c *command) writeUsage(w io.Writer) {
	fs, _, _ := c.flags()
	fmt.Fprintf(w, "Usage: citizencert %s [flags] %s\n\n%s\n\n", c.name, c.operand, c.summary)
	fs.SetOutput(w)
	fs.PrintDefaults()
}

// refusal is a verdict on input that no package of the SDK has seen.
func refusal(reason verify.Reason, format string, args ...any) *verify.Error {
	return &verify.Error{Reason: reason, Signer: -1, Err: fmt.Errorf(format, args...)}
}
