package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// A policy is what verify and certificate are told about algorithms: which are
// accepted until when.
type policy struct {
	chosen     verify.AlgorithmPolicy // by -algorithms
	historical bool
	allowSHA1  bool
	statusSHA1 bool
}

func (p *policy) register(fs *flag.FlagSet) {
	fs.Func("algorithms", "`policy` of algorithms: strict, nist-sp800-57, or historical=INSTANT, which is strict and admits SHA-1\n"+
		"and RSA keys from 1024 bits for what is proven to have existed before then (default strict)", p.choose)
	fs.BoolVar(&p.historical, "historical", false, "trust the first generation of the pinned anchors, too, and admit its algorithms, for what is proven\n"+
		"to have existed while it issued certificates: by -at, or by a time-stamp")
	allowSHA1Var(fs, &p.allowSHA1)
	fs.BoolVar(&p.statusSHA1, "insecure-allow-sha1-status", false, "accept OCSP responses and revocation lists signed with SHA-1, as those of the first generation are")
}

func (p *policy) choose(name string) error {
	name, value, dated := strings.Cut(name, "=")
	switch {
	case name == "strict" && !dated:
		p.chosen = verify.StrictPolicy()
	case name == "nist-sp800-57" && !dated:
		p.chosen = verify.SP80057Policy()
	case name == "historical" && dated:
		before, err := time.Parse(time.RFC3339, value)
		if err != nil || before.IsZero() || before.After(time.Now()) {
			return errors.New("want an instant of the past as RFC 3339 writes it, such as historical=2023-04-21T00:00:00Z")
		}
		p.chosen = verify.HistoricalPolicy(before)
	default:
		return errors.New("want strict, nist-sp800-57 or historical=INSTANT")
	}
	return nil
}

// check refuses flags that contradict each other.
func (p *policy) check() error {
	switch strict := p.chosen == verify.StrictPolicy(); {
	case p.historical && (p.allowSHA1 || !strict):
		return errors.New("-historical contradicts -algorithms and -insecure-allow-sha1")
	case p.allowSHA1 && !strict:
		return errors.New("-algorithms contradicts -insecure-allow-sha1")
	}
	return nil
}

// apply adds what the flags say to a configuration.
func (p *policy) apply(cfg *verify.Config) {
	cfg.Algorithms, cfg.InsecureAllowSHA1 = p.algorithms(), p.allowSHA1
}

func (p *policy) algorithms() verify.AlgorithmPolicy {
	if p.historical {
		return moica.HistoricalPolicy()
	}
	return p.chosen
}

// String returns the name and the version that verdicts carry.
func (p *policy) String() string {
	name := p.algorithms().Name()
	if p.allowSHA1 {
		name = algorithm.Policy{InsecureAllowSHA1: true}.Name()
	}
	return fmt.Sprintf("%s %s", name, algorithm.PolicyVersion)
}
