package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"slices"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A sealing is what a command is told about seals: who must have made them. It is apart
// from what records are judged by.
type sealing struct {
	keys, anchors, crls, ocsps stringList
	skipRevocation             bool
}

func (s *sealing) register(fs *flag.FlagSet) {
	fs.Var(&s.keys, "seal-key", "`FILE` with a public key, or its certificate, in PEM: there must be a seal by it, or by another that is named,\nand every signature that is a seal must be by one of them (repeatable)")
	s.registerAuthorities(fs)
}

// registerAuthorities registers the flags about seals that are time-stamps.
func (s *sealing) registerAuthorities(fs *flag.FlagSet) {
	fs.Var(&s.anchors, "seal-tsa-anchors", "`FILE` of trust anchors of time-stamp authorities: there must be a seal by one of them,\nand every time-stamp that is a seal must be good (repeatable)")
	fs.Var(&s.crls, "seal-crl", "`FILE` of revocation lists about those authorities (repeatable)")
	fs.Var(&s.ocsps, "seal-ocsp", "`FILE` of OCSP responses about those authorities (repeatable)")
	fs.BoolVar(&s.skipRevocation, "insecure-skip-seal-revocation", false, "do not ask whether certificates of those authorities have been revoked")
}

// A sealChecker checks seals against keys and authorities. Without either it tells
// that seals are there.
type sealChecker struct {
	keys     []any
	verifier *verify.Verifier // nil without authorities
	opts     *verify.Options
	sources  *sources
}

func (s *sealing) newChecker(in *files) (*sealChecker, error) {
	c := &sealChecker{sources: new(sources)}
	status := len(s.crls) > 0 || len(s.ocsps) > 0
	switch {
	case len(s.anchors) == 0 && (status || s.skipRevocation):
		return nil, errors.New("-seal-crl, -seal-ocsp and -insecure-skip-seal-revocation are for -seal-tsa-anchors")
	case s.skipRevocation && status:
		return nil, errors.New("-insecure-skip-seal-revocation contradicts -seal-crl and -seal-ocsp")
	}
	for _, name := range s.keys {
		key, err := in.publicKey(name)
		if err != nil {
			return nil, err
		}
		if err := new(evidence.Seal).CheckKey(nil, key); !errors.Is(err, evidence.ErrNotSealed) {
			return nil, fmt.Errorf("%s: %w", name, err) // a key of another kind
		}
		c.keys = append(c.keys, key)
	}
	if len(s.anchors) == 0 {
		return c, nil
	}
	return c, c.authorities(in, s)
}

// authorities makes the verifier of time-stamps.
func (c *sealChecker) authorities(in *files, s *sealing) error {
	anchors, err := in.anchors(s.anchors)
	if err != nil {
		return err
	}
	t := &trust{crls: s.crls, ocsps: s.ocsps, skipRevocation: s.skipRevocation}
	responses, err := t.responses(in)
	if err != nil {
		return err
	}
	c.opts = &verify.Options{Evidence: responses}
	scheme := verify.Scheme{Name: "seals", Environment: verify.Custom, Anchors: anchors, Profile: signerProfile()}
	if c.sources, err = t.newSources(in, scheme, nil); err != nil {
		return err
	}
	c.verifier, err = verify.New(verify.Config{
		Scheme: scheme, Status: c.sources.status, InsecureSkipRevocation: s.skipRevocation,
		Timestamping: &verify.TimestampAuthority{Anchors: anchors},
	})
	if err != nil {
		return errors.Join(err, c.sources.Close())
	}
	return nil
}

func (c *sealChecker) Close() error { return c.sources.Close() }

// A sealVerdict is what is found of a seal.
type sealVerdict struct {
	Kind      evidence.SealKind `json:"kind"`
	Verdict   string            `json:"verdict"` // valid, refused or not-checked
	Message   string            `json:"message,omitempty"`
	Timestamp *timestamp        `json:"timestamp,omitempty"`
}

