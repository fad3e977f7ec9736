package pkitest_test

import (
	"crypto/x509"
	"fmt"
	"log"
	"net/http"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/citizencert/citizencert/pkitest"
)

func Example() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()

	card, err := pki.G3.IssueCard(pkitest.Person{Name: "王測試", LastFour: "6789"})
	if err != nil {
		log.Fatal(err)
	}
	signedData, err := card.SignPKCS7([]byte("申報書"), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(card.Cert.Subject.CommonName, len(signedData) > 0)

	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(pki.G3.Root.Cert)
	intermediates.AddCert(pki.G3.MOICA.Cert)
	_, err = card.Cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates})
	fmt.Println(err)

	// Output:
	// 王測試 true
	// <nil>
}

// A clock that can be set makes certificates expire in no time.
func ExampleClock() {
	clock := pkitest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	pki, err := pkitest.New(pkitest.Config{Now: clock.Now})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()

	card, err := pki.G2.IssueMobile(pkitest.Person{Name: "陳測試"})
	if err != nil {
		log.Fatal(err)
	}
	clock.Set(card.Cert.NotAfter.Add(time.Second))
	fmt.Println(clock.Now().After(card.Cert.NotAfter))
	fmt.Println(card.Cert.NotAfter)

	// Output:
	// true
	// 2027-03-02 15:59:59 +0000 UTC
}

// A template asks for what a verifier has to refuse: here a certificate for
// which the other generation's key has signed.
func ExampleCA_Issue() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()

	issued, err := pki.G3.MOICA.Issue(pkitest.Template{
		Person:     pkitest.Person{Name: "林測試"},
		SigningKey: pki.G2.MOICA.Key,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(issued.Cert.CheckSignatureFrom(pki.G3.MOICA.Cert))

	// Output:
	// crypto/rsa: verification error
}

// The responder's state is set at the CA.
func ExampleCA_Suspend() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()

	moica := pki.G3.MOICA
	card, err := pki.G3.IssueCard(pkitest.Person{Name: "張測試"})
	if err != nil {
		log.Fatal(err)
	}
	moica.Suspend(card.Cert, time.Now())
	der, err := moica.OCSP(card.Cert, pkitest.OCSPOptions{})
	if err != nil {
		log.Fatal(err)
	}
	response, err := ocsp.ParseResponse(der, moica.Cert)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Status == ocsp.Revoked, response.RevocationReason == ocsp.CertificateHold)

	// Output:
	// true true
}

// A responder that always says good, signed by someone who may not.
func ExamplePKI_Script() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()

	moica := pki.G3.MOICA
	sibling, err := pki.G3.IssueCard(pkitest.Person{Name: "李測試"})
	if err != nil {
		log.Fatal(err)
	}
	pki.Script(moica.URLs.OCSP, moica.OCSPHandler(pkitest.OCSPOptions{
		Signer:    &pkitest.Signer{Cert: sibling.Cert, Key: sibling.Key},
		Responses: []pkitest.SingleResponse{{Status: pkitest.OCSPGood}},
	}))
	pki.Script(moica.URLs.CRL, http.NotFoundHandler())
	fmt.Println(pki.Requests(moica.URLs.OCSP))

	// Output:
	// 0
}
