package database

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/citizencert/citizencert/signin"
)

// challenges keeps challenges in the file, so that a citizen who has been sent to the
// phone can go on after a restart of the service. It must not be open to others.
type challenges struct{ db *sql.DB }

// Put implements [signin.ChallengeStore].
func (c challenges) Put(ctx context.Context, key string, value []byte, expiry time.Time) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	if _, err := tx.ExecContext(ctx, `DELETE FROM challenges WHERE expiry < ?`, time.Now().Unix()); err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO challenges (key, value, expiry) SELECT ?, ?, ?
		WHERE (SELECT count(*) FROM challenges) < ?
		ON CONFLICT DO UPDATE SET value = excluded.value, expiry = excluded.expiry`,
		key, value, expiry.Unix(), signin.MaxChallenges)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, signin.ErrStoreFull)
	}
	return tx.Commit()
}

// Take implements [signin.ChallengeStore].
func (c challenges) Take(ctx context.Context, key string) (value []byte, err error) {
	err = c.db.QueryRowContext(ctx, `DELETE FROM challenges WHERE key = ? RETURNING value`, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, signin.ErrNotFound
	}
	return value, err
}
