// Package database is what the example services share of SQLite.
package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite"
)

// secrets are random keys that must outlive a restart. A real service has them in
// its secret store, not in its database.
const secrets = `CREATE TABLE IF NOT EXISTS secrets (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;`

// Open opens the file at path, makes it if there is none, and runs the schema, which
// has to stand being run again.
func Open(ctx context.Context, path, schema string) (*sql.DB, error) {
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
	if _, err := db.ExecContext(ctx, secrets+challenges+schema); err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), db.Close())
	}
	return db, nil
}

// Secret returns the random key of a name, made when it is first asked for.
func Secret(ctx context.Context, db *sql.DB, name string, size int) ([]byte, error) {
	fresh := make([]byte, size)
	rand.Read(fresh) // never fails
	_, err := db.ExecContext(ctx, `INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, name, fresh)
	if err != nil {
		return nil, err
	}
	var value []byte
	err = db.QueryRowContext(ctx, `SELECT value FROM secrets WHERE name = ?`, name).Scan(&value)
	return value, err
}
