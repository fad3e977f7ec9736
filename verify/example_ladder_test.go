package verify_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// A service asks lists before responders, wants both for filings, and counts which
// rung answers.
func ExampleLadder() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	card, err := pki.G3.IssueCard(pkitest.Person{Name: "王測試"})
	if err != nil {
		log.Fatal(err)
	}
	anchors, err := moica.LoadTestAnchors(pki.FS(), pki.Pins()...)
	if err != nil {
		log.Fatal(err)
	}
	scheme := moica.Test(anchors, "127.0.0.1")
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: scheme.Hosts, Nonce: ocspclient.NonceIfEchoed})
	if err != nil {
		log.Fatal(err)
	}
	defer responders.Close()
	lists, err := crl.New(crl.Config{AllowedHosts: scheme.Hosts})
	if err != nil {
		log.Fatal(err)
	}
	defer lists.Close()

	v, err := verify.New(verify.Config{
		Scheme: scheme,
		Status: []verify.StatusSource{responders, lists},
		Ladder: verify.Ladder{
			SignIn: verify.Rungs{Order: verify.CRLFirst, Ages: verify.Freshness{CRL: 12 * time.Hour}},
			Filing: verify.Rungs{RequireBoth: true},
		},
		Observer: verify.Observer{Status: func(_ context.Context, o verify.StatusOutcome) {
			if !o.CA {
				fmt.Println("citizen:", o.Kind, "by", o.Rung)
			}
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, use := range []verify.Use{verify.UseSignIn, verify.UseFiling} {
		res, err := v.Certificate(context.Background(), card.Cert.Raw, &verify.Options{Use: use})
		if err != nil {
			log.Fatal(err)
		}
		if other := res.Signers[0].Revocation[0].Other; other != nil {
			fmt.Println("and:", other.Report.Kind)
		}
	}
	// Output:
	// citizen: crl by partition-crl
	// citizen: crl by held
	// and: ocsp
}
