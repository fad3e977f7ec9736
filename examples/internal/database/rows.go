package database

import (
	"context"
	"database/sql"
	"errors"
)

// ErrNotFound also stands for what belongs to somebody else: nobody learns what
// others have.
var ErrNotFound = errors.New("not found")

// Missing returns err, as ErrNotFound if a query has found no row.
func Missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// A Row is a [sql.Row], or the one at which [sql.Rows] are.
type Row interface {
	Scan(dest ...any) error
}

// All returns what scan makes of each row that a query finds.
func All[T any](ctx context.Context, s *Store, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := s.DB.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// Text scans a row of one text.
func Text(row Row) (text string, err error) {
	err = row.Scan(&text)
	return text, err
}
