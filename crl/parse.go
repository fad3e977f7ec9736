package crl

import (
	"bytes"
	"errors"
	"math"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// The identifier octets that are looked for in a stream.
const (
	tagSequence   = 0x30
	tagExtensions = 0xa0
)

// parse reads a list that is in memory, in place.
func parse(data []byte, maxBytes int) (*List, error) {
	if len(data) > maxBytes {
		return nil, revocation.Malformed("CertificateList: %w", &der.LimitError{What: "bytes", Limit: maxBytes})
	}
	l, err := parseStream(streamBytes(data), int64(maxBytes))
	if err != nil {
		return nil, err
	}
	l.Raw = data
	return l, nil
}

func parseStream(s *stream, maxBytes int64) (*List, error) {
	l := &List{}
	err := l.parse(s, maxBytes)
	d := s.close()
	if failure, ok := errors.AsType[*readError](err); ok {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "CertificateList: %w", failure)
	}
	if err != nil {
		return nil, revocation.Malformed("CertificateList: %w", err)
	}
	d.into(l)
	l.index.finish()
	return l, nil
}

//	CertificateList ::= SEQUENCE {
//	    tbsCertList         TBSCertList,
//	    signatureAlgorithm  AlgorithmIdentifier,
//	    signatureValue      BIT STRING }
func (l *List) parse(s *stream, maxBytes int64) error {
	end, err := s.enter(math.MaxInt64, "CertificateList")
	if err != nil {
		return err
	}
	if l.Size = end; end > maxBytes {
		return &der.LimitError{What: "bytes", Limit: int(maxBytes)}
	}
	s.keep()
	tbsEnd, err := s.enter(end, "tbsCertList")
	if err != nil {
		return err
	}
	if err := l.parseTBS(s, tbsEnd); err != nil {
		return err
	}
	if err := l.parseSignature(s, end); err != nil {
		return err
	}
	return s.end()
}

// parseSignature reads what follows the tbsCertList, whose signature field it
// compares with signatureAlgorithm.
func (l *List) parseSignature(s *stream, end int64) error {
	l.frame.signature = true
	inside := l.signed.Algorithm.Raw
	e, err := l.part(s, end, "signatureAlgorithm")
	if err != nil {
		return err
	}
	if l.signed.Algorithm, err = algorithm.ParseIdentifier(e); err != nil {
		return s.at(err)
	}
	if !bytes.Equal(inside, e.Raw) {
		return s.errorf("signatureAlgorithm is another algorithm than signature")
	}
	if e, err = l.part(s, end, "signature"); err != nil {
		return err
	}
	if l.signed.Signature, err = revocation.SignatureBits(e); err != nil {
		return s.at(err)
	}
	if s.offset < end {
		return s.errorf("CertificateList has an unexpected element")
	}
	return nil
}

// part returns a copy of the next element, which is one of the few that a list
// consists of besides its entries. They make up the frame of the list.
func (l *List) part(s *stream, end int64, name string) (der.Element, error) {
	if s.offset >= end {
		return der.Element{}, s.errorf("%s is missing", name)
	}
	e, err := s.piece(end)
	if err != nil {
		return e, err
	}
	l.frame.add(e.Raw)
	doc, err := der.Strict(bytes.Clone(e.Raw), der.Limits{})
	s.skip(len(e.Raw))
	return doc.Root(), err
}

// A frame is a list without its entries.
type frame struct {
	tbs, rest []byte
	signature bool // whether what comes is behind the tbsCertList
}

func (f *frame) add(part []byte) {
	if f.signature {
		f.rest = append(f.rest, part...)
	} else {
		f.tbs = append(f.tbs, part...)
	}
}

// der returns the frame as a CertificateList.
func (f *frame) der() []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(f.tbs) })
		b.AddBytes(f.rest)
	})
	return b.BytesOrPanic()
}

//	TBSCertList ::= SEQUENCE {
//	    version              INTEGER OPTIONAL,  -- if present, v2(1)
//	    signature            AlgorithmIdentifier,
//	    issuer               Name,
//	    thisUpdate           Time,
//	    nextUpdate           Time OPTIONAL,
//	    revokedCertificates  SEQUENCE OF SEQUENCE { … } OPTIONAL,
//	    crlExtensions        [0] EXPLICIT Extensions OPTIONAL }
func (l *List) parseTBS(s *stream, end int64) error {
	isV2, err := l.parseVersion(s, end)
	if err != nil {
		return err
	}
	if err := l.parseAlgorithm(s, end); err != nil {
		return err
	}
	if err := l.parseIssuer(s, end); err != nil {
		return err
	}
	if err := l.parseTimes(s, end); err != nil {
		return err
	}
	l.index = newIndex(0)
	tag, err := s.next(end)
	if err == nil && tag == tagSequence {
		if err = l.parseRevoked(s, end, isV2); err == nil {
			tag, err = s.next(end)
		}
	}
	if err == nil && tag == tagExtensions {
		if !isV2 {
			return s.errorf("extensions in a list of version 1")
		}
		err = l.parseExtensions(s, end)
	}
	if err != nil {
		return err
	}
	if l.foreign != nil && !l.indirect() {
		l.unhandled = "2.5.29.29 (certificateIssuer)"
	}
	if s.offset < end {
		return s.errorf("TBSCertList has an unexpected element")
	}
	return nil
}

func (l *List) parseVersion(s *stream, end int64) (isV2 bool, err error) {
	if tag, err := s.next(end); err != nil || tag != byte(der.Integer) {
		return false, err
	}
	version, err := l.part(s, end, "version")
	if err != nil {
		return false, err
	}
	if n, err := version.Int(); err != nil || n != 1 {
		return false, s.errorf("version is present and not 2")
	}
	return true, nil
}

// parseAlgorithm reads the signature field, and begins to digest accordingly: of an
// algorithm that is not known no signature will be verified.
func (l *List) parseAlgorithm(s *stream, end int64) error {
	e, err := l.part(s, end, "signature")
	if err != nil {
		return err
	}
	if l.signed.Algorithm, err = algorithm.ParseIdentifier(e); err != nil {
		return s.at(err)
	}
	alg, err := algorithm.ParseSignature(l.signed.Algorithm)
	if err != nil {
		alg = algorithm.Signature{}
	}
	s.startDigest(alg, end)
	return nil
}

func (l *List) parseIssuer(s *stream, end int64) error {
	issuer, err := l.part(s, end, "issuer")
	if err != nil {
		return err
	}
	if issuer.Tag != der.Sequence || len(issuer.Body) == 0 {
		return s.errorf("issuer is not a SEQUENCE or is empty")
	}
	l.RawIssuer = issuer.Raw
	return nil
}

func (l *List) parseTimes(s *stream, end int64) error {
	e, err := l.part(s, end, "thisUpdate")
	if err != nil {
		return err
	}
	if l.ThisUpdate, err = e.Time(); err != nil {
		return s.at(err)
	}
	tag, err := s.next(end)
	if err != nil || tag != byte(der.UTCTime) && tag != byte(der.GeneralizedTime) {
		return err
	}
	if e, err = l.part(s, end, "nextUpdate"); err != nil {
		return err
	}
	if l.NextUpdate, err = e.Time(); err != nil {
		return s.at(err)
	}
	if l.NextUpdate.Before(l.ThisUpdate) {
		return s.errorf("nextUpdate %s is before thisUpdate %s",
			l.NextUpdate.Format(time.RFC3339), l.ThisUpdate.Format(time.RFC3339))
	}
	return nil
}
