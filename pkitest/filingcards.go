package pkitest

import (
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// embeddedHolderKeys returns all keys in keys/ that are for holders.
func embeddedHolderKeys() ([]crypto.Signer, error) {
	var keys []crypto.Signer
	for {
		key, err := embeddedKey(fmt.Sprintf("holder-%02d", len(keys)))
		if errors.Is(err, fs.ErrNotExist) {
			return keys, nil
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
}

// A filingIssuer gives out the certificates of those who sign filings. They have
// been valid for a month.
type filingIssuer struct {
	pki  *PKI
	keys []crypto.Signer
	now  time.Time
}

// citizens returns n cards, of which every third is of the second generation.
func (s *filingIssuer) citizens(n int) ([]*Card, error) {
	return parallel(n, func(i int) (*Card, error) {
		ca := s.pki.G3.MOICA
		if i%3 == 2 {
			ca = s.pki.G2.MOICA
		}
		return s.issue(ca, i, Template{})
	})
}

func (s *filingIssuer) issue(ca *CA, i int, t Template) (*Card, error) {
	t.Key = s.keys[i%len(s.keys)]
	t.Person = Person{Name: fmt.Sprintf("測試 %d", i)}.withDefaults(s.pki)
	t.NotBefore = s.now.AddDate(0, -1, 0)
	issued, err := ca.Issue(t)
	if err != nil {
		return nil, err
	}
	return &Card{Person: t.Person, Cert: issued.Cert, Key: issued.Key, Issuer: ca}, nil
}

// faulty returns the card with which filings with a defect are signed, or nil if the
// defect is not in the card.
func (s *filingIssuer) faulty(defect Defect) (*Card, error) {
	ca := s.pki.G3.MOICA
	var t Template
	switch defect {
	case DefectRevoked, DefectSuspended:
	case DefectExpired:
		t.NotAfter = s.now.AddDate(0, 0, -1)
	case DefectEncryption:
		t.Encryption = true
	case DefectStranger:
		var err error
		if ca, err = s.pki.SelfSigned(Template{RawSubject: moicaName}); err != nil {
			return nil, err
		}
	default:
		return nil, nil
	}
	card, err := s.issue(ca, len(s.keys)-1, t)
	if err != nil {
		return nil, err
	}
	switch defect {
	case DefectRevoked:
		ca.Revoke(card.Cert, s.now.AddDate(0, 0, -2), ReasonKeyCompromise)
	case DefectSuspended:
		ca.Suspend(card.Cert, s.now.AddDate(0, 0, -2))
	}
	return card, nil
}
