package verify_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// A service verifies a filing against the look-alike PKI. In production the
// anchors come from moica.LoadAnchors and the scheme from moica.Production.
func ExampleVerifier_Detached() {
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
	signature, err := card.SignPKCS7([]byte(document), &pkitest.CMSOptions{Detached: true})
	if err != nil {
		log.Fatal(err)
	}

	v, err := newVerifier(pki)
	if err != nil {
		log.Fatal(err)
	}
	res, err := v.Detached(context.Background(), signature, strings.NewReader(document), nil)
	if err != nil {
		log.Fatal(err)
	}
	signer := res.Signers[0]
	fmt.Println(signer.Identity, signer.Revocation[0].Status, signer.Revocation[0].Report.Rung)

	_, err = v.Detached(context.Background(), signature, strings.NewReader(document+"!"), nil)
	if e, ok := errors.AsType[*verify.Error](err); ok {
		fmt.Println(e.Reason, e.Retryable())
	}
	// Output:
	// identity(tw-moica citizen card G3) good ocsp
	// digest-mismatch false
}

// newVerifier trusts the look-alike PKI and asks its responder and lists.
func newVerifier(pki *pkitest.PKI) (*verify.Verifier, error) {
	anchors, err := moica.LoadTestAnchors(pki.FS(), pki.Pins()...)
	if err != nil {
		return nil, err
	}
	scheme := moica.Test(anchors, "127.0.0.1")
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: scheme.Hosts})
	if err != nil {
		return nil, err
	}
	lists, err := crl.New(crl.Config{AllowedHosts: scheme.Hosts})
	if err != nil {
		return nil, err
	}
	return verify.New(verify.Config{Scheme: scheme, Status: []verify.StatusSource{responders, lists}})
}
