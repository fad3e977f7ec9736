package crl

import (
	"time"

	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/revocation"
)

func parse(data []byte, maxBytes int) (*List, error) {
	doc, err := der.Strict(data, der.Limits{Bytes: maxBytes, Elements: maxBytes / 4})
	if err != nil {
		return nil, revocation.Malformed("CertificateList: %w", err)
	}
	l := &List{Raw: data, entries: map[string]entry{}}
	if err := l.parse(doc.Root()); err != nil {
		return nil, revocation.Malformed("CertificateList: %w", err)
	}
	return l, nil
}

//	CertificateList ::= SEQUENCE {
//	    tbsCertList         TBSCertList,
//	    signatureAlgorithm  AlgorithmIdentifier,
//	    signatureValue      BIT STRING }
func (l *List) parse(e der.Element) error {
	if e.Tag != der.Sequence {
		return e.Errorf("has tag %v", e.Tag)
	}
	r := e.Reader()
	tbs, err := r.Expect(der.Sequence, "tbsCertList")
	if err != nil {
		return err
	}
	l.signed.TBS = tbs.Raw
	if err := l.signed.ParseSignature(&r); err != nil {
		return err
	}
	if err := r.End("CertificateList"); err != nil {
		return err
	}
	return l.parseTBS(tbs)
}

//	TBSCertList ::= SEQUENCE {
//	    version              INTEGER OPTIONAL,  -- if present, v2(1)
//	    signature            AlgorithmIdentifier,
//	    issuer               Name,
//	    thisUpdate           Time,
//	    nextUpdate           Time OPTIONAL,
//	    revokedCertificates  SEQUENCE OF SEQUENCE { … } OPTIONAL,
//	    crlExtensions        [0] EXPLICIT Extensions OPTIONAL }
func (l *List) parseTBS(e der.Element) error {
	r := e.Reader()
	version, isV2 := r.Optional(der.Integer)
	if isV2 {
		if n, err := version.Int(); err != nil || n != 1 {
			return version.Errorf("version is present and not 2")
		}
	}
	signature, err := r.Expect(der.Sequence, "signature")
	if err != nil {
		return err
	}
	if string(signature.Raw) != string(l.signed.Algorithm.Raw) {
		return signature.Errorf("signature is another algorithm than signatureAlgorithm")
	}
	issuer, err := r.Expect(der.Sequence, "issuer")
	if err != nil {
		return err
	}
	if l.RawIssuer = issuer.Raw; len(issuer.Body) == 0 {
		return issuer.Errorf("issuer is empty")
	}
	if err := l.parseTimes(&r); err != nil {
		return err
	}
	if revoked, ok := r.Optional(der.Sequence); ok {
		if err := l.parseEntries(revoked, isV2); err != nil {
			return err
		}
	}
	if field, ok := r.Optional(der.ContextConstructed(0)); ok {
		if !isV2 {
			return field.Errorf("extensions in a list of version 1")
		}
		if err := l.parseExtensions(field); err != nil {
			return err
		}
	}
	if l.foreign != nil && !l.indirect() {
		l.unhandled = "2.5.29.29 (certificateIssuer)"
	}
	return r.End("TBSCertList")
}

func (l *List) parseTimes(r *der.Reader) (err error) {
	e, ok := r.Next()
	if !ok {
		return &der.SyntaxError{Msg: "thisUpdate is missing"}
	}
	if l.ThisUpdate, err = e.Time(); err != nil {
		return err
	}
	if tag, _ := r.Peek(); tag == der.UTCTime || tag == der.GeneralizedTime {
		e, _ = r.Next()
		if l.NextUpdate, err = e.Time(); err != nil {
			return err
		}
		if l.NextUpdate.Before(l.ThisUpdate) {
			return e.Errorf("nextUpdate %s is before thisUpdate %s",
				l.NextUpdate.Format(time.RFC3339), l.ThisUpdate.Format(time.RFC3339))
		}
	}
	return nil
}

