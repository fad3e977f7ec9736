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
	"github.com/citizencert/citizencert/examples/internal/visitor"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// walk is the road of a citizen, over HTTP and through the same pages as with a
// browser. judge judges what was kept once more.
func walk(ctx context.Context, origin string, card *lookalike.Card, judge *evidence.Judge, out io.Writer) error {
	b, err := visitor.New(origin)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context, *visitor.Browser, *lookalike.Card, io.Writer) error
	}{
		{"signing in", walkSignIn},
		{"linking the account", walkLink},
		{"filing", func(ctx context.Context, b *visitor.Browser, _ *lookalike.Card, out io.Writer) error {
			return walkFiling(ctx, b, judge, out)
		}},
		{"filing something else than was shown", func(ctx context.Context, b *visitor.Browser, _ *lookalike.Card, out io.Writer) error {
			return walkTampered(ctx, b, judge, out)
		}},
	} {
		if err := step.do(ctx, b, card, out); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	_, err = fmt.Fprintln(out, "done         everything was as it should be")
	return err
}

func walkSignIn(ctx context.Context, b *visitor.Browser, card *lookalike.Card, out io.Writer) error {
	p, err := b.Get(ctx, "/signin")
	if err != nil {
		return err
	}
	form, err := p.CardForm()
	if err != nil {
		return err
	}
	if p, err = b.Sign(ctx, form, lookalike.CitizenCard); err != nil {
		return err
	}
	fmt.Fprintf(out, "card signed  %s\n", form.Request.TBS)
	// A session that is not linked yet is sent to where it can be, if the
	// database is new.
	if p.At("/account") != nil {
		if err := p.At("/filings"); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "sign-in      verified: card of %s, challenge redeemed, session begun\n", card.Person.Name)
	return nil
}

func walkLink(ctx context.Context, b *visitor.Browser, card *lookalike.Card, out io.Writer) error {
	p, err := b.Post(ctx, "/account", url.Values{"national_id": {card.NationalID}})
	if err != nil {
		return err
	}
	if err := p.At("/filings"); err != nil {
		return err
	}
	fmt.Fprintf(out, "account      linked: the register says that %s belongs to the certificate\n", card.NationalID)
	return nil
}

func walkFiling(ctx context.Context, b *visitor.Browser, judge *evidence.Judge, out io.Writer) error {
	record, text, path, err := fileOne(ctx, b, nil)
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
	fmt.Fprintf(out, "return       %s for the income of %d: tax %d TWD\n", shown.ReturnNumber, shown.IncomeYear, shown.Tax)
	fmt.Fprintf(out, "filing       verified: received %s, %s, certificate of generation %s\n",
		record.ReceivedAt.UTC().Format("2006-01-02T15:04:05Z"), record.Algorithm, record.Generation)
	fmt.Fprintf(out, "  path       %s\n", strings.Join(record.Path, " ← "))
	for _, status := range record.Revocation {
		fmt.Fprintf(out, "  status     %s: %s, learned by %s from %s\n", status.Certificate, status.Status, status.Rung, status.Source)
	}
	fmt.Fprintf(out, "  policy     %s %s, profile %s, environment %s\n",
		record.Policy, record.PolicyVersion, record.Profile, record.Environment)
	return walkEvidence(ctx, b, judge, path, out)
}

// walkEvidence downloads what the verdict on a filing rests on and judges it again,
// by nothing else and without a network.
func walkEvidence(ctx context.Context, b *visitor.Browser, judge *evidence.Judge, path string, out io.Writer) error {
	p, err := b.Get(ctx, path+"/evidence.json")
	if err != nil {
		return err
	}
	file, err := evidence.Parse([]byte(p.Body))
	if err != nil {
		return err
	}
	again, err := judge.Judge(ctx, file.Record, nil)
	if err != nil {
		return err
	}
	if !again.Same() {
		return fmt.Errorf("judged again: %v", again)
	}
	fmt.Fprintf(out, "  evidence   %d objects, %d bytes, SHA-256 %v\n", len(file.Record.Objects), len(p.Body), file.Hash())
	fmt.Fprintf(out, "             judged again from that alone: %s, as recorded\n", again.Again.Verdict.Outcome)
	return nil
}

// walkTampered signs a return in which the tax is not what the page showed.
func walkTampered(ctx context.Context, b *visitor.Browser, judge *evidence.Judge, out io.Writer) error {
	record, _, path, err := fileOne(ctx, b, func(document []byte) []byte {
		return bytes.Replace(document, []byte(`"tax": `), []byte(`"tax": -`), 1)
	})
	if err != nil {
		return err
	}
	if record.Reason != string(verify.ReasonDigestMismatch) {
		return fmt.Errorf("got verdict %q with reason %q, want a refusal with %q", record.Verdict, record.Reason, verify.ReasonDigestMismatch)
	}
	fmt.Fprintf(out, "tampered     refused: %s\n", record.Reason)
	return walkEvidence(ctx, b, judge, path, out)
}

// fileOne fills in a return, signs it and returns the record of the filing, the
// document that was shown, and the page of the filing. change, if not nil, changes
// the document on its
// way to the card, as a page that lies to its user could.
func fileOne(ctx context.Context, b *visitor.Browser, change func(document []byte) []byte) (*Record, []byte, string, error) {
	p, err := b.Post(ctx, "/returns", url.Values{
		"year": {"2024"}, "salary": {"1200000"}, "interest": {"30000"}, "donations": {"5000"}, "dependents": {"1"},
	})
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
	if p, err = b.Sign(ctx, form, lookalike.CitizenCard); err != nil {
		return nil, nil, "", err
	}
	if err := p.At("/filings/"); err != nil {
		return nil, nil, "", err
	}
	path := p.Path
	if p, err = b.Get(ctx, path+"/record.json"); err != nil {
		return nil, nil, "", err
	}
	var record Record
	return &record, document, path, json.Unmarshal([]byte(p.Body), &record)
}
