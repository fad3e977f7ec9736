package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// keep judges a message and writes the verdict to a file, refusals too. content is
// nil if it is inside.
func (j *judge) keep(ctx context.Context, name string, message []byte, content *contentReader) (*verify.Result, error) {
	// Evidence is not written over, and a file that cannot be written is told before
	// there is a verdict.
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	res, err := j.record(ctx, f, message, content)
	if closed := f.Close(); closed != nil {
		err = closed
	}
	if _, verdict := errors.AsType[*verify.Error](err); err != nil && !verdict {
		os.Remove(name)
		return nil, err
	}
	return res, err
}

func (j *judge) record(ctx context.Context, f *os.File, message []byte, content *contentReader) (*verify.Result, error) {
	recorder := &evidence.Recorder{Verifier: j.Verifier, Software: software()}
	q := evidence.Question{Method: evidence.SignedData, Signature: message, Options: j.opts}
	var rec *evidence.Record
	var res *verify.Result
	var verdict error
	if content == nil {
		rec, res, verdict = recorder.Ask(ctx, q, nil)
	} else {
		q.Method = evidence.Detached
		rec, res, verdict = recorder.Ask(ctx, q, content)
		if content.err != nil {
			return nil, content.err
		}
	}
	if rec == nil {
		return nil, verdict
	}
	kept, err := evidence.NewFile(rec)
	if err != nil {
		return nil, err
	}
	line, err := kept.Encode()
	if err == nil {
		_, err = f.Write(line)
	}
	if err = errors.Join(err, f.Sync()); err != nil {
		return nil, err
	}
	return res, verdict
}

// software names this program with its version.
func software() string {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = cmp.Or(info.Main.Version, version)
	}
	return "citizencert " + version
}

// A line is one record in a file of evidence: a file may have several.
type line struct {
	name   string // of the file, and which line if there are several
	file   *evidence.File
	damage *evidence.DamageError // in place of file
}

// evidence returns the records in a file, whole or damaged.
func (f *files) evidence(name string) ([]line, error) {
	data, err := f.read(name)
	if err != nil {
		return nil, err
	}
	var all []line
	several := bytes.Count(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) > 0
	for raw := range bytes.Lines(data) {
		l := line{name: name}
		if several {
			l.name = fmt.Sprintf("%s:%d", name, len(all)+1)
		}
		if l.file, err = evidence.Parse(raw); err != nil {
			damage, ok := errors.AsType[*evidence.DamageError](err)
			if !ok {
				return nil, fmt.Errorf("%s: %w", l.name, err)
			}
			l.damage = damage
		}
		all = append(all, l)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	return all, nil
}

// openStore opens a store of evidence to read: a folder, or a pack.
func openStore(name string) (store evidence.Store, damage []*evidence.DamageError, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return evidence.Dir(name), nil, nil
	}
	pack, err := evidence.ReadPack(name)
	if broken, ok := errors.AsType[*evidence.DamageError](err); ok {
		return nil, []*evidence.DamageError{broken}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	damage, err = pack.Check()
	return pack, damage, err
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

// The values of -policy, besides historical=INSTANT.
const (
	policyStrict     = "strict"
	policySP80057    = "sp800-57"
	policyHistorical = "historical="
)

// algorithmPolicyVar registers -policy.
func algorithmPolicyVar(fs *flag.FlagSet, policy *verify.AlgorithmPolicy) {
	fs.Func("policy", "`name` of the algorithm policy: strict, sp800-57, or historical=INSTANT, which admits SHA-1 before then (default strict)", func(value string) error {
		switch value {
		case policyStrict:
			*policy = verify.StrictPolicy()
			return nil
		case policySP80057:
			*policy = verify.SP80057Policy()
			return nil
		}
		var before time.Time
		if len(value) > len(policyHistorical) && value[:len(policyHistorical)] == policyHistorical {
			before, _ = time.Parse(time.RFC3339, value[len(policyHistorical):])
		}
		if before.IsZero() {
			return errors.New("want strict, sp800-57 or historical= with an instant such as 2023-04-21T00:00:00Z")
		}
		*policy = verify.HistoricalPolicy(before)
		return nil
	})
}
