package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A rejudging is what evidence verify is told.
type rejudging struct {
	trust         *trust
	environment   string
	stores        stringList
	message, text string
	seals         sealing
	source, item  string // of a batch

	opened []io.Closer // stores that have to be closed
}

func (r *rejudging) close() {
	for _, store := range r.opened {
		store.Close()
	}
}

// setupEvidenceVerify is the command evidence verify.
func setupEvidenceVerify(fs *flag.FlagSet) action {
	r := &rejudging{trust: &trust{anyProfile: signerProfile()}}
	t := r.trust
	fs.Var(&t.anchors, "anchors", "`FILE` of trust anchors to use in place of the pinned ones (repeatable)")
	fs.Var(&t.intermediates, "intermediates", "`FILE` of CA certificates that are not trusted, as batch was told (repeatable)")
	fs.StringVar(&t.anchorDir, "anchor-dir", "", "`folder` of the pinned anchors (default $"+anchorsVariable+")")
	fs.StringVar(&r.environment, "environment", "", "`name` of the environment that -anchors are of: custom or test (default custom)")
	fs.Func("profile", "`name` of what the certificate must be: any, moica, moica-encryption\n(default moica; with -anchors, any)", t.setProfile)
	fs.Var(&t.stamping.anchors, "tsa-anchors", "`FILE` of trust anchors of time-stamp authorities (repeatable)")
	t.policy.register(fs)
	t.deviations.register(fs)
	fs.BoolVar(&t.skipRevocation, "insecure-skip-revocation", false, "do not ask whether certificates have been revoked")
	fs.Var(&r.stores, "store", "`folder or pack` with what the records refer to; a pack is checked as a whole (repeatable)")
	fs.StringVar(&r.message, "signature", "", "`FILE` with the signature, if the record has only its digest")
	fs.StringVar(&r.text, "content", "", "`FILE` with the content that was signed, if it is not in the SignedData; otherwise its recorded digest is compared")
	r.seals.register(fs)
	fs.StringVar(&r.source, "source", "", "`folder, manifest or archive` with the filings, for the folder of a batch")
	fs.StringVar(&r.item, "item", "", "`name` of the filing, for the folder of a batch (default all)")
	return r.verify
}

// rejudged is the report of evidence verify.
type rejudged struct {
	Verdict string           `json:"verdict"` // valid, if all is as recorded
	Records []rejudgedRecord `json:"records"`
	Store   []string         `json:"store,omitempty"` // what is damaged in it
}

type rejudgedRecord struct {
	Name     string `json:"name"`
	SHA256   string `json:"sha256,omitempty"`
	Verdict  string `json:"verdict"`            // valid if it is as recorded; changed, damaged, incomplete or not-sealed
	Recorded string `json:"recorded,omitempty"` // accepted or refused
	Again    string `json:"again,omitempty"`
	Message  string `json:"message"`

	Seals       []sealVerdict         `json:"seals,omitempty"`
	ByDigest    bool                  `json:"byDigest,omitempty"` // the content was not given
	Differences []evidence.Difference `json:"differences,omitempty"`
	Context     []evidence.Difference `json:"context,omitempty"` // by what it was judged now that differs
}

func (r *rejudging) verify(ctx context.Context, in *files, name string) (report, error) {
	defer r.close()
	switch {
	case isBatch(name):
		return r.verifyBatch(ctx, in, name)
	case r.source != "" || r.item != "":
		return nil, fmt.Errorf("-source and -item are for the folder of a batch, which %s is not", name)
	}
	judge, out, err := r.prepare(in)
	if err != nil {
		return nil, err
	}
	checker, err := r.seals.newChecker(in)
	if err != nil {
		return nil, err
	}
	defer checker.Close()
	names := append([]string{name}, in.more...)
	for _, name := range names {
		lines, err := in.evidence(name)
		if err != nil {
			return nil, err
		}
		if len(names)*len(lines) > 1 && (r.message != "" || r.text != "") {
			return nil, errors.New("-signature and -content are for one record")
		}
		for _, l := range lines {
			record, err := r.judge(ctx, in, judge, l, checker)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.name, err)
			}
			if record.Verdict != "valid" {
				out.Verdict = "refused"
			}
			out.Records = append(out.Records, *record)
		}
	}
	return out, nil
}

