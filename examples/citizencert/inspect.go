package main

import (
	"context"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// An inspection is the report of inspect: the first object in a file, and the
// others of a bundle below it. It verifies nothing.
type inspection interface {
	report
	add(others []inspection)
}

// A heading begins every inspection.
type heading struct {
	Kind    string       `json:"kind"`
	Further []inspection `json:"further,omitempty"`
}

func (h *heading) exitCode() int           { return exitGood }
func (h *heading) add(others []inspection) { h.Further = others }

// writeFurther writes the others of a bundle.
func (h *heading) writeFurther(w *textWriter) {
	for _, other := range h.Further {
		w.title("")
		other.writeText(w)
	}
}

// A misfit is the report on a file that is none of what inspect knows.
type misfit struct {
	Kind    string        `json:"kind"`
	Reason  verify.Reason `json:"reason"`
	Message string        `json:"message"`
}

func (m *misfit) exitCode() int { return exitRefused }

func (m *misfit) writeText(w *textWriter) {
	w.title("refused: %s", m.Reason)
	w.line("because", "%s", m.Message)
}

func setupInspect(*flag.FlagSet) action {
	return func(_ context.Context, in *files, name string) (report, error) {
		all, err := inspectFile(in, name)
		if refused, ok := err.(*verify.Error); ok {
			return &misfit{"unknown", refused.Reason, refused.Error()}, nil
		} else if err != nil {
			return nil, err
		}
		all[0].add(all[1:])
		return all[0], nil
	}
}

func inspectFile(in *files, name string) ([]inspection, error) {
	data, err := in.read(name)
	if err != nil {
		return nil, err
	}
	blocks, err := decode(data)
	if err != nil {
		return nil, refusal(verify.ReasonMalformed, "%s: %w", name, err)
	}
	var all []inspection
	for _, b := range blocks {
		one, err := inspectBlock(b)
		if err != nil {
			return nil, refusal(verify.ReasonMalformed, "%s: %w", name, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// inspectBlock goes by what is inside. A PEM label, which may be wrong, is for
// messages.
func inspectBlock(b *pem.Block) (inspection, error) {
	doc, err := der.Scan(b.Bytes, der.Limits{})
	if err != nil {
		return nil, err
	}
	switch kindOf(doc.Root()) {
	case signedDataFormat.name:
		return inspectSignedData(b.Bytes)
	case ocspFormat.name:
		return inspectOCSP(doc.Root())
	case crlFormat.name:
		return inspectCRL(b.Bytes)
	case certificateFormat.name:
		return inspectCertificate(b.Bytes)
	}
	if b.Type != "" {
		return nil, fmt.Errorf("a PEM block %q is no certificate, CRL, OCSP response or SignedData", b.Type)
	}
	return nil, errors.New("it is no certificate, CRL, OCSP response or SignedData")
}

// kindOf tells the formats apart by their first elements:
//
//	ContentInfo      { OBJECT IDENTIFIER, … }
//	OCSPResponse     { ENUMERATED, … }
//	Certificate      { { [0] | INTEGER, … }, … }
//	CertificateList  { { INTEGER OPTIONAL, SEQUENCE, SEQUENCE, Time, … }, … }
func kindOf(root der.Element) string {
	if root.Tag != der.Sequence {
		return ""
	}
	r := root.Reader()
	first, _ := r.Next()
	switch first.Tag {
	case der.OID:
		return signedDataFormat.name
	case der.Enumerated:
		return ocspFormat.name
	case der.Sequence:
	default:
		return ""
	}
	r = first.Reader()
	_, isVersion3 := r.Optional(der.ContextConstructed(0))
	r.Optional(der.Integer)
	r.Optional(der.Sequence) // signature
	r.Optional(der.Sequence) // issuer
	switch next, _ := r.Next(); {
	case isVersion3, next.Tag == der.Sequence:
		return certificateFormat.name
	case next.Tag == der.UTCTime, next.Tag == der.GeneralizedTime:
		return crlFormat.name
	}
	return ""
}

// signatureName names an AlgorithmIdentifier of a signature.
func signatureName(id algorithm.Identifier) string {
	if s, err := algorithm.ParseSignature(id); err == nil {
		return s.String()
	}
	return id.OID
}

// digestName names an AlgorithmIdentifier of a digest.
func digestName(id algorithm.Identifier) string {
	if h, err := algorithm.Digest(id); err == nil {
		return h.String()
	}
	return id.OID
}

// extensionNames lists extensions by number, critical ones marked.
func extensionNames(extensions []revocation.Extension) []string {
	var names []string
	for _, x := range extensions {
		names = append(names, x.Name()+critical(x.Critical))
	}
	return names
}

func critical(is bool) string {
	if is {
		return " critical"
	}
	return ""
}

func joined(values []string) string { return strings.Join(values, ", ") }
