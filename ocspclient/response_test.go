package ocspclient

import (
	"testing"

	"golang.org/x/crypto/ocsp"

	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// What we and package ocsp both decode we decode alike. It decodes only answers
// with one single response, and takes other liberties.
func FuzzParseResponse(f *testing.F) {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		f.Fatal(err)
	}
	defer pki.Close()
	card, err := pki.G3.IssueCard(pkitest.Person{})
	if err != nil {
		f.Fatal(err)
	}
	for _, status := range []pkitest.OCSPStatus{pkitest.OCSPGood, pkitest.OCSPRevoked, pkitest.OCSPUnknown} {
		single := pkitest.SingleResponse{Status: status, Reason: pkitest.ReasonKeyCompromise}
		der, err := pki.G3.MOICA.OCSP(card.Cert, pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{single}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	for _, seed := range dertest.Seeds(f, "ocsp-response", "ocsp-parts") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, err := parseResponse(data)
		if err != nil {
			return
		}
		theirs, err := ocsp.ParseResponse(data, nil)
		if err != nil {
			return
		}
		if len(ours.singles) != 1 {
			t.Fatalf("got %d single responses, want 1", len(ours.singles))
		}
		s := ours.singles[0]
		status := map[int]verify.Status{ocsp.Good: verify.Good, ocsp.Unknown: verify.Unknown, ocsp.Revoked: verify.Revoked}[theirs.Status]
		if status == verify.Revoked && theirs.RevocationReason == ocsp.CertificateHold {
			status = verify.Suspended
		}
		switch {
		case s.status != status:
			t.Errorf("got status %v, want %v", s.status, status)
		case s.id.serial.Cmp(theirs.SerialNumber) != 0:
			t.Errorf("got serial number %x, want %x", s.id.serial, theirs.SerialNumber)
		case !ours.producedAt.Equal(theirs.ProducedAt), !s.thisUpdate.Equal(theirs.ThisUpdate), !s.nextUpdate.Equal(theirs.NextUpdate):
			t.Errorf("got times %v, %v, %v, want %v, %v, %v", ours.producedAt, s.thisUpdate, s.nextUpdate,
				theirs.ProducedAt, theirs.ThisUpdate, theirs.NextUpdate)
		case !s.revokedAt.Equal(theirs.RevokedAt), s.reasonCode != theirs.RevocationReason:
			t.Errorf("got revocation at %v for %d, want %v for %d", s.revokedAt, s.reasonCode, theirs.RevokedAt, theirs.RevocationReason)
		}
	})
}
