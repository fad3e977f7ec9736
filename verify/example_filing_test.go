package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// A phone signs a line about a document, since it cannot sign the document. The
// service has built the line and remembers it.
func ExampleVerifier_Statement() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	card, err := pki.G3.IssueCard(pkitest.Person{Name: "王測試"})
	if err != nil {
		log.Fatal(err)
	}
	document := "a filing"
	line, err := signin.Line{
		Purpose:   signin.File,
		Host:      "localhost:8080",
		Service:   "tax",
		Expiry:    time.Now().Add(10 * time.Minute),
		Challenge: [signin.ChallengeSize]byte{1}, // random
		Digest:    sha256.Sum256([]byte(document)),
	}.Encode()
	if err != nil {
		log.Fatal(err)
	}
	signature, err := card.SignPKCS1([]byte(line))
	if err != nil {
		log.Fatal(err)
	}

	v, err := newVerifier(pki)
	if err != nil {
		log.Fatal(err)
	}
	here := &verify.StatementOptions{Host: "localhost:8080", Service: "tax"}
	res, err := v.Statement(context.Background(), line, signature, card.Cert.Raw, strings.NewReader(document), here)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Signers[0].Identity)

	elsewhere := &verify.StatementOptions{Host: "localhost:8080", Service: "health"}
	_, err = v.Statement(context.Background(), line, signature, card.Cert.Raw, strings.NewReader(document), elsewhere)
	if e, ok := errors.AsType[*verify.Error](err); ok {
		fmt.Println(e.Reason)
	}
	// Output:
	// identity(tw-moica citizen card G3)
	// purpose
}

// The content of a large message goes to a temporary file, which gets its name when
// it is verified.
func ExampleVerifier_CopyUnverified() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	card, err := pki.G3.IssueCard(pkitest.Person{Name: "王測試"})
	if err != nil {
		log.Fatal(err)
	}
	message, err := card.SignPKCS7([]byte("a filing"), nil)
	if err != nil {
		log.Fatal(err)
	}

	v, err := newVerifier(pki)
	if err != nil {
		log.Fatal(err)
	}
	unverified, err := os.CreateTemp("", "filing")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(unverified.Name())
	res, err := v.CopyUnverified(context.Background(), unverified, bytes.NewReader(message), nil)
	if err := errors.Join(err, unverified.Close()); err != nil {
		log.Fatal(err) // and the file is removed
	}
	content, err := os.ReadFile(unverified.Name())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, by %v\n", content, res.Signers[0].Identity)
	// Output:
	// a filing, by identity(tw-moica citizen card G3)
}
