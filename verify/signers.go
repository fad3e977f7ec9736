package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/internal/der"
)

// A judgement is the verification of one SignedData.
type judgement struct {
	*call
	ctx     context.Context // of the call that owns this judgement
	message *cms.SignedData
	signers []signerInfo
	certs   []*x509.Certificate // of the message and of the options
}

// A signerInfo is a SignerInfo on its way through the checks.
type signerInfo struct {
	*cms.SignerInfo
	digest        crypto.Hash
	signature     algorithm.Signature
	messageDigest []byte
	signingTime   time.Time
	attributes    map[string]der.Element // those that occur once, by type
}

const oidData = "1.2.840.113549.1.7.1"

// judge runs every check. sums is asked for digests of the content after all
// that does not need the content has passed, and before anything on the network.
func (j *judgement) judge(sums func([]crypto.Hash) (digests, error)) (*Result, error) {
	if err := j.read(); err != nil {
		return nil, err
	}
	signers := make([]Signer, len(j.signers))
	for i := range j.signers {
		var err error
		if signers[i], err = j.authenticate(&j.signers[i]); err != nil {
			return nil, atSigner(err, i)
		}
	}
	content, err := sums(j.hashes())
	if err != nil {
		return nil, err
	}
	for i := range j.signers {
		s := &j.signers[i]
		if subtle.ConstantTimeCompare(content[s.digest], s.messageDigest) != 1 {
			return nil, atSigner(refuse(ReasonDigestMismatch, "message-digest is not the %v of the content", s.digest), i)
		}
	}
	return j.conclude(j.ctx, signers)
}

// read checks what the message says of itself, without any arithmetic.
func (j *judgement) read() error {
	m := j.message
	if len(m.SignerInfos) == 0 {
		return refuse(ReasonNoSigner, "the SignedData has no SignerInfo")
	}
	if m.ContentType != oidData {
		return refuse(ReasonContentType, "eContentType is %s, want id-data %s", m.ContentType, oidData)
	}
	for i := range m.SignerInfos {
		s := signerInfo{SignerInfo: &m.SignerInfos[i]}
		if err := j.readAlgorithms(&s); err != nil {
			return atSigner(err, i)
		}
		if err := j.readAttributes(&s); err != nil {
			return atSigner(err, i)
		}
		j.signers = append(j.signers, s)
	}
	var err error
	if j.certs, err = j.optionCertificates(); err != nil {
		return err
	}
	for i, raw := range m.Certificates {
		cert, err := j.v.parseCertificate(raw)
		if err != nil {
			return syntaxError(fmt.Errorf("certificates[%d]: %w", i, err))
		}
		j.certs = append(j.certs, cert)
	}
	for _, crl := range m.CRLs {
		j.evidence = append(slices.Clip(j.evidence), Evidence{CRLEvidence, crl})
	}
	for _, response := range m.OCSPResponses {
		j.evidence = append(slices.Clip(j.evidence), Evidence{OCSPEvidence, response})
	}
	return nil
}

// readAlgorithms checks that the digest and the hash of the signature are
// acceptable, and one and the same.
func (j *judgement) readAlgorithms(s *signerInfo) error {
	var err error
	if s.digest, err = algorithm.Digest(s.DigestAlgorithm); err != nil {
		return refuse(ReasonAlgorithm, "digestAlgorithm: %w", err)
	}
	if err := j.v.algorithms.CheckHash(s.digest); err != nil {
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
		return refuse(ReasonAlgorithm, "signatureAlgorithm hashes with %v, digestAlgorithm is %v", s.signature.Hash, s.digest)
	}
	return nil
}

// hashes returns the digest algorithms of the signers, each once.
func (j *judgement) hashes() []crypto.Hash {
	var all []crypto.Hash
	for _, s := range j.signers {
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
func (j *judgement) authenticate(s *signerInfo) (Signer, error) {
	candidates := j.candidates(s.SignerInfo)
	if len(candidates) == 0 {
		return Signer{}, refuse(ReasonNoSigner, "the certificate that the SignerInfo names is not at hand")
	}
	if len(candidates) > maxCandidates {
		return Signer{}, refuse(ReasonLimit, "%d certificates fit one SignerInfo, want at most %d", len(candidates), maxCandidates)
	}
	var telling error // of a candidate whose key fits, if there is one
	for _, cert := range candidates {
		signer, err := j.authenticateAs(s, cert)
		if err == nil {
			return signer, nil
		}
		if e, ok := errors.AsType[*Error](telling); !ok || e.Reason == ReasonBadSignature {
			telling = err
		}
	}
	return Signer{}, telling
}

func (j *judgement) authenticateAs(s *signerInfo, cert *x509.Certificate) (Signer, error) {
	if err := j.v.checkSignature(s.signature, cert, s.SignedAttrsAsSet(), s.Signature); err != nil {
		return Signer{}, err
	}
	if err := s.checkSigningCertificate(cert); err != nil {
		return Signer{}, err
	}
	if j.v.paths.IsAnchor(cert) {
		return Signer{}, &Error{Reason: ReasonProfile, Signer: -1, Cert: cert, Err: fmt.Errorf("a trust anchor is not a signer")}
	}
	signer, err := j.certify(cert, j.certs)
	if err != nil {
		return Signer{}, err
	}
	signer.DigestAlgorithm = s.digest.String()
	signer.SignatureAlgorithm = s.signature.String()
	signer.SigningTime = s.signingTime
	return signer, nil
}

// candidates returns the certificates that a SignerIdentifier may mean, each
// once (RFC 5652, Section 5.3).
func (j *judgement) candidates(s *cms.SignerInfo) []*x509.Certificate {
	var fit []*x509.Certificate
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
