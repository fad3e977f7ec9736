package crl_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A Store is given to verify.Config.Status; this is what a verifier does with it.
func Example() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	moica := pki.G3.MOICA
	card, err := pki.G3.IssueCard(pkitest.Person{})
	if err != nil {
		log.Fatal(err)
	}

	store, err := crl.New(crl.Config{
		AllowedHosts: []string{"127.0.0.1"}, // in production: moi.gov.tw, nat.gov.tw
	})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	now := time.Now()
	query := verify.StatusQuery{Cert: card.Cert, Issuer: moica.Cert, At: now, Now: now}
	reports, err := store.Status(context.Background(), query)
	if err != nil {
		log.Fatal(err)
	}
	status, err := query.Judge(&reports[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status, "by", reports[0].Rung)
	// Output: good by partition-crl
}

// An operator's own copy of the complete list.
func ExampleJudge() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	moica := pki.G3.MOICA
	card, err := pki.G3.IssueCard(pkitest.Person{})
	if err != nil {
		log.Fatal(err)
	}
	moica.Revoke(card.Cert, time.Now().Add(-time.Minute), pkitest.ReasonKeyCompromise)
	der, err := moica.CRL(pkitest.CRLOptions{})
	if err != nil {
		log.Fatal(err)
	}

	list, err := crl.Parse(der)
	if err != nil {
		log.Fatal(err)
	}
	report, err := crl.Judge(list, card.Cert, moica.Cert, crl.JudgeOptions{Complete: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(list.Len(), "entry:", report.Says, "for reason", report.ReasonCode)
	// Output: 1 entry: revoked for reason 1
}
