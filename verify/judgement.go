package verify

import (
	"context"
	"crypto"
	"crypto/x509"

	"github.com/citizencert/citizencert/internal/cms"
)

// A judgement is the verification of one SignedData.
type judgement struct {
	call
	ctx     context.Context // of the call that owns this judgement
	message *cms.SignedData
	signers []signerInfo
	certs   []*x509.Certificate // of the message and of the options

	// guard watches the content, if it is at hand and a signature may be over the
	// content itself.
	guard *attributeGuard

	// What the parts of a judgement begin with, so that a message as citizens sign
	// them takes one allocation.
	room struct {
		message     cms.SignedData
		signers     [1]signerInfo
		certs       [4]*x509.Certificate
		hashes      [1]crypto.Hash
		digests     [1]digest
		signedAttrs [256]byte
	}
}

// parse reads a SignedData and begins its judgement, which is for the caller to
// release.
func (v *Verifier) parse(ctx context.Context, der []byte, opts *Options) (*judgement, error) {
	if err := ctx.Err(); err != nil {
		return nil, refuse(ReasonCanceled, "%w", err)
	}
	j, ok := v.judgements.Get().(*judgement)
	if !ok {
		j = new(judgement)
	}
	if err := j.room.message.Parse(der, cms.Limits{}); err != nil {
		v.release(j)
		return nil, syntaxError(err)
	}
	if err := j.begin(ctx, v, &j.room.message, opts); err != nil {
		v.release(j)
		return nil, err
	}
	return j, nil
}

// begin begins the judgement of a message, which has to be signed at all: one that
// carries only certificates has no content either.
func (j *judgement) begin(ctx context.Context, v *Verifier, message *cms.SignedData, opts *Options) error {
	if len(message.SignerInfos) == 0 {
		return refuse(ReasonNoSigner, "the SignedData has no SignerInfo")
	}
	j.call.begin(v, opts, UseFiling)
	j.ctx, j.message = ctx, message
	// Signers share CAs, and a signature that is judged at several instants has the
	// same ones at each.
	j.shared = len(message.SignerInfos) > 1 || len(message.SignerInfos[0].UnsignedAttributes) > 0
	if v.tolerated[DeviationNoSignedAttributes] {
		j.guard = new(attributeGuard)
	}
	return nil
}

// release keeps the memory of a judgement for another one. Nothing in a Result or
// an Error points into it.
func (v *Verifier) release(j *judgement) {
	*j = judgement{}
	v.judgements.Put(j)
}

// judge runs every check. sums is asked for digests of the content after all
// that does not need the content has passed, and before anything on the network.
func (j *judgement) judge(sums func([]crypto.Hash) (digests, error)) (*Result, error) {
	if err := j.read(); err != nil {
		return nil, err
	}
	if err := j.checkSignatures(sums, j.authenticate); err != nil {
		return nil, err
	}
	if err := j.each(func(s *signerInfo) error { return j.settle(j.ctx, &s.signer) }); err != nil {
		return nil, err
	}
	return j.finish()
}

// checkSignatures has every signer authenticated, and every digest compared. A
// signature over the content itself has to wait until that has been read.
func (j *judgement) checkSignatures(sums func([]crypto.Hash) (digests, error), authenticate func(*signerInfo) error) error {
	if err := j.each(func(s *signerInfo) error {
		if s.direct {
			return nil
		}
		return authenticate(s)
	}); err != nil {
		return err
	}
	content, err := sums(j.hashes())
	if err != nil {
		return atCheck(err, CheckContent)
	}
	return j.each(func(s *signerInfo) error {
		if s.direct {
			if err := j.checkDirectContent(s, content); err != nil {
				return err
			}
			return authenticate(s)
		}
		return s.checkContent(content)
	})
}
