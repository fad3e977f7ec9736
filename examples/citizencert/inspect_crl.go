package main

import (
	"fmt"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/revocation"
)

// shownEntries is how many entries of a list are shown.
const shownEntries = 10

type revocationList struct {
	heading
	Issuer             string     `json:"issuer"`
	Number             string     `json:"number,omitempty"`
	DeltaBase          string     `json:"deltaBase,omitempty"`
	ThisUpdate         time.Time  `json:"thisUpdate"`
	NextUpdate         time.Time  `json:"nextUpdate,omitzero"`
	SignatureAlgorithm string     `json:"signatureAlgorithm"`
	Extensions         []string   `json:"extensions,omitempty"`
	Serials            int        `json:"serials"`      // distinct serial numbers
	FirstEntries       []crlEntry `json:"firstEntries"` // at most shownEntries
}

type crlEntry struct {
	Serial     string    `json:"serial"`
	RevokedAt  time.Time `json:"revokedAt"`
	ReasonCode *int      `json:"reasonCode,omitempty"`
}

func inspectCRL(data []byte) (inspection, error) {
	list, err := crl.Parse(data)
	if err != nil {
		return nil, err
	}
	l := &revocationList{
		heading:      heading{Kind: "crl"},
		Issuer:       nameText(list.RawIssuer),
		ThisUpdate:   list.ThisUpdate.UTC(),
		NextUpdate:   list.NextUpdate.UTC(),
		Serials:      list.Len(),
		FirstEntries: []crlEntry{},
	}
	if list.Number != nil {
		l.Number = list.Number.String()
	}
	if list.DeltaBase != nil {
		l.DeltaBase = list.DeltaBase.String()
	}
	return l, l.readRest(data)
}

// readRest reads what crl.List keeps to itself: the entries in their order, and
// what extensions there are.
func (l *revocationList) readRest(data []byte) error {
	doc, err := der.Strict(data, der.Limits{})
	if err != nil {
		return err
	}
	root := doc.Root().Reader()
	tbs, _ := root.Next()
	r := tbs.Reader()
	r.Optional(der.Integer) // version
	id, _ := r.Next()
	signature, err := algorithm.ParseIdentifier(id)
	if err != nil {
		return err
	}
	l.SignatureAlgorithm = signatureName(signature)
	r.Next() // issuer
	r.Next() // thisUpdate
	if tag, _ := r.Peek(); tag == der.UTCTime || tag == der.GeneralizedTime {
		r.Next() // nextUpdate
	}
	if revoked, ok := r.Optional(der.Sequence); ok {
		entries := revoked.Reader()
		for e, ok := entries.Next(); ok && len(l.FirstEntries) < shownEntries; e, ok = entries.Next() {
			entry, err := readEntry(e)
			if err != nil {
				return err
			}
			l.FirstEntries = append(l.FirstEntries, entry)
		}
	}
	if field, ok := r.Optional(der.ContextConstructed(0)); ok {
		inner := field.Reader()
		list, _ := inner.Next()
		extensions, err := revocation.AppendExtensions(nil, list)
		if err != nil {
			return err
		}
		l.Extensions = extensionNames(extensions)
	}
	return nil
}

const oidReasonCode = "2.5.29.21"

func readEntry(e der.Element) (crlEntry, error) {
	var entry crlEntry
	r := e.Reader()
	serial, _ := r.Next()
	n, err := serial.Integer()
	if err != nil {
		return entry, err
	}
	entry.Serial = fmt.Sprintf("%x", n)
	revokedAt, _ := r.Next()
	if entry.RevokedAt, err = revokedAt.Time(); err != nil {
		return entry, err
	}
	field, ok := r.Optional(der.Sequence)
	if !ok {
		return entry, nil
	}
	extensions, err := revocation.AppendExtensions(nil, field)
	if err != nil {
		return entry, err
	}
	for _, x := range extensions {
		if x.Name() != oidReasonCode {
			continue
		}
		value, err := x.Parse()
		if err != nil {
			return entry, err
		}
		code, err := value.Int()
		if err != nil {
			return entry, err
		}
		entry.ReasonCode = &code
	}
	return entry, nil
}

func (l *revocationList) writeText(w *textWriter) {
	w.title("CRL")
	w.line("issuer", "%s", l.Issuer)
	w.line("number", "%s", l.Number)
	w.line("delta of", "%s", l.DeltaBase)
	w.line("updates", "%s", period(l.ThisUpdate, l.NextUpdate))
	w.line("signature", "%s", l.SignatureAlgorithm)
	w.line("extensions", "%s", joined(l.Extensions))
	w.line("serial numbers", "%d", l.Serials)
	w.nested(func() {
		for _, e := range l.FirstEntries {
			reason := ""
			if e.ReasonCode != nil {
				reason = fmt.Sprintf(", reason %d %s", *e.ReasonCode, crlReasons[*e.ReasonCode])
			}
			w.line("revoked", "%s since %s%s", e.Serial, timeText(e.RevokedAt), reason)
		}
		if l.Serials > len(l.FirstEntries) {
			w.line("", "…")
		}
	})
	l.writeFurther(w)
}
