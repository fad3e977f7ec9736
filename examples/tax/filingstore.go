package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/citizencert/citizencert/examples/internal/database"
)

// AddReturn keeps a return that waits for its signature.
func (s *Store) AddReturn(ctx context.Context, r *Return) error {
	_, err := s.DB.ExecContext(ctx, `INSERT INTO returns (number, account, document) VALUES (?, ?, ?)`,
		r.Number, r.Account, r.Document)
	return err
}

// Return returns a return of an account.
func (s *Store) Return(ctx context.Context, account, number string) (*Return, error) {
	r := Return{Number: number, Account: account}
	err := s.DB.QueryRowContext(ctx, `SELECT document FROM returns WHERE number = ? AND account = ?`, number, account).
		Scan(&r.Document)
	if err != nil {
		return nil, database.Missing(err)
	}
	return &r, nil
}

// Waiting returns the numbers of an account's returns for which no signature has
// been received, the latest first.
func (s *Store) Waiting(ctx context.Context, account string) ([]string, error) {
	return database.All(ctx, s.Store, database.Text, `SELECT number FROM returns WHERE account = ?
		AND number NOT IN (SELECT number FROM filings) ORDER BY rowid DESC`, account)
}

// A Filing is a signature that was received for a return.
type Filing struct {
	ID        int64
	Number    string // of the return
	Signer    string // subject of the session that sent it
	Signature []byte
	Record    Record

	// Line and Certificate are there if the phone has signed a line, and not the
	// document.
	Line        string
	Certificate []byte
}

// AddFiling keeps a filing, with the evidence of its verdict, and gives it its
// ID. If the filing is accepted, and its return has been filed before, nothing is
// kept: the ID is that of the earlier filing, and added is false.
func (s *Store) AddFiling(ctx context.Context, f *Filing, kept []byte) (added bool, err error) {
	record, err := json.Marshal(f.Record)
	if err != nil {
		return false, err
	}
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback() // without effect after Commit
	err = tx.QueryRowContext(ctx, `INSERT INTO filings (number, signer, signature, line, certificate, verdict, record)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`,
		f.Number, f.Signer, f.Signature, f.Line, f.Certificate, f.Record.Verdict, string(record)).Scan(&f.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return false, tx.QueryRowContext(ctx, `SELECT id FROM filings WHERE number = ? AND verdict = 'accepted'`,
			f.Number).Scan(&f.ID)
	}
	if err != nil {
		return false, err
	}
	if err := addVerdict(ctx, tx, f.ID, kept); err != nil {
		return false, err
	}
	return true, tx.Commit()
}

// Settle replaces the record of a pending filing. An accepted one that turns out
// to be the second of its kind becomes a duplicate.
func (s *Store) Settle(ctx context.Context, f *Filing, kept []byte) error {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	settled, err := settle(ctx, tx, f)
	if err == nil && !settled {
		f.Record.refuse(reasonDuplicate)
		_, err = settle(ctx, tx, f)
	}
	if err != nil {
		return err
	}
	if err := addVerdict(ctx, tx, f.ID, kept); err != nil {
		return err
	}
	return tx.Commit()
}

func settle(ctx context.Context, tx *sql.Tx, f *Filing) (bool, error) {
	record, err := json.Marshal(f.Record)
	if err != nil {
		return false, err
	}
	result, err := tx.ExecContext(ctx, `UPDATE OR IGNORE filings SET verdict = ?, record = ? WHERE id = ?`,
		f.Record.Verdict, string(record), f.ID)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

func addVerdict(ctx context.Context, tx *sql.Tx, filing int64, kept []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO verdicts (filing, evidence) VALUES (?, ?)`, filing, string(kept))
	return err
}

// KeepVerdict keeps the verdict on a sign-in.
func (s *Store) KeepVerdict(ctx context.Context, kept []byte) error {
	_, err := s.DB.ExecContext(ctx, `INSERT INTO verdicts (evidence) VALUES (?)`, string(kept))
	return err
}

const selectFilings = `SELECT f.id, f.number, f.signer, f.signature, f.line, f.certificate, f.record FROM filings f
	JOIN returns r ON r.number = f.number WHERE r.account = ?`

// Filing returns a filing of an account.
func (s *Store) Filing(ctx context.Context, account string, id int64) (*Filing, error) {
	f, err := scanFiling(s.DB.QueryRowContext(ctx, selectFilings+` AND f.id = ?`, account, id))
	return f, database.Missing(err)
}

// Filings returns the filings of an account, the latest first.
func (s *Store) Filings(ctx context.Context, account string) ([]*Filing, error) {
	return database.All(ctx, s.Store, scanFiling, selectFilings+` ORDER BY f.id DESC`, account)
}

func scanFiling(row database.Row) (*Filing, error) {
	var f Filing
	var record []byte
	if err := row.Scan(&f.ID, &f.Number, &f.Signer, &f.Signature, &f.Line, &f.Certificate, &record); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(record, &f.Record); err != nil {
		return nil, err
	}
	return &f, nil
}

// Evidence returns the last verdict on a filing, with what it rests on.
func (s *Store) Evidence(ctx context.Context, filing int64) (kept []byte, err error) {
	err = s.DB.QueryRowContext(ctx, `SELECT evidence FROM verdicts WHERE filing = ? ORDER BY rowid DESC LIMIT 1`, filing).Scan(&kept)
	return kept, database.Missing(err)
}
