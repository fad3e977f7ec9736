package fido

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/citizencert/citizencert/internal/line"
	"github.com/citizencert/citizencert/verify"
)

// A BatchItem is the verdict on one element of a batch. Exactly one of its fields is
// set.
type BatchItem struct {
	Result *verify.Result
	Err    error
}

// VerifyBatch verifies the answer to a [Client.BatchTicket] for this set, each
// element by itself and in order: signature over exactly the bytes that were asked
// for, path, profile, a mobile carrier, and status. The error is nil only if every
// element has passed.
//
// Nothing of a batch is under MOI's checksum: whoever stands between could replace
// the certificate and all signatures by those of somebody who has signed the same
// bytes. So who has signed is for holder to say, which knows it from elsewhere, such
// as the session:
//
//	func(id verify.Identity) bool { return auth.Subject(id) == session.Subject }
//
// It is required. Elements that begin as a statement line does are taken for one.
//
// There are no items if the answer is not one to a batch of this size. Errors are of
// type [*Error] or [*verify.Error], joined if there are several.
func VerifyBatch(ctx context.Context, v *verify.Verifier, set [][]byte, a *Answer, holder func(verify.Identity) bool) ([]BatchItem, error) {
	switch {
	case holder == nil:
		return nil, ourFault("VerifyBatch has no holder to compare with")
	case a.Operation != SignBatch:
		return nil, badAnswer("the answer is not one to a batch")
	case len(a.Signatures) != len(set):
		return nil, badAnswer("%d signatures, want %d", len(a.Signatures), len(set))
	}
	items := make([]BatchItem, len(set))
	var failed []error
	for i, data := range set {
		items[i].Result, items[i].Err = verifyElement(ctx, v, data, a.Signatures[i], a, holder)
		if err := items[i].Err; err != nil {
			failed = append(failed, fmt.Errorf("fido: element %d: %w", i, err))
		}
	}
	return items, errors.Join(failed...)
}

func verifyElement(ctx context.Context, v *verify.Verifier, data, signature []byte, a *Answer, holder func(verify.Identity) bool) (*verify.Result, error) {
	opts := &verify.Options{Use: verify.UseFiling}
	if bytes.HasPrefix(data, []byte(line.Prefix)) {
		opts.Line = string(data)
	}
	var res *verify.Result
	var err error
	if a.Form == PKCS7 {
		if a.Certificate != nil {
			opts.Certificates = [][]byte{a.Certificate}
		}
		res, err = v.Detached(ctx, signature, bytes.NewReader(data), opts)
	} else {
		res, err = v.Signature(ctx, a.Certificate, x509.SHA256WithRSA, data, signature, opts)
	}
	if err != nil {
		return nil, err
	}
	for _, signer := range res.Signers {
		switch {
		case signer.Identity.Carrier != verify.Mobile:
			return nil, badAnswer("the certificate is not of a phone")
		case a.Certificate != nil && !bytes.Equal(a.Certificate, signer.Path[0].Raw):
			return nil, badAnswer("the certificate beside the signature is not the one that has signed")
		case !holder(signer.Identity):
			return nil, wrongPerson("signed by somebody else")
		}
	}
	return res, nil
}
