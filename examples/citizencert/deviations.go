package main

import (
	"errors"
	"flag"
	"strconv"

	"github.com/citizencert/citizencert/verify"
)

// deviations are the rules that verify is told to waive, each by its name.
type deviations struct {
	mixedHashes, unsortedAttributes, noSignedAttributes, utf16Line bool

	minSigners int
}

func (d *deviations) register(fs *flag.FlagSet) {
	fs.BoolVar(&d.mixedHashes, "insecure-allow-mixed-hashes", false, "accept a signatureAlgorithm with another hash than the digestAlgorithm")
	fs.BoolVar(&d.unsortedAttributes, "insecure-allow-unsorted-attributes", false, "accept signed attributes out of the order of DER that were signed so")
	fs.BoolVar(&d.noSignedAttributes, "insecure-allow-no-signed-attributes", false, "accept a signature over the content itself, as old desktop components make it")
	fs.BoolVar(&d.utf16Line, "insecure-allow-utf16-line", false, "accept a statement line that was signed in UTF-16LE, as old desktop components sign text")
	fs.Func("insecure-min-signers", "`number` of different holders who must have signed, whatever becomes of the other signatures\n(default: every signature must pass)", func(value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return errors.New("want a number of 1 and more")
		}
		d.minSigners = n
		return nil
	})
}

// apply adds what the flags say to a call.
func (d *deviations) apply(cfg *verify.Config, opts *verify.Options) {
	cfg.InsecureAllowMixedHashes = d.mixedHashes
	cfg.InsecureAllowUnsortedAttributes = d.unsortedAttributes
	cfg.InsecureAllowNoSignedAttributes = d.noSignedAttributes
	cfg.InsecureAllowUTF16Line = d.utf16Line
	opts.InsecureMinSigners = d.minSigners
}
