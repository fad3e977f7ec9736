package main

import (
	"context"
	"errors"
	"flag"

	"github.com/citizencert/citizencert/verify/batch"
)

// An auditCall is what the command audit is told.
type auditCall struct {
	stores stringList
}

// setupAudit is the command audit: whether the record of a batch is as it was written.
func setupAudit(fs *flag.FlagSet) action {
	c := new(auditCall)
	fs.Var(&c.stores, "store", "`folder or pack` with what results refer to, besides the pack in DIR: those of all workers, if others than batch have judged (repeatable)")
	return c.audit
}

func (c *auditCall) audit(_ context.Context, _ *files, dir string) (report, error) {
	checked, err := batch.Verify(dir, c.stores...)
	if damage, ok := errors.AsType[*batch.DamageError](err); ok {
		return &damageReport{"damaged", damage.Error(), damage.File, damage.Line, damage.Item}, nil
	}
	if err != nil {
		return nil, err
	}
	return &auditReport{"intact", newBatchReport(checked, ""), checked.Elsewhere}, nil
}

type auditReport struct {
	Record string `json:"record"`
	*batchReport
	Elsewhere int64 `json:"elsewhere,omitempty"` // results with evidence that was not looked at
}

func (a *auditReport) exitCode() int { return exitGood }

func (a *auditReport) writeText(w *textWriter) {
	w.title("the record is as it was written, if its manifest is the one you know:")
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

func (d *damageReport) exitCode() int { return exitRefused }

func (d *damageReport) writeText(w *textWriter) {
	w.title("damaged")
	w.line("because", "%s", d.Message)
}
