package verify

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/cms"
)

// A signerInfo is a SignerInfo on its way through the checks.
type signerInfo struct {
	*cms.SignerInfo
	index         int
	direct        bool // there are no signedAttrs, and the policy tolerates that
	digest        crypto.Hash
	signature     algorithm.Signature
	messageDigest []byte
	signingTime   time.Time
	deviations    []Deviation
	signer        Signer // once it is authenticated
	refusal       *Error // of the check that it did not pass
}

const oidData = "1.2.840.113549.1.7.1"

var dataAlone = []string{oidData}

// read checks what the message says of itself, without any arithmetic.
func (j *judgement) read() error {
	m := j.message
	accepted := j.opts.ContentTypes
	if len(accepted) == 0 {
		accepted = dataAlone
	}
	if !slices.Contains(accepted, m.ContentType) {
		return refuse(ReasonContentType, "eContentType is %s, want one of %v", m.ContentType, accepted)
	}
	j.signers = j.room.signers[:0]
	for i := range m.SignerInfos {
		j.signers = append(j.signers, signerInfo{SignerInfo: &m.SignerInfos[i], index: i})
	}
	if err := j.each(func(s *signerInfo) error {
		if err := j.readAlgorithms(s); err != nil {
			return err
		}
		return atCheck(j.readAttributes(s), CheckAttributes)
	}); err != nil {
		return err
	}
	var err error
	if j.certs, err = j.optionCertificates(j.room.certs[:0]); err != nil {
		return atCheck(err, CheckSigner)
	}
	for i, raw := range m.Certificates {
		cert, err := j.v.parseCertificate(raw)
		if err != nil {
			return atCheck(syntaxError(fmt.Errorf("certificates[%d]: %w", i, err)), CheckSigner)
		}
		j.certs = append(j.certs, cert)
	}
	j.supplyEvidence()
	return nil
}

// supplyEvidence adds the lists and responses in the message to the evidence.
func (j *judgement) supplyEvidence() {
	for _, crl := range j.message.CRLs {
		j.evidence = append(slices.Clip(j.evidence), Evidence{CRLEvidence, crl})
	}
	for _, response := range j.message.OCSPResponses {
		j.evidence = append(slices.Clip(j.evidence), Evidence{OCSPEvidence, response})
	}
}

// readAlgorithms checks that the digest and the hash of the signature are
// acceptable, and one and the same.
func (j *judgement) readAlgorithms(s *signerInfo) error {
	var err error
	if s.digest, err = algorithm.Digest(s.DigestAlgorithm); err != nil {
		return refuse(ReasonAlgorithm, "digestAlgorithm: %w", err)
	}
	policy := j.policyFor(s)
	if err := policy.CheckHash(s.digest); err != nil {
		return refuse(ReasonAlgorithm, "digestAlgorithm: %w", err)
	}
	if s.signature, err = algorithm.ParseSignature(s.SignatureAlgorithm); err != nil {
		return refuse(ReasonAlgorithm, "signatureAlgorithm: %w", err)
	}
	switch {
	case s.signature.Scheme == algorithm.Ed25519:
		// signs the attributes themselves (RFC 8419, Section 3.1)
	case s.signature.Hash == 0:
		s.signature.Hash = s.digest
	case s.signature.Hash != s.digest:
		if !j.tolerate(s, DeviationMixedHashes) {
			return refuse(ReasonAlgorithm, "signatureAlgorithm hashes with %v, digestAlgorithm is %v", s.signature.Hash, s.digest)
		}
		if err := policy.CheckHash(s.signature.Hash); err != nil {
			return refuse(ReasonAlgorithm, "signatureAlgorithm: %w", err)
		}
	}
	return nil
}

// hashes returns the digest algorithms of the signers that are left, each once.
func (j *judgement) hashes() []crypto.Hash {
	all := j.room.hashes[:0]
	for s := range j.passing() {
		if !slices.Contains(all, s.digest) {
			all = append(all, s.digest)
		}
	}
	return all
}

