package batch_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"os"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/evidence"
	"github.com/citizencert/citizencert/verify/moica"
)

// Filings of the look-alike PKI, of which some have been changed and some
// are by holders of revoked cards.
func ExampleRunner_Run() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	filings, err := pki.NewFilings(pkitest.FilingsConfig{
		N: 200, Citizens: 5, ContentSize: 100,
		Defects: map[pkitest.Defect]float64{pkitest.DefectTampered: 0.05, pkitest.DefectRevoked: 0.05},
	})
	if err != nil {
		log.Fatal(err)
	}
	source := batch.Iterate("filings of 2026", func(yield func(batch.Item, error) bool) {
		for f, err := range filings.All() {
			if !yield(item(&f), err) {
				return
			}
		}
	})

	runner, err := batch.New(batch.Config{
		Verify:       exampleConfig(pki),
		PseudonymKey: bytes.Repeat([]byte{1}, 32), // random, and kept
		Host:         "localhost:8080",
		Service:      "tax",
	})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "results")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	report, err := runner.Run(context.Background(), dir, source, batch.RunOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Summary.Filings, report.Summary.Verdicts)
	fmt.Println(report.Summary.Reasons)

	checked, err := batch.Verify(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(checked.Manifest == report.Manifest)

	// Whoever has the key vouches for the whole record.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	seal, err := evidence.NewKeySeal(checked.Bytes(), key)
	if err != nil {
		log.Fatal(err)
	}
	if err := checked.AddSeal(dir, seal); err != nil {
		log.Fatal(err)
	}
	if checked, err = batch.Verify(dir); err != nil {
		log.Fatal(err)
	}
	fmt.Println(checked.Seals[0].CheckKey(checked.Bytes(), key.Public()))
	// Output:
	// 200 map[refused:21 valid:179]
	// map[digest-mismatch:12 revoked:9]
	// true
	// <nil>
}

// exampleConfig is the policy of a service whose lists are at hand.
func exampleConfig(pki *pkitest.PKI) verify.Config {
	anchors, err := moica.LoadTestAnchors(pki.FS(), pki.Pins()...)
	if err != nil {
		log.Fatal(err)
	}
	lists, err := crl.New(crl.Config{Offline: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range []*pkitest.Generation{pki.G2, pki.G3} {
		for _, ca := range []*pkitest.CA{g.Root, g.MOICA} {
			list, err := ca.CRL(pkitest.CRLOptions{})
			if err != nil {
				log.Fatal(err)
			}
			if err := lists.Add(list, ""); err != nil {
				log.Fatal(err)
			}
		}
	}
	return verify.Config{Scheme: moica.Test(anchors, "127.0.0.1"), Status: []verify.StatusSource{lists}}
}
