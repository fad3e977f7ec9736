package database

import (
	"context"
	"crypto/x509"
)

// KeepCertificate keeps the certificate of a holder who has signed in.
func (s *Store) KeepCertificate(ctx context.Context, subject string, cert *x509.Certificate) error {
	_, err := s.DB.ExecContext(ctx, `INSERT INTO holders (subject, certificate) VALUES (?, ?)
		ON CONFLICT DO UPDATE SET certificate = excluded.certificate`, subject, cert.Raw)
	return err
}

// Certificate returns the certificate of a holder's last sign-in. It was verified
// then.
func (s *Store) Certificate(ctx context.Context, subject string) (*x509.Certificate, error) {
	var der []byte
	err := s.DB.QueryRowContext(ctx, `SELECT certificate FROM holders WHERE subject = ?`, subject).Scan(&der)
	if err != nil {
		return nil, Missing(err)
	}
	return x509.ParseCertificate(der)
}
