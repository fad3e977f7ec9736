package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/examples/internal/program"
	"github.com/citizencert/citizencert/examples/internal/visitor"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A walker is a citizen with card and phone, at a browser.
type walker struct {
	*visitor.Browser
	origin string
	card   *lookalike.Card
	phone  *pkitest.Phone
	judge  *evidence.Judge // judges what was kept once more
	out    io.Writer
}

// walk is the road of a citizen, over HTTP and through the same pages as with a
// browser.
func walk(ctx context.Context, env program.Env, out io.Writer) error {
	scheme, err := env.World.Scheme()
	if err != nil {
		return err
	}
	judge, err := newJudge(scheme)
	if err != nil {
		return err
	}
	b, err := visitor.New(env.Origin)
	if err != nil {
		return err
	}
	w := &walker{
		Browser: b, origin: env.Origin, judge: judge, out: out,
		card: env.World.Cards[lookalike.CitizenCard], phone: env.World.Phones[lookalike.CitizenPhone],
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"signing in", w.signIn},
		{"linking the account", w.link},
		{"filing", w.file},
		{"filing something else than was shown", w.tamper},
		{"signing in with the phone", w.signInByPhone},
		{"filing with the phone", w.fileByPhone},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	_, err = fmt.Fprintln(out, "done         everything was as it should be")
	return err
}

func (w *walker) signIn(ctx context.Context) error {
	p, err := w.Get(ctx, "/signin")
	if err != nil {
		return err
	}
	form, err := p.CardForm()
	if err != nil {
		return err
	}
	if p, err = w.Sign(ctx, form, lookalike.CitizenCard); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "card signed  %s\n", form.Request.TBS)
	// A session that is not linked yet is sent to where it can be, if the
	// database is new.
	if p.At("/account") != nil {
		if err := p.At("/filings"); err != nil {
			return err
		}
	}
	fmt.Fprintf(w.out, "sign-in      verified: card of %s, challenge redeemed, session begun\n", w.card.Person.Name)
	return nil
}

func (w *walker) link(ctx context.Context) error {
	p, err := w.Post(ctx, "/account", url.Values{"national_id": {w.card.NationalID}})
	if err != nil {
		return err
	}
	if err := p.At("/filings"); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "account      linked: the register says that %s belongs to the certificate\n", w.card.NationalID)
	return nil
}

func (w *walker) file(ctx context.Context) error {
	record, text, path, err := w.fileOne(ctx, nil)
	if err != nil {
		return err
	}
	if record.Verdict != Accepted {
		return fmt.Errorf("got verdict %q with reason %q", record.Verdict, record.Reason)
	}
	var shown document
	if err := json.Unmarshal(text, &shown); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "return       %s for the income of %d: tax %d TWD\n", shown.ReturnNumber, shown.IncomeYear, shown.Tax)
	fmt.Fprintf(w.out, "filing       verified: received %s, %s, certificate of generation %s\n",
		record.ReceivedAt.UTC().Format("2006-01-02T15:04:05Z"), record.Algorithm, record.Generation)
	fmt.Fprintf(w.out, "  path       %s\n", strings.Join(record.Path, " ← "))
	for _, status := range record.Revocation {
		fmt.Fprintf(w.out, "  status     %s: %s, learned by %s from %s\n", status.Certificate, status.Status, status.Rung, status.Source)
	}
	fmt.Fprintf(w.out, "  policy     %s %s, profile %s, environment %s\n",
		record.Policy, record.PolicyVersion, record.Profile, record.Environment)
	return w.evidence(ctx, path)
}

// evidence downloads what the verdict on a filing rests on and judges it again,
// by nothing else and without a network.
func (w *walker) evidence(ctx context.Context, path string) error {
	p, err := w.Get(ctx, path+"/evidence.json")
	if err != nil {
		return err
	}
	file, err := evidence.Parse([]byte(p.Body))
	if err != nil {
		return err
	}
	again, err := w.judge.Judge(ctx, file.Record, nil)
	if err != nil {
		return err
	}
	if !again.Same() {
		return fmt.Errorf("judged again: %v", again)
	}
	fmt.Fprintf(w.out, "  evidence   %d objects, %d bytes, SHA-256 %v\n", len(file.Record.Objects), len(p.Body), file.Hash())
	fmt.Fprintf(w.out, "             judged again from that alone: %s, as recorded\n", again.Again.Verdict.Outcome)
	return nil
}

// tamper signs a return in which the tax is not what the page showed.
func (w *walker) tamper(ctx context.Context) error {
	record, _, path, err := w.fileOne(ctx, func(document []byte) []byte {
		return bytes.Replace(document, []byte(`"tax": `), []byte(`"tax": -`), 1)
	})
	if err != nil {
		return err
	}
	if record.Reason != string(verify.ReasonDigestMismatch) {
		return fmt.Errorf("got verdict %q with reason %q, want a refusal with %q", record.Verdict, record.Reason, verify.ReasonDigestMismatch)
	}
	fmt.Fprintf(w.out, "tampered     refused: %s\n", record.Reason)
	return w.evidence(ctx, path)
}

// fileOne fills in a return, signs it and returns the record of the filing, the
// document that was shown, and the page of the filing. change, if not nil, changes
// the document on its way to the card, as a page that lies to its user could.
func (w *walker) fileOne(ctx context.Context, change func(document []byte) []byte) (*Record, []byte, string, error) {
	p, err := w.prepare(ctx)
	if err != nil {
		return nil, nil, "", err
	}
	form, err := p.CardForm()
	if err != nil {
		return nil, nil, "", err
	}
	document, err := form.Document()
	if err != nil {
		return nil, nil, "", err
	}
	if change != nil {
		form.Request.TBS = base64.StdEncoding.EncodeToString(change(document))
	}
	if p, err = w.Sign(ctx, form, lookalike.CitizenCard); err != nil {
		return nil, nil, "", err
	}
	record, err := w.record(ctx, p)
	return record, document, p.Path, err
}

// prepare fills in a return, and returns the page that asks to sign it.
func (w *walker) prepare(ctx context.Context) (*visitor.Page, error) {
	return w.Post(ctx, "/returns", url.Values{
		"year": {"2024"}, "salary": {"1200000"}, "interest": {"30000"}, "donations": {"5000"}, "dependents": {"1"},
	})
}

// record returns the record of the filing that a page shows.
func (w *walker) record(ctx context.Context, shown *visitor.Page) (*Record, error) {
	if err := shown.At("/filings/"); err != nil {
		return nil, err
	}
	p, err := w.Get(ctx, shown.Path+"/record.json")
	if err != nil {
		return nil, err
	}
	record := new(Record)
	return record, json.Unmarshal([]byte(p.Body), record)
}
