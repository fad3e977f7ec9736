// Package database is what the example services share of SQLite: the file, and what
// every one of them keeps in it.
package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite"

	"github.com/citizencert/citizencert/signin"
)

//go:embed schema.sql
var common string

// A Store is the file of a service. What it has besides is the service's own.
type Store struct{ DB *sql.DB }

// Open opens the file at path, makes it if there is none, and runs the schema of the
// service, which has to stand being run again.
func Open(ctx context.Context, path, schema string) (*Store, error) {
	dsn := url.URL{
		Scheme:   "file",
		Opaque:   (&url.URL{Path: path}).EscapedPath(),
		RawQuery: "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)",
	}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer
	if _, err := db.ExecContext(ctx, common+schema); err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), db.Close())
	}
	return &Store{db}, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.DB.Close() }

// PairwiseKey returns the key of subjects, made when it is first asked for.
func (s *Store) PairwiseKey(ctx context.Context) (key []byte, err error) {
	fresh := make([]byte, signin.MinPairwiseKey)
	rand.Read(fresh) // never fails
	const name = "pairwise"
	if _, err := s.DB.ExecContext(ctx, `INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, name, fresh); err != nil {
		return nil, err
	}
	err = s.DB.QueryRowContext(ctx, `SELECT value FROM secrets WHERE name = ?`, name).Scan(&key)
	return key, err
}

// Challenges keeps what citizens have been asked to sign.
func (s *Store) Challenges() signin.ChallengeStore { return challenges{s.DB} }
