package crl

import (
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/revocation"
)

// parseRevoked reads revokedCertificates, which is absent rather than empty
// (Section 5.1.2.6).
func (l *List) parseRevoked(s *stream, end int64, isV2 bool) error {
	end, err := s.enter(end, "revokedCertificates")
	if err != nil {
		return err
	}
	if s.offset == end {
		return s.errorf("revokedCertificates is empty")
	}
	l.index = newIndex(end - s.offset)
	var context entryContext
	for s.offset < end {
		if context.issuer == 0 {
			s.skip(l.scan(s.window[:min(int64(len(s.window)), end-s.offset)], isV2))
			if s.offset == end {
				break
			}
		}
		e, err := s.piece(end)
		if err != nil {
			return err
		}
		if err := l.addEntry(e, isV2, &context); err != nil {
			return s.at(err)
		}
		s.skip(len(e.Raw))
	}
	return nil
}

// scan adds the entries at the beginning of data that are whole and of the usual
// form, and returns how long they are.
func (l *List) scan(data []byte, isV2 bool) (consumed int) {
	for {
		number, found, size := scanEntry(data[consumed:], isV2)
		if size == 0 {
			return consumed
		}
		l.index.add(number, found)
		consumed += size
	}
}

// addEntry adds one entry of whatever form.
func (l *List) addEntry(e der.Element, isV2 bool, context *entryContext) error {
	contents, found, err := l.parseEntry(e, isV2, context)
	if err != nil {
		return err
	}
	number, ok := serialOf(contents.Body)
	if !ok {
		return contents.Errorf("serial number of %d octets", len(contents.Body))
	}
	if context.issuer != 0 {
		l.foreign.add(context.issuer, string(number.contents()), found)
		return nil
	}
	l.index.add(number, found)
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