// parseEntries reads revokedCertificates, which is absent rather than empty
// (Section 5.1.2.6).
//
// The keys of the map are pieces of one string, which is the only copy made.
func (l *List) parseEntries(e der.Element, isV2 bool) error {
	if len(e.Body) == 0 {
		return e.Errorf("revokedCertificates is empty")
	}
	text := string(e.Body)
	start := e.Offset() + len(e.Raw) - len(e.Body)
	var context entryContext
	r := e.Reader()
	for element := range r.All() {
		serial, found, err := l.parseEntry(element, isV2, &context)
		if err != nil {
			return err
		}
		octets, err := serialOctets(serial)
		if err != nil {
			return err
		}
		end := serial.Offset() + len(serial.Raw) - start
		key := text[end-len(octets) : end]
		if context.issuer != 0 {
			l.foreign.add(context.issuer, key, found)
			continue
		}
		if held, ok := l.entries[key]; ok {
			found = held.merge(found)
		}
		l.entries[key] = found
	}
	return nil
}

// An entryContext goes from one entry to the next.
type entryContext struct {
	issuer     int                    // group of the last certificateIssuer, or 0 for the list's own
	extensions []revocation.Extension // storage
}

//	SEQUENCE {
//	    userCertificate     INTEGER,
//	    revocationDate      Time,
//	    crlEntryExtensions  Extensions OPTIONAL }
func (l *List) parseEntry(e der.Element, isV2 bool, context *entryContext) (serial der.Element, found entry, err error) {
	if e.Tag != der.Sequence {
		return serial, found, e.Errorf("entry has tag %v", e.Tag)
	}
	r := e.Reader()
	if serial, err = r.Expect(der.Integer, "userCertificate"); err != nil {
		return serial, found, err
	}
	date, ok := r.Next()
	if !ok {
		return serial, found, e.Errorf("revocationDate is missing")
	}
	at, err := date.Time()
	if err != nil {
		return serial, found, err
	}
	found = entry{revokedAt: at.Unix(), invalidFrom: at.Unix()}
	if field, ok := r.Optional(der.Sequence); ok {
		if !isV2 {
			return serial, found, field.Errorf("entry extensions in a list of version 1")
		}
		if context.extensions, err = revocation.AppendExtensions(context.extensions, field); err != nil {
			return serial, found, err
		}
		if err := l.applyEntryExtensions(&found, context); err != nil {
			return serial, found, err
		}
	}
	return serial, found, r.End("entry")
}

// Contents of the object identifiers of CRL entry extensions, id-ce 21, 24
// and 29 (RFC 5280, Section 5.3).
const (
	idReasonCode        = "\x55\x1d\x15"
	idInvalidityDate    = "\x55\x1d\x18"
	idCertificateIssuer = "\x55\x1d\x1d"
)

// applyEntryExtensions reads reasonCode, invalidityDate and certificateIssuer. That
// the last stands only in indirect lists is checked when the scope has been read.
//
// A list with a critical entry extension that is not processed must not be used
// for any certificate (Section 5.3).
func (l *List) applyEntryExtensions(found *entry, context *entryContext) (err error) {
	for i := range context.extensions {
		x := &context.extensions[i]
		switch {
		case string(x.ID) == idReasonCode:
			value, err := x.Parse()
			if err != nil {
				return err
			}
			reason, err := value.Int()
			if err != nil || value.Tag != der.Enumerated || reason < 0 || reason > 10 || reason == 7 {
				return value.Errorf("reasonCode is not one of RFC 5280, Section 5.3.1")
			}
			found.reason = int8(reason)
		case string(x.ID) == idInvalidityDate:
			date, err := x.Time()
			if err != nil {
				return err
			}
			found.invalidFrom, found.hasInvalid = date.Unix(), true
		case string(x.ID) == idCertificateIssuer:
			if context.issuer, err = l.foreignGroup(x); err != nil {
				return err
			}
		case x.Critical:
			l.unhandled = x.Name()
		}
	}
	return nil
}