// The verdicts on what seals are over.
const (
	sealNotChecked = "not-checked"
	notSealed      = "not-sealed"
)

// check returns what is found of each seal over data, and an error if they are not
// those that were asked for.
func (c *sealChecker) check(ctx context.Context, data []byte, seals []evidence.Seal) ([]sealVerdict, error) {
	var all []sealVerdict
	var errs []error
	valid := make(map[evidence.SealKind]bool)
	for i := range seals {
		v := c.checkSeal(ctx, data, &seals[i])
		if v.Verdict == "refused" {
			errs = append(errs, fmt.Errorf("seal %d of %d does not verify", i+1, len(seals)))
		}
		valid[v.Kind] = valid[v.Kind] || v.Verdict == "valid"
		all = append(all, v)
	}
	if len(c.keys) > 0 && !valid[evidence.SealKey] {
		errs = append(errs, errors.New("not sealed by a key of -seal-key"))
	}
	if c.verifier != nil && !valid[evidence.SealTimestamp] {
		errs = append(errs, errors.New("not sealed by a time-stamp of -seal-tsa-anchors"))
	}
	return all, errors.Join(errs...)
}

func (c *sealChecker) checkSeal(ctx context.Context, data []byte, seal *evidence.Seal) sealVerdict {
	v := sealVerdict{Kind: seal.Kind, Verdict: "valid"}
	switch {
	case seal.Kind == evidence.SealKey && len(c.keys) == 0:
		v.Verdict, v.Message = sealNotChecked, "-seal-key names no key"
	case seal.Kind == evidence.SealKey:
		if !slices.ContainsFunc(c.keys, func(key any) bool { return seal.CheckKey(data, key) == nil }) {
			v.Verdict, v.Message = "refused", "it is no signature over this by a key of -seal-key"
		}
	case c.verifier == nil:
		v.Verdict, v.Message = sealNotChecked, "-seal-tsa-anchors names no authority"
	default:
		t, err := seal.CheckTimestamp(ctx, data, c.verifier, c.opts)
		if err != nil {
			v.Verdict, v.Message = "refused", err.Error()
			break
		}
		stamp := newTimestamp(t)
		v.Timestamp = &stamp
	}
	return v
}

func writeSeals(w *textWriter, seals []sealVerdict) {
	for i := range seals {
		seals[i].writeText(w)
	}
}

func (v *sealVerdict) writeText(w *textWriter) {
	switch {
	case v.Timestamp != nil:
		w.line("sealed by", "time-stamp: %s", v.Timestamp.text())
	case v.Verdict == "valid":
		w.line("sealed by", "key")
	case v.Verdict == sealNotChecked:
		w.line("seal not checked", "%s: %s", v.Kind, v.Message)
	default:
		w.line("seal refused", "%s: %s", v.Kind, v.Message)
	}
}

// manifestSeals are what is found of the seals over the manifest of a batch.
type manifestSeals struct {
	Seals     []sealVerdict `json:"seals,omitempty"`
	NotSealed string        `json:"notSealed,omitempty"` // why it is not sealed as it was asked for
}

// check checks the seals of a batch. Before its end there are none.
func (m *manifestSeals) check(ctx context.Context, checker *sealChecker, last *batch.Report) {
	var err error
	if m.Seals, err = checker.check(ctx, last.Bytes(), last.Seals); err != nil {
		m.NotSealed = err.Error()
	}
}

func (m *manifestSeals) writeText(w *textWriter) {
	w.line("because", "%s", m.NotSealed)
	writeSeals(w, m.Seals)
}

// publicKey reads the key of seals: a public key, or a certificate, in PEM.
func (f *files) publicKey(name string) (any, error) {
	data, err := f.read(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", name)
	}
	if block.Type == "CERTIFICATE" {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return cert.PublicKey, nil
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return key, nil
}
