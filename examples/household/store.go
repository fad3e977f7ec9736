package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"github.com/citizencert/citizencert/examples/internal/database"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

//go:embed schema.sql
var schema string

// A Store keeps applications and what proves consent to them, beside what every
// service keeps.
type Store struct{ *database.Store }

// openStore opens the file at path, and makes it if there is none.
func openStore(ctx context.Context, path string) (*Store, error) {
	s, err := database.Open(ctx, path, schema)
	if err != nil {
		return nil, err
	}
	return &Store{s}, nil
}

// An Application is what a citizen applies for, in the text that is shown.
type Application struct {
	Number   string
	Subject  string          // of the session that made it
	Language signin.Language // of the text
	Text     string
	Proof    *Proof // nil: consent has not been given
}

// A Proof is what is kept of a consent: with the text it can be verified by anybody
// who has the trust anchors, without a network and without this service.
type Proof struct {
	Host      string
	Line      string
	Signature []byte
	GivenAt   time.Time
	Evidence  []verify.Evidence
}

// AddApplication keeps an application for which consent is still to be given.
func (s *Store) AddApplication(ctx context.Context, a *Application) error {
	_, err := s.DB.ExecContext(ctx, `INSERT INTO applications (number, subject, language, text) VALUES (?, ?, ?, ?)`,
		a.Number, a.Subject, a.Language, a.Text)
	return err
}

// AddProof keeps the proof of consent to an application. The first stays: added
// tells whether this is it.
func (s *Store) AddProof(ctx context.Context, number string, p *Proof) (added bool, err error) {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback() // without effect after Commit
	result, err := tx.ExecContext(ctx, `INSERT INTO consents (number, host, line, signature, given_at)
		VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, number, p.Host, p.Line, p.Signature, p.GivenAt.UTC().Format(time.RFC3339Nano))
	if err != nil {
		return false, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	for _, e := range p.Evidence {
		if _, err := tx.ExecContext(ctx, `INSERT INTO evidence (number, kind, der) VALUES (?, ?, ?)`, number, e.Kind, e.DER); err != nil {
			return false, err
		}
	}
	return true, tx.Commit()
}

// Applications returns a holder's applications, the latest first.
func (s *Store) Applications(ctx context.Context, subject string) ([]*Application, error) {
	numbers, err := database.All(ctx, s.Store, database.Text,
		`SELECT number FROM applications WHERE subject = ? ORDER BY rowid DESC`, subject)
	if err != nil {
		return nil, err
	}
	var all []*Application
	for _, number := range numbers {
		a, err := s.Application(ctx, subject, number)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// Application returns an application of a holder, with the proof if there is one.
func (s *Store) Application(ctx context.Context, subject, number string) (*Application, error) {
	a := &Application{Number: number, Subject: subject}
	err := s.DB.QueryRowContext(ctx, `SELECT language, text FROM applications WHERE number = ? AND subject = ?`, number, subject).
		Scan(&a.Language, &a.Text)
	if err != nil {
		return nil, database.Missing(err)
	}
	var p Proof
	var givenAt string
	err = s.DB.QueryRowContext(ctx, `SELECT host, line, signature, given_at FROM consents WHERE number = ?`, number).
		Scan(&p.Host, &p.Line, &p.Signature, &givenAt)
	if errors.Is(err, sql.ErrNoRows) {
		return a, nil
	}
	if err != nil {
		return nil, err
	}
	if p.GivenAt, err = time.Parse(time.RFC3339Nano, givenAt); err != nil {
		return nil, err
	}
	a.Proof = &p
	p.Evidence, err = database.All(ctx, s.Store, scanEvidence, `SELECT kind, der FROM evidence WHERE number = ? ORDER BY rowid`, number)
	return a, err
}

func scanEvidence(row database.Row) (e verify.Evidence, err error) {
	err = row.Scan(&e.Kind, &e.DER)
	return e, err
}
