package verify

import (
	"crypto"
	"math/big"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
)

// A tstInfo is what a time-stamp token says (RFC 3161, Section 2.4.2).
type tstInfo struct {
	policy   string // TSAPolicyId, dotted
	hash     crypto.Hash
	imprint  []byte
	serial   *big.Int
	genTime  time.Time
	accuracy time.Duration
	// accurate is set if the token states its accuracy at all.
	accurate bool
}

// parseTSTInfo reads
//
//	TSTInfo ::= SEQUENCE {
//	    version         INTEGER { v1(1) },
//	    policy          TSAPolicyId,
//	    messageImprint  MessageImprint,
//	    serialNumber    INTEGER,
//	    genTime         GeneralizedTime,
//	    accuracy        Accuracy OPTIONAL,
//	    ordering        BOOLEAN DEFAULT FALSE,
//	    nonce           INTEGER OPTIONAL,
//	    tsa             [0] GeneralName OPTIONAL,
//	    extensions      [1] IMPLICIT Extensions OPTIONAL }
//
// in DER. The nonce is for who asked for the token, to recognise the answer; the
// order of tokens decides nothing here; and tsa is a hint: "the actual
// identification of the entity that signed the response will always occur through
// the use of the certificate identifier". An encoded FALSE is accepted for
// ordering, as some authorities write it.
func parseTSTInfo(data []byte) (*tstInfo, error) {
	doc, err := der.Strict(data, der.Limits{})
	if err != nil {
		return nil, err
	}
	root := doc.Root()
	if root.Tag != der.Sequence {
		return nil, root.Errorf("TSTInfo has tag %v", root.Tag)
	}
	info, r := new(tstInfo), root.Reader()
	if err := info.parseRequired(&r); err != nil {
		return nil, err
	}
	if accuracy, ok := r.Optional(der.Sequence); ok {
		if err := info.parseAccuracy(accuracy); err != nil {
			return nil, err
		}
	}
	if ordering, ok := r.Optional(der.Boolean); ok {
		if _, err := ordering.Bool(); err != nil {
			return nil, err
		}
	}
	if nonce, ok := r.Optional(der.Integer); ok {
		if _, err := nonce.Integer(); err != nil {
			return nil, err
		}
	}
	r.Optional(der.ContextConstructed(0)) // tsa
	if extensions, ok := r.Optional(der.ContextConstructed(1)); ok {
		if err := checkTSTExtensions(extensions); err != nil {
			return nil, err
		}
	}
	return info, r.End("TSTInfo")
}

// parseRequired reads the fields up to genTime.
func (info *tstInfo) parseRequired(r *der.Reader) error {
	version, err := r.Expect(der.Integer, "version")
	if err != nil {
		return err
	}
	if n, err := version.Int(); err != nil || n != 1 {
		return version.Errorf("version of the TSTInfo is not 1")
	}
	policy, err := r.Expect(der.OID, "policy")
	if err != nil {
		return err
	}
	if info.policy, err = policy.ObjectID(); err != nil {
		return err
	}
	imprint, err := r.Expect(der.Sequence, "messageImprint")
	if err != nil {
		return err
	}
	if err := info.parseImprint(imprint); err != nil {
		return err
	}
	serial, err := r.Expect(der.Integer, "serialNumber")
	if err != nil {
		return err
	}
	if info.serial, err = serial.Integer(); err != nil {
		return err
	}
	genTime, err := r.Expect(der.GeneralizedTime, "genTime")
	if err != nil {
		return err
	}
	info.genTime, err = parseGenTime(genTime)
	return err
}

// parseImprint reads
//
//	MessageImprint ::= SEQUENCE {
//	    hashAlgorithm  AlgorithmIdentifier,
//	    hashedMessage  OCTET STRING }
//
// A hash that is not known here leaves hash zero, which no policy admits.
func (info *tstInfo) parseImprint(e der.Element) error {
	r := e.Reader()
	hashAlgorithm, err := r.Expect(der.Sequence, "hashAlgorithm")
	if err != nil {
		return err
	}
	id, err := algorithm.ParseIdentifier(hashAlgorithm)
	if err != nil {
		return err
	}
	hashedMessage, err := r.Expect(der.OctetString, "hashedMessage")
	if err != nil {
		return err
	}
	info.imprint = hashedMessage.Body
	if info.hash, err = algorithm.Digest(id); err == nil && len(info.imprint) != info.hash.Size() {
		return hashedMessage.Errorf("hashedMessage has %d octets, %v has %d", len(info.imprint), info.hash, info.hash.Size())
	}
	return r.End("MessageImprint")
}

