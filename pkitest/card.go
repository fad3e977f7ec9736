package pkitest

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
)

// Person is the invented holder of a certificate. Give it a name that says
// 測試.
type Person struct {
	Name     string // if empty, 測試
	Number   string // subject serialNumber, 16 digits; if empty, one is assigned
	LastFour string // of the national ID; if empty, the end of Number
	Foreign  bool   // a foreign resident, whose ID is the ARC number
}

func (p Person) withDefaults(pki *PKI) Person {
	p.Name = cmp.Or(p.Name, "測試")
	if p.Number == "" {
		p.Number = pki.holderNumber()
	}
	if p.LastFour == "" {
		p.LastFour = p.Number[max(0, len(p.Number)-4):]
	}
	return p
}

// Card is what a citizen holds: a signature pair and an encryption pair, on a
// chip card or in a phone. It signs as the card reader component does. A Card
// put together from the Cert and Key of an [Issued] signs as well.
type Card struct {
	Person               Person
	Cert, EncryptionCert *x509.Certificate
	Key, EncryptionKey   crypto.Signer
	Issuer               *CA

	// CardNumber is printed on the card and can be signed on request. A phone
	// has none.
	CardNumber string
}

// IssueCard issues a card: both certificates are valid for five years and do
// not name a carrier. Options change the templates of both certificates; they
// can tell them apart by Template.Encryption.
func (g *Generation) IssueCard(p Person, opts ...func(*Template)) (*Card, error) {
	card, err := g.issue(p, Template{}, opts)
	if err != nil {
		return nil, err
	}
	card.CardNumber = fmt.Sprintf("TS%014d", g.pki.count(&g.pki.cards))
	return card, nil
}

// IssueMobile issues the mobile form: the certificates are valid for a year
// and name the carrier "mobile".
func (g *Generation) IssueMobile(p Person, opts ...func(*Template)) (*Card, error) {
	now := g.pki.now()
	return g.issue(p, Template{
		Carrier:  "mobile",
		NotAfter: endOfDay(now.UTC().AddDate(1, 0, 0)),
	}, opts)
}

func (g *Generation) issue(p Person, t Template, opts []func(*Template)) (*Card, error) {
	t.Person = p.withDefaults(g.pki)
	card := &Card{Person: t.Person, Issuer: g.MOICA}
	for _, encryption := range []bool{false, true} {
		u := t
		u.Encryption = encryption
		for _, opt := range opts {
			opt(&u)
		}
		issued, err := g.MOICA.Issue(u)
		if err != nil {
			return nil, err
		}
		if issued.Cert == nil {
			return nil, errors.New("pkitest: crypto/x509 cannot parse this certificate; use CA.Issue")
		}
		if encryption {
			card.EncryptionCert, card.EncryptionKey = issued.Cert, issued.Key
		} else {
			card.Cert, card.Key = issued.Cert, issued.Key
		}
	}
	return card, nil
}

// SignPKCS1 signs tbs as signatureType PKCS1 does with hashAlgorithm SHA256:
// RSASSA-PKCS1-v1_5, the bare signature without certificate. A card with an
// ECDSA or Ed25519 key signs with what goes with its key.
func (c *Card) SignPKCS1(tbs []byte) ([]byte, error) {
	a, err := algorithmFor(c.Key, x509.UnknownSignatureAlgorithm)
	if err != nil {
		return nil, err
	}
	return a.sign(c.Key, tbs)
}
