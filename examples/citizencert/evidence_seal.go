package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"

	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A sealCall is what the command evidence seal is told.
type sealCall struct {
	key, token string
	seals      sealing // what a token is checked by
}

// setupEvidenceSeal is the command evidence seal. It puts no seal over a record that is
// damaged, and none that does not verify.
func setupEvidenceSeal(fs *flag.FlagSet) action {
	c := new(sealCall)
	fs.StringVar(&c.key, "key", "", "`FILE` with the private key to sign with, PKCS #8 in PEM: RSA of 2048 bits or more, P-256 or Ed25519")
	fs.StringVar(&c.token, "timestamp", "", "`FILE` with a time-stamp token over the manifest, for -seal-tsa-anchors")
	c.seals.registerAuthorities(fs)
	return c.seal
}

func (c *sealCall) seal(ctx context.Context, in *files, dir string) (report, error) {
	switch {
	case c.key == "" && c.token == "":
		return nil, errors.New("want -key or -timestamp")
	case (c.token == "") != (len(c.seals.anchors) == 0):
		return nil, errors.New("-timestamp and -seal-tsa-anchors go together: a token is checked before it is added")
	}
	checker, err := c.seals.newChecker(in)
	if err != nil {
		return nil, err
	}
	defer checker.Close()
	checked, err := batch.Verify(dir)
	if damage, ok := errors.AsType[*batch.DamageError](err); ok {
		return newDamageReport(damage), nil
	}
	if err != nil {
		return nil, err
	}
	out := &sealedReport{Verdict: "sealed", Manifest: checked.Manifest}
	made, err := c.newSeals(ctx, in, checker, checked, out)
	if err != nil || out.Verdict != "sealed" {
		return out, err
	}
	for _, seal := range made {
		if err := checked.AddSeal(dir, seal); err != nil {
			return nil, err
		}
	}
	out.Seals = len(checked.Seals)
	return out, nil
}

// newSeals makes the seals, or says in the report why one does not verify.
func (c *sealCall) newSeals(ctx context.Context, in *files, checker *sealChecker, over *batch.Report, out *sealedReport) ([]evidence.Seal, error) {
	var made []evidence.Seal
	if c.key != "" {
		key, err := in.privateKey(c.key)
		if err != nil {
			return nil, err
		}
		seal, err := evidence.NewKeySeal(over.Bytes(), key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.key, err)
		}
		made = append(made, seal)
	}
	if c.token != "" {
		token, err := in.object(c.token, timestampFormat)
		if err != nil {
			return nil, err
		}
		seal := evidence.NewTimestampSeal(token)
		if v := checker.checkSeal(ctx, over.Bytes(), &seal); v.Verdict != "valid" {
			out.Verdict, out.Message = "refused", fmt.Sprintf("%s: %s", c.token, v.Message)
		}
		made = append(made, seal)
	}
	return made, nil
}

// A sealedReport is the report of evidence seal.
type sealedReport struct {
	Verdict  string `json:"verdict"`  // sealed or refused
	Manifest string `json:"manifest"` // its SHA-256
	Seals    int    `json:"seals,omitempty"`
	Message  string `json:"message,omitempty"`
}

func (r *sealedReport) exitCode() int {
	if r.Verdict == "sealed" {
		return exitGood
	}
	return exitRefused
}

func (r *sealedReport) writeText(w *textWriter) {
	w.title("%s", r.Verdict)
	w.line("because", "%s", r.Message)
	w.line("manifest", "%s", r.Manifest)
	if r.Seals > 0 {
		w.line("seals", "%d", r.Seals)
	}
}

// privateKey reads a key to sign with.
func (f *files) privateKey(name string) (crypto.Signer, error) {
	data, err := f.read(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("%s holds no PEM block PRIVATE KEY (PKCS #8, not encrypted)", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s holds a key of type %T, which does not sign", name, key)
	}
	return signer, nil
}