// parseGenTime reads a GeneralizedTime in the form of DER: seconds, then perhaps a
// fraction that does not end in 0, then Z. Of a fraction nine digits are read,
// and no more accepted.
func parseGenTime(e der.Element) (time.Time, error) {
	const layout, maxDigits = "20060102150405", 9
	malformed := e.Errorf("genTime %.40q is not in the form YYYYMMDDhhmmss[.s...]Z", e.Body)
	n := len(e.Body) - 1
	if n < len(layout) || e.Body[n] != 'Z' {
		return time.Time{}, malformed
	}
	whole, fraction := e.Body[:len(layout)], e.Body[len(layout):n]
	if len(fraction) > 0 {
		if fraction[0] != '.' || len(fraction) < 2 || len(fraction) > 1+maxDigits || fraction[len(fraction)-1] == '0' {
			return time.Time{}, malformed
		}
	}
	for _, c := range fraction[min(1, len(fraction)):] {
		if c < '0' || c > '9' {
			return time.Time{}, malformed
		}
	}
	// Package time reads a fraction behind the seconds of any layout.
	t, err := time.Parse(layout, string(whole)+string(fraction))
	if err != nil {
		return time.Time{}, malformed
	}
	return t, nil
}

// parseAccuracy reads
//
//	Accuracy ::= SEQUENCE {
//	    seconds      INTEGER          OPTIONAL,
//	    millis  [0]  INTEGER (1..999) OPTIONAL,
//	    micros  [1]  INTEGER (1..999) OPTIONAL }
func (info *tstInfo) parseAccuracy(e der.Element) error {
	r := e.Reader()
	for _, part := range []struct {
		tag      der.Tag
		unit     time.Duration
		low, top int
	}{
		{der.Integer, time.Second, 0, 1<<31 - 1},
		{der.Context(0), time.Millisecond, 1, 999},
		{der.Context(1), time.Microsecond, 1, 999},
	} {
		field, ok := r.Optional(part.tag)
		if !ok {
			continue
		}
		field.Tag = der.Integer // it is tagged implicitly
		n, err := field.Int()
		if err != nil {
			return err
		}
		if n < part.low || n > part.top {
			return field.Errorf("%d is not between %d and %d in Accuracy", n, part.low, part.top)
		}
		info.accuracy += time.Duration(n) * part.unit
		info.accurate = true
	}
	return r.End("Accuracy")
}

// maxTSTExtensions bounds the extensions of a token. Authorities write one.
const maxTSTExtensions = 32

// checkTSTExtensions refuses critical extensions, of which none is known here
// (RFC 5280, Section 4.2).
func checkTSTExtensions(e der.Element) error {
	r := e.Reader()
	n := 0
	for extension := range r.All() {
		if n++; n > maxTSTExtensions {
			return &der.LimitError{What: "extensions of a TSTInfo", Limit: maxTSTExtensions}
		}
		if extension.Tag != der.Sequence {
			return extension.Errorf("Extension has tag %v", extension.Tag)
		}
		x := extension.Reader()
		id, err := x.Expect(der.OID, "extnID")
		if err != nil {
			return err
		}
		name, err := id.ObjectID()
		if err != nil {
			return err
		}
		if critical, ok := x.Optional(der.Boolean); ok {
			if isCritical, err := critical.Bool(); err != nil || isCritical {
				return extension.Errorf("critical extension %s of the TSTInfo is not known", name)
			}
		}
		if _, err := x.Expect(der.OctetString, "extnValue"); err != nil {
			return err
		}
		if err := x.End("Extension"); err != nil {
			return err
		}
	}
	return nil
}
