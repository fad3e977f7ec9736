package main

import (
	"fmt"
	"time"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/cms"
)

type signedData struct {
	heading
	Version          int           `json:"version"`
	ContentType      string        `json:"contentType"`
	Detached         bool          `json:"detached"`
	ContentLength    *int64        `json:"contentLength,omitempty"` // absent if detached
	DigestAlgorithms []string      `json:"digestAlgorithms"`
	Certificates     []messageCert `json:"certificates"`
	CRLs             int           `json:"crls"`
	OCSPResponses    int           `json:"ocspResponses"`
	SignerInfos      []signerRow   `json:"signerInfos"`
}

// messageCert is a certificate in a message.
type messageCert struct {
	Subject string `json:"subject"`
	Issuer  string `json:"issuer"`
	Serial  string `json:"serial"`
}

type signerRow struct {
	Issuer             string    `json:"issuer,omitempty"`
	Serial             string    `json:"serial,omitempty"`
	SubjectKeyID       string    `json:"subjectKeyIdentifier,omitempty"`
	DigestAlgorithm    string    `json:"digestAlgorithm"`
	SignatureAlgorithm string    `json:"signatureAlgorithm"`
	SigningTime        time.Time `json:"signingTime,omitzero"` // the signer's claim
	SignedAttributes   []string  `json:"signedAttributes,omitempty"`
	UnsignedAttributes []string  `json:"unsignedAttributes,omitempty"`
}

func inspectSignedData(data []byte) (inspection, error) {
	m, err := cms.Parse(data, cms.Limits{})
	if err != nil {
		return nil, err
	}
	s := &signedData{
		heading:       heading{Kind: "signed-data"},
		Version:       m.Version,
		ContentType:   m.ContentType,
		Detached:      m.Detached,
		Certificates:  []messageCert{},
		CRLs:          len(m.CRLs),
		OCSPResponses: len(m.OCSPResponses),
		SignerInfos:   []signerRow{},
	}
	if !m.Detached {
		n := m.Content.Len()
		s.ContentLength = &n
	}
	for _, id := range m.DigestAlgorithms {
		s.DigestAlgorithms = append(s.DigestAlgorithms, digestName(id))
	}
	for i, raw := range m.Certificates {
		cert, err := certpath.ParseCertificate(raw)
		if err != nil {
			return nil, fmt.Errorf("certificates[%d]: %w", i, err)
		}
		s.Certificates = append(s.Certificates, messageCert{
			nameText(cert.RawSubject), nameText(cert.RawIssuer), fmt.Sprintf("%x", cert.SerialNumber),
		})
	}
	for i := range m.SignerInfos {
		s.SignerInfos = append(s.SignerInfos, newSignerRow(&m.SignerInfos[i]))
	}
	return s, nil
}

const oidSigningTime = "1.2.840.113549.1.9.5"

func newSignerRow(info *cms.SignerInfo) signerRow {
	row := signerRow{
		SubjectKeyID:       fmt.Sprintf("%x", info.SubjectKeyID),
		DigestAlgorithm:    digestName(info.DigestAlgorithm),
		SignatureAlgorithm: signatureName(info.SignatureAlgorithm),
	}
	if info.Issuer != nil {
		row.Issuer, row.Serial = nameText(info.Issuer), fmt.Sprintf("%x", info.Serial)
	}
	for _, a := range info.SignedAttributes {
		row.SignedAttributes = append(row.SignedAttributes, a.Type)
		if a.Type == oidSigningTime && len(a.Values) == 1 {
			// One that cannot be read is shown as absent; verify refuses it.
			row.SigningTime, _ = a.Values[0].Time()
		}
	}
	for _, a := range info.UnsignedAttributes {
		row.UnsignedAttributes = append(row.UnsignedAttributes, a.Type)
	}
	return row
}

func (s *signedData) writeText(w *textWriter) {
	w.title("SignedData")
	w.line("version", "%d", s.Version)
	w.line("content type", "%s", s.ContentType)
	if s.ContentLength != nil {
		w.line("content", "%d bytes", *s.ContentLength)
	} else {
		w.line("content", "detached")
	}
	w.line("digests", "%s", joined(s.DigestAlgorithms))
	w.line("evidence", "%d CRLs, %d OCSP responses", s.CRLs, s.OCSPResponses)
	for _, c := range s.Certificates {
		w.line("certificate", "%s", c.Subject)
		w.nested(func() {
			w.line("issuer", "%s", c.Issuer)
			w.line("serial", "%s", c.Serial)
		})
	}
	for i, row := range s.SignerInfos {
		w.line(fmt.Sprintf("signer %d", i), "%s%s", row.Serial, row.SubjectKeyID)
		w.nested(func() {
			w.line("issuer", "%s", row.Issuer)
			w.line("digest", "%s", row.DigestAlgorithm)
			w.line("signature", "%s", row.SignatureAlgorithm)
			if !row.SigningTime.IsZero() {
				w.line("signing time", "%s (claimed)", timeText(row.SigningTime))
			}
			w.line("signed attributes", "%s", joined(row.SignedAttributes))
			w.line("unsigned", "%s", joined(row.UnsignedAttributes))
		})
	}
	s.writeFurther(w)
}
