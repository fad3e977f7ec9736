package verify

import (
	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/internal/der"
)

// A CounterSignature is a signature over the signature of another (RFC 5652,
// Section 11.4). It stands among what the first signer has not signed: anybody can
// add one or take it away. Exactly one of Signer and Err is set.
type CounterSignature struct {
	// Signer has passed every check that a signer has to pass, with the same
	// profile and for the same instant. Its Index is that of the SignerInfo that
	// it has signed. What its verdict rests on is in its Path and Revocation, and
	// not in Result.Evidence.
	Signer *Signer

	Err *Error
}

// maxCounterSignatures bounds SignerInfos and counter-signatures together, so
// that a message with counter-signatures costs no more than one without.
const maxCounterSignatures = 16

// counterSignatures judges what has been signed over the signature of s, until
// the budget is used up. What is left then is reported as not looked at.
func (j *judgement) counterSignatures(s *signerInfo, budget *int) []CounterSignature {
	var all []CounterSignature
	for _, value := range s.CounterSignatures() {
		var signer *Signer
		err := error(refuse(ReasonLimit, "more than %d SignerInfos and counter-signatures", maxCounterSignatures))
		if *budget > 0 {
			*budget--
			signer, err = j.counterSigner(value, s.Signature)
		}
		if err != nil {
			all = append(all, CounterSignature{Err: j.refusalOf(err, s.index)})
			continue
		}
		signer.Index = s.index
		all = append(all, CounterSignature{Signer: signer})
	}
	return all
}

// counterSigner judges one of them. Its content is the signature, which has no
// content type; so there must not be a content-type attribute.
func (j *judgement) counterSigner(value der.Element, signature []byte) (*Signer, error) {
	info, err := cms.ParseCounterSignature(value, cms.Limits{})
	if err != nil {
		return nil, syntaxError(err)
	}
	s := signerInfo{SignerInfo: info}
	if err := j.readAlgorithms(&s); err != nil {
		return nil, err
	}
	if err := j.readCounterAttributes(&s); err != nil {
		return nil, err
	}
	if err := j.authenticate(&s); err != nil {
		return nil, err
	}
	h := s.digest.New()
	h.Write(signature)
	if !equalDigests(h.Sum(nil), s.messageDigest) {
		return nil, refuse(ReasonDigestMismatch, "message-digest is not the %v of the signature", s.digest)
	}
	if err := j.settle(j.ctx, &s.signer); err != nil {
		return nil, err
	}
	return &s.signer, nil
}

func (j *judgement) readCounterAttributes(s *signerInfo) error {
	if s.SignedAttrs == nil {
		return refuse(ReasonSignedAttributes, "the counter-signature has no signedAttrs")
	}
	if err := j.readSingleAttributes(s); err != nil {
		return err
	}
	if _, ok := s.attribute(oidContentType); ok {
		return refuse(ReasonSignedAttributes, "the counter-signature has a content-type attribute")
	}
	return s.readMessageDigest()
}