// maxCandidates bounds the certificates that are tried for one signer.
const maxCandidates = 4

// authenticate finds the certificate that a SignerInfo means, checks the
// signature with its key and finds its path. Names may be shared, and a message
// may carry decoys: each candidate is tried, and the first for which all holds is
// the signer.
func (j *judgement) authenticate(s *signerInfo) error {
	return j.tryCandidates(s, j.authenticateAs)
}

func (j *judgement) tryCandidates(s *signerInfo, try func(*signerInfo, *x509.Certificate) error) error {
	var room [maxCandidates]*x509.Certificate
	candidates := j.candidates(room[:0], s.SignerInfo)
	if len(candidates) == 0 {
		return atCheck(refuse(ReasonNoSigner, "the certificate that the SignerInfo names is not at hand"), CheckSigner)
	}
	if len(candidates) > maxCandidates {
		err := refuse(ReasonLimit, "%d certificates fit one SignerInfo, want at most %d", len(candidates), maxCandidates)
		return atCheck(err, CheckSigner)
	}
	var telling error // of a candidate whose key fits, if there is one
	for _, cert := range candidates {
		err := try(s, cert)
		if err == nil {
			return nil
		}
		if e, ok := errors.AsType[*Error](telling); !ok || e.Reason == ReasonBadSignature {
			telling = err
		}
	}
	return telling
}

func (j *judgement) authenticateAs(s *signerInfo, cert *x509.Certificate) error {
	if err := j.confirm(s, cert); err != nil {
		return atCheck(err, CheckSignature, cert)
	}
	if j.v.paths.IsAnchor(cert) {
		return &Error{Reason: ReasonProfile, Signer: -1, Cert: cert, Err: fmt.Errorf("a trust anchor is not a signer"), Check: CheckPath}
	}
	signer, err := j.certifySigned(cert, j.certs, s.Signature, s.UnsignedAttributes)
	if err != nil {
		return err
	}
	if signer.proof != nil {
		signer.proof.info = s
	}
	signer.Index = s.index
	signer.Deviations = s.deviations
	signer.DigestAlgorithm = s.digest.String()
	signer.SignatureAlgorithm = s.signature.String()
	signer.SigningTime = s.signingTime
	s.signer = signer
	return nil
}

// confirm checks that the key of a certificate has signed, and that the signer
// meant this certificate.
func (j *judgement) confirm(s *signerInfo, cert *x509.Certificate) error {
	if s.direct {
		return j.checkDirect(j.policyFor(s), s.signature, cert, s.messageDigest, s.Signature)
	}
	policy, signed := j.policyFor(s), s.SignedAttrsAsSet(j.room.signedAttrs[:0])
	err := j.checkSignature(policy, s.signature, cert, signed, s.Signature)
	if named := s.signature.Hash; err != nil && named != 0 && named != s.digest && s.signature.Scheme != algorithm.RSAPSS {
		// Where the policy tolerates that the two differ, some signers hash the
		// attributes with digestAlgorithm, as Section 5.4 has it, and others with
		// the hash that signatureAlgorithm names.
		s.signature.Hash = s.digest
		if err = j.checkSignature(policy, s.signature, cert, signed, s.Signature); err != nil {
			s.signature.Hash = named
		}
	}
	if err != nil {
		return err
	}
	return s.checkSigningCertificate(cert)
}

// candidates appends the certificates that a SignerIdentifier may mean, each
// once (RFC 5652, Section 5.3).
func (j *judgement) candidates(fit []*x509.Certificate, s *cms.SignerInfo) []*x509.Certificate {
	for _, cert := range j.certs {
		means := false
		if s.Issuer != nil {
			means = cert.SerialNumber.Cmp(s.Serial) == 0 && certpath.SameName(cert.RawIssuer, s.Issuer)
		} else {
			means = len(s.SubjectKeyID) > 0 && bytes.Equal(cert.SubjectKeyId, s.SubjectKeyID)
		}
		if means && !slices.ContainsFunc(fit, cert.Equal) {
			fit = append(fit, cert)
		}
	}
	return fit
}
