package main

import (
	"context"
	"errors"
	"flag"
	"slices"

	"github.com/citizencert/citizencert/verify/batch"
)

// An auditCall is what the command audit is told.
type auditCall struct {
	stores stringList
	seals  sealing
}

// setupAudit is the command audit: whether the record of a batch is as it was written.
func setupAudit(fs *flag.FlagSet) action {
	c := new(auditCall)
	fs.Var(&c.stores, "store", "`folder or pack` with what results refer to, besides the pack in DIR: those of all workers, if others than batch have judged (repeatable)")
	c.seals.register(fs)
	return c.audit
}

func (c *auditCall) audit(ctx context.Context, in *files, dir string) (report, error) {
	checker, err := c.seals.newChecker(in)
	if err != nil {
		return nil, err
	}
	defer checker.Close()
	checked, err := batch.Verify(dir, c.stores...)
	if damage, ok := errors.AsType[*batch.DamageError](err); ok {
		return newDamageReport(damage), nil
	}
	if err != nil {
		return nil, err
	}
	out := &auditReport{Record: "intact", batchReport: newBatchReport(checked, ""), Elsewhere: checked.Elsewhere}
	if out.check(ctx, checker, checked); out.NotSealed != "" {
		out.Record = notSealed
	}
	return out, nil
}

type auditReport struct {
	Record string `json:"record"`
	*batchReport
	manifestSeals
	Elsewhere int64 `json:"elsewhere,omitempty"` // results with evidence that was not looked at
}

func (a *auditReport) exitCode() int {
	if a.Record == "intact" {
		return exitGood
	}
	return exitRefused
}

func (a *auditReport) writeText(w *textWriter) {
	switch {
	case a.NotSealed != "":
		w.title("the record has not the seals that were asked for:")
	case slices.ContainsFunc(a.Seals, func(s sealVerdict) bool { return s.Verdict == "valid" }):
		w.title("the record is as it was written when its manifest was sealed:")
	default:
		w.title("the record is as it was written, if its manifest is the one you know:")
	}
	a.manifestSeals.writeText(w)
	if a.Elsewhere > 0 {
		w.line("not looked at", "what %d results rest on, which is kept elsewhere: name the packs of the workers with -store", a.Elsewhere)
	}
	a.batchReport.writeText(w)
}

type damageReport struct {
	Record  string `json:"record"`
	Message string `json:"message"`
	File    string `json:"file"`
	Line    int64  `json:"line,omitempty"`
	Item    string `json:"item,omitempty"`
}

func newDamageReport(damage *batch.DamageError) *damageReport {
	return &damageReport{"damaged", damage.Error(), damage.File, damage.Line, damage.Item}
}

func (d *damageReport) exitCode() int { return exitRefused }

func (d *damageReport) writeText(w *textWriter) {
	w.title("damaged")
	w.line("because", "%s", d.Message)
}