// prepare makes the judge, and checks the store.
func (r *rejudging) prepare(in *files) (*evidence.Judge, *rejudged, error) {
	t := r.trust
	scheme, err := t.knownScheme(in)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case r.environment != "" && !t.custom():
		return nil, nil, errors.New("-environment is for -anchors")
	case r.environment == verify.Test.String():
		scheme.Environment = verify.Test
	case r.environment != "" && r.environment != verify.Custom.String():
		return nil, nil, fmt.Errorf("-environment is %q, want custom or test", r.environment)
	}
	cfg := evidence.JudgeConfig{
		Config:                  verify.Config{Scheme: scheme, InsecureSkipRevocation: t.skipRevocation},
		InsecureAllowSHA1Status: t.policy.allowSHA1 || t.policy.statusSHA1,
	}
	t.policy.apply(&cfg.Config)
	t.deviations.apply(&cfg.Config, new(verify.Options))
	if err := t.stamping.apply(in, &cfg.Config, new(verify.Options)); err != nil {
		return nil, nil, err
	}
	out := &rejudged{Verdict: "valid", Records: []rejudgedRecord{}}
	var all stores
	for _, name := range r.stores {
		store, damage, err := openStore(name)
		if err != nil {
			return nil, nil, err
		}
		if closer, ok := store.(io.Closer); ok {
			r.opened = append(r.opened, closer)
		}
		if store != nil {
			all = append(all, store)
		}
		for _, d := range damage {
			out.Verdict, out.Store = "refused", append(out.Store, fmt.Sprintf("%s: %v", name, d))
		}
	}
	if len(all) > 0 {
		cfg.Store = all
	}
	judge, err := evidence.NewJudge(cfg)
	return judge, out, err
}

// judge judges one record. An error means that files could not be read.
func (r *rejudging) judge(ctx context.Context, in *files, judge *evidence.Judge, l recordLine, checker *sealChecker) (*rejudgedRecord, error) {
	out := &rejudgedRecord{Name: l.name, Verdict: "valid"}
	if l.damage != nil {
		out.Verdict, out.Message = "damaged", l.damage.Error()
		return out, nil
	}
	out.SHA256, out.Recorded = l.file.Hash().String(), string(l.file.Record.Verdict.Outcome)
	var sealed error
	if out.Seals, sealed = checker.check(ctx, l.file.Bytes(), l.file.Seals); sealed != nil {
		out.Verdict, out.Message = notSealed, sealed.Error()
		return out, nil
	}
	given := new(evidence.Given)
	if r.message != "" {
		var err error
		if given.Signature, err = in.object(r.message, signedDataFormat); err != nil {
			return nil, err
		}
	}
	var content *contentReader
	if r.text != "" {
		f, err := in.open(r.text)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		content = &contentReader{ReadCloser: f}
		given.Content = content
	}
	again, err := judge.Judge(ctx, l.file.Record, given)
	if content != nil && content.err != nil {
		return nil, content.err
	}
	if err != nil {
		return out, out.fail(err)
	}
	out.compare(again)
	return out, nil
}

// compare fills in what came out now.
func (out *rejudgedRecord) compare(again *evidence.Judgement) {
	out.Again, out.ByDigest = string(again.Again.Verdict.Outcome), again.ByDigest
	out.Differences, out.Context = again.Differences, again.Context
	if !again.Same() {
		out.Verdict = "changed"
	}
	if again.Refusal != nil {
		out.Message = again.Refusal.Error()
	}
}

// fail says why a record could not be judged, or returns the error if that is not
// because of the record.
func (out *rejudgedRecord) fail(err error) error {
	_, damaged := errors.AsType[*evidence.DamageError](err)
	_, contradicts := errors.AsType[*batch.DamageError](err)
	_, missing := errors.AsType[*evidence.MissingError](err)
	switch {
	case damaged, contradicts:
		out.Verdict = "damaged"
	case missing, errors.Is(err, evidence.ErrContentMissing):
		out.Verdict = "incomplete"
	default:
		return err
	}
	out.Message = err.Error()
	return nil
}

func (r *rejudged) exitCode() int {
	if r.Verdict == "valid" {
		return exitGood
	}
	return exitRefused
}

func (r *rejudged) writeText(w *textWriter) {
	for _, damage := range r.Store {
		w.line("store", "%s", damage)
	}
	for i := range r.Records {
		r.Records[i].writeText(w)
	}
}

func (r *rejudgedRecord) writeText(w *textWriter) {
	switch r.Verdict {
	case "valid":
		w.title("%s: as recorded: %s", r.Name, r.Recorded)
	case "changed":
		w.title("%s: not as recorded: it was %s, and is %s", r.Name, r.Recorded, r.Again)
	default:
		w.title("%s: %s", r.Name, r.Verdict)
	}
	w.nested(func() {
		w.line("SHA-256", "%s", r.SHA256)
		w.line("because", "%s", r.Message)
		writeSeals(w, r.Seals)
		for _, d := range r.Differences {
			w.line("changed", "%s", d)
		}
		for _, d := range r.Context {
			w.line("judged by another", "%s", d)
		}
		if r.ByDigest {
			w.line("content", "not given: its recorded digest was compared")
		}
	})
}

// signerProfile is what -profile any stands for where something was signed.
func signerProfile() verify.Profile {
	return verify.Profile{
		Name: profileAny,
		// RFC 5280, Section 4.2.1.3: what a key that verifies signatures on
		// documents has; a key without the extension is not restricted.
		KeyUsage:         x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		KeyUsageOptional: true,
		// Nothing else is asked. An anchor is no signer under any profile.
		AllowCA: true,
	}
}
