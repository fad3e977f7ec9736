package ocspclient_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A Client is given to verify.Config.Status; this is what a verifier does with it.
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

	client, err := ocspclient.New(ocspclient.Config{
		AllowedHosts: []string{"127.0.0.1"}, // in production: moi.gov.tw, nat.gov.tw
		Nonce:        ocspclient.NonceIfEchoed,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	now := time.Now()
	query := verify.StatusQuery{Cert: card.Cert, Issuer: moica.Cert, At: now, Now: now}
	reports, err := client.Status(context.Background(), query)
	if err != nil {
		log.Fatal(err)
	}
	status, err := query.Judge(&reports[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status, "by", reports[0].Rung)
	// Output: good by ocsp
}

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
	moica.Suspend(card.Cert, time.Now().Add(-time.Minute))
	der, err := moica.OCSP(card.Cert, pkitest.OCSPOptions{})
	if err != nil {
		log.Fatal(err)
	}

	answer, err := ocspclient.Judge(der, card.Cert, moica.Cert, ocspclient.JudgeOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Says, answer.Responder)
	// Output: suspended no-check
}
