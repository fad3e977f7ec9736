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

// A Store keeps accounts, returns and filings in SQLite.
type Store struct{ db *sql.DB }

// A Store maps the subjects of sessions to accounts.
var _ signin.AccountLinker = (*Store)(nil)

// errNotFound also stands for what belongs to another account: nobody learns
// what others have.
var errNotFound = errors.New("not found")

// openStore opens the file at path, and makes it if there is none.
func openStore(ctx context.Context, path string) (*Store, error) {
	db, err := database.Open(ctx, path, schema)
	if err != nil {
		return nil, err
	}
	return &Store{db}, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Secret returns the random key of a name, made when it is first asked for.
func (s *Store) Secret(ctx context.Context, name string, size int) ([]byte, error) {
	return database.Secret(ctx, s.db, name, size)
}

// Challenges keeps what citizens have been asked to sign.
func (s *Store) Challenges() signin.ChallengeStore { return database.Challenges{DB: s.db} }

// KeepCertificate keeps the certificate of a holder who has signed in.
func (s *Store) KeepCertificate(ctx context.Context, subject string, certificate []byte) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO holders (subject, certificate) VALUES (?, ?)
		ON CONFLICT DO UPDATE SET certificate = excluded.certificate`, subject, certificate)
	return err
}

// Certificate returns the certificate of a holder's last sign-in, in DER.
func (s *Store) Certificate(ctx context.Context, subject string) (certificate []byte, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT certificate FROM holders WHERE subject = ?`, subject).Scan(&certificate)
	return certificate, missing(err)
}

// Account implements [signin.AccountLinker].
func (s *Store) Account(ctx context.Context, subject string) (string, error) {
	var account sql.NullString
	err := s.db.QueryRowContext(ctx, `SELECT account FROM holders WHERE subject = ?`, subject).Scan(&account)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return account.String, err
}

// Link links a holder to the account of a national ID number, which is opened if
// it is new. Whether the number is the holder's has to be known before.
func (s *Store) Link(ctx context.Context, subject, nationalID string) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	if _, err := tx.ExecContext(ctx, `INSERT INTO accounts (id, national_id) VALUES (?, ?) ON CONFLICT DO NOTHING`,
		rand.Text(), nationalID); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE holders SET account = (SELECT id FROM accounts WHERE national_id = ?)
		WHERE subject = ?`, nationalID, subject); err != nil {
		return err
	}
	return tx.Commit()
}

// NationalID returns the number of an account's owner.
func (s *Store) NationalID(ctx context.Context, account string) (number string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT national_id FROM accounts WHERE id = ?`, account).Scan(&number)
	return number, missing(err)
}

func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errNotFound
	}
	return err
}
