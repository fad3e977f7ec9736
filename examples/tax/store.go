package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"

	"github.com/citizencert/citizencert/examples/internal/database"
	"github.com/citizencert/citizencert/signin"
)

//go:embed schema.sql
var schema string

// A Store keeps accounts, returns and filings in SQLite, beside what every service
// keeps.
type Store struct{ *database.Store }

// A Store maps the subjects of sessions to accounts.
var _ signin.AccountLinker = (*Store)(nil)

// openStore opens the file at path, and makes it if there is none.
func openStore(ctx context.Context, path string) (*Store, error) {
	s, err := database.Open(ctx, path, schema)
	if err != nil {
		return nil, err
	}
	return &Store{s}, nil
}

// Account implements [signin.AccountLinker].
func (s *Store) Account(ctx context.Context, subject string) (account string, err error) {
	err = s.DB.QueryRowContext(ctx, `SELECT account FROM links WHERE subject = ?`, subject).Scan(&account)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return account, err
}

// Link links a holder to the account of a national ID number, which is opened if
// it is new. Whether the number is the holder's has to be known before.
func (s *Store) Link(ctx context.Context, subject, nationalID string) error {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	if _, err := tx.ExecContext(ctx, `INSERT INTO accounts (id, national_id) VALUES (?, ?) ON CONFLICT DO NOTHING`,
		rand.Text(), nationalID); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO links (subject, account) SELECT ?, id FROM accounts WHERE national_id = ?
		ON CONFLICT DO UPDATE SET account = excluded.account`, subject, nationalID); err != nil {
		return err
	}
	return tx.Commit()
}

// NationalID returns the number of an account's owner.
func (s *Store) NationalID(ctx context.Context, account string) (number string, err error) {
	err = s.DB.QueryRowContext(ctx, `SELECT national_id FROM accounts WHERE id = ?`, account).Scan(&number)
	return number, database.Missing(err)
}
