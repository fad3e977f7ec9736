package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/citizencert/citizencert/verify/moica"
)

// anchorReport says which pinned certificates a folder holds.
type anchorReport struct {
	Verdict   string       `json:"verdict"` // valid if no pin is missing
	Message   string       `json:"message"`
	Pinned    []pinnedFile `json:"pinned"`
	Missing   []string     `json:"missing"`
	NotPinned []otherFile  `json:"notPinned"`
}

type pinnedFile struct {
	Name     string    `json:"name"`
	File     string    `json:"file"`
	SHA256   string    `json:"sha256"`
	Root     bool      `json:"root"`
	NotAfter time.Time `json:"notAfter"`
}

type otherFile struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

func setupAnchorsCheck(*flag.FlagSet) action {
	return func(_ context.Context, _ *files, dir string) (report, error) {
		if _, err := os.ReadDir(dir); err != nil {
			return nil, err
		}
		return newAnchorReport(moica.LoadAnchors(os.DirFS(dir))), nil
	}
}

func setupAnchorsFetch(*flag.FlagSet) action {
	return func(ctx context.Context, _ *files, dir string) (report, error) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		return newAnchorReport(moica.FetchAnchors(ctx, nil, dir)), nil
	}
}

func newAnchorReport(anchors *moica.Anchors, err error) *anchorReport {
	r := &anchorReport{Verdict: "refused", Pinned: []pinnedFile{}, Missing: []string{}, NotPinned: []otherFile{}}
	var found []moica.Found
	var skipped []moica.Skipped
	if err != nil {
		r.Message = err.Error()
		if none, ok := errors.AsType[*moica.NoRootError](err); ok {
			skipped = none.Skipped
		}
	} else {
		found, skipped = anchors.Found(), anchors.Skipped()
	}
	for _, s := range skipped {
		r.NotPinned = append(r.NotPinned, otherFile(s))
	}
	for _, pin := range moica.Pins() {
		i := slices.IndexFunc(found, func(f moica.Found) bool { return f.Pin == pin })
		if i < 0 {
			r.Missing = append(r.Missing, pin.Name)
			continue
		}
		f := found[i]
		r.Pinned = append(r.Pinned, pinnedFile{pin.Name, f.File, pin.SHA256, pin.Root, f.Cert.NotAfter.UTC()})
	}
	if len(r.Missing) == 0 {
		r.Verdict = "valid"
	} else if r.Message == "" {
		r.Message = fmt.Sprintf("%d of %d pinned certificates are missing; \"citizencert anchors fetch\" downloads them",
			len(r.Missing), len(moica.Pins()))
	}
	return r
}

func (r *anchorReport) exitCode() int {
	if r.Verdict == "valid" {
		return exitGood
	}
	return exitRefused
}

func (r *anchorReport) writeText(w *textWriter) {
	for _, p := range r.Pinned {
		kind := "CA"
		if p.Root {
			kind = "root"
		}
		w.line(p.Name, "%s (%s until %s, SHA-256 %s)", p.File, kind, p.NotAfter.Format(time.DateOnly), p.SHA256)
	}
	for _, name := range r.Missing {
		w.line(name, "missing")
	}
	for _, f := range r.NotPinned {
		w.line("not pinned", "%s: %s", f.File, f.Why)
	}
	w.line(r.Verdict, "%s", r.Message)
	if r.Message == "" {
		w.title("%s", r.Verdict)
	}
}
