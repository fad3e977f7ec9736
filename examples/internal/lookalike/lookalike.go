// Package lookalike is everything that lies outside a service and that a
// developer's desk lacks: a national PKI with its responder and revocation
// lists, citizens with cards and phones, the card reader component on a citizen's
// machine, the mobile certificate's operator, and the register that knows whose
// certificate is whose.
//
// A service that goes live replaces this package by the real things and nothing
// else.
package lookalike

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// A World is what surrounds a service.
type World struct {
	PKI       *pkitest.PKI
	Cards     []*Card
	Register  *pkitest.Register
	Component *pkitest.Component
	Fido      *pkitest.Fido
	Phones    []*pkitest.Phone
}

// A Card is the card of an invented person.
type Card struct {
	*pkitest.Card
	NationalID string
	Note       string // what is special about it, for the person who chooses a card
}

// The cards, by their place in World.Cards. FormerCard belongs to the same
// person as CitizenCard and has the same holder number; it was lost and revoked.
const (
	CitizenCard = iota
	SecondGenerationCard
	ResidentCard
	FormerCard
)

// The phones, by their place in World.Phones: of the holders of CitizenCard and of
// SecondGenerationCard. Their certificates have holder numbers of their own: that a
// card and a phone are of the same person is for the register to say.
const (
	CitizenPhone = iota
	OtherPhone
)

// people are invented. The check digits of their numbers are wrong, so that the
// numbers cannot be anybody's.
var people = [...]struct {
	pkitest.Person
	nationalID string
	generation string
	note       string
}{
	CitizenCard: {
		pkitest.Person{Name: "王測試", Number: "9900000000000101"},
		"A100000009", "G3", "本國人 · citizen",
	},
	SecondGenerationCard: {
		pkitest.Person{Name: "林測試", Number: "9900000000000102"},
		"B200000005", "G2", "本國人，第二代憑證 · citizen, second generation",
	},
	ResidentCard: {
		pkitest.Person{Name: "TEST RESIDENT 測試", Number: "9900000000000103", Foreign: true},
		"C800000008", "G3", "外籍人士 · foreign resident",
	},
	FormerCard: {
		pkitest.Person{Name: "王測試", Number: "9900000000000101"},
		"A100000009", "G3", "遺失而已廢止的舊卡 · former card, lost and revoked",
	},
}

// Start builds the world. Close it after use.
func Start() (*World, error) {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		return nil, err
	}
	w := &World{PKI: pki, Register: new(pkitest.Register)}
	for _, p := range people {
		p.LastFour = p.nationalID[len(p.nationalID)-4:]
		generation := map[string]*pkitest.Generation{"G2": pki.G2, "G3": pki.G3}[p.generation]
		card, err := generation.IssueCard(p.Person)
		if err != nil {
			return nil, errors.Join(err, pki.Close())
		}
		w.Cards = append(w.Cards, &Card{Card: card, NationalID: p.nationalID, Note: p.note})
		w.Register.Enter(card.Cert, p.nationalID)
	}
	lost := w.Cards[FormerCard]
	lost.Issuer.Revoke(lost.Cert, time.Now().Add(-time.Hour), pkitest.ReasonKeyCompromise)
	var inReader []pkitest.ReaderCard
	for _, c := range w.Cards {
		inReader = append(inReader, pkitest.ReaderCard{Card: c.Card, Label: c.NationalID + " · " + c.Note})
	}
	if err := w.enrollPhones(); err != nil {
		return nil, errors.Join(err, pki.Close())
	}
	if w.Component, err = pkitest.StartComponent(pkitest.ComponentConfig{Cards: inReader}); err != nil {
		return nil, errors.Join(err, pki.Close())
	}
	return w, nil
}

func (w *World) enrollPhones() error {
	w.Fido = w.PKI.NewFido(pkitest.FidoConfig{})
	for i, slot := range []int{CitizenPhone: CitizenCard, OtherPhone: SecondGenerationCard} {
		owner := w.Cards[slot]
		person := owner.Person
		person.Number = fmt.Sprintf("99000000000002%02d", i+1)
		certificate, err := w.PKI.G3.IssueMobile(person)
		if err != nil {
			return err
		}
		w.Register.Enter(certificate.Cert, owner.NationalID)
		w.Phones = append(w.Phones, w.Fido.Enroll(owner.NationalID, certificate))
	}
	return nil
}

// FidoClient speaks to the operator of the phones. In production it is
// fido.NewProduction with the ID and the key that the operator has given.
func (w *World) FidoClient() (*fido.Client, error) {
	key, err := fido.ParseKey(w.Fido.KeyText())
	if err != nil {
		return nil, err
	}
	return fido.NewTest(fido.ClientConfig{ServiceID: w.Fido.ServiceID(), Key: key, API: w.Fido.URL(), Web: w.Fido.URL()})
}

// PhoneScreen is the address at which a browser shows what waits on the phones.
func (w *World) PhoneScreen() string { return w.Fido.URL() + "/phone" }

// Scheme is what a verifier has to be told about the PKI. In production it is
// moica.Production with the pinned anchors.
func (w *World) Scheme() (verify.Scheme, error) {
	anchors, err := moica.LoadTestAnchors(w.PKI.FS(), w.PKI.Pins()...)
	if err != nil {
		return verify.Scheme{}, err
	}
	server, err := url.Parse(w.PKI.URL())
	if err != nil {
		return verify.Scheme{}, err
	}
	return moica.Test(anchors, server.Hostname()), nil
}

// Close stops what Start has started.
func (w *World) Close() error {
	return errors.Join(w.Component.Close(), w.PKI.Close())
}
