package main

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/verify/moica"
)

type certificate struct {
	heading
	Subject               string    `json:"subject"`
	Issuer                string    `json:"issuer"`
	Serial                string    `json:"serial"`
	Version               int       `json:"version"`
	NotBefore             time.Time `json:"notBefore"`
	NotAfter              time.Time `json:"notAfter"`
	PublicKey             string    `json:"publicKey"`
	SignatureAlgorithm    string    `json:"signatureAlgorithm"`
	CA                    bool      `json:"ca"`
	PathLen               *int      `json:"pathLen,omitempty"`
	KeyUsage              []string  `json:"keyUsage,omitempty"`
	ExtKeyUsage           []string  `json:"extKeyUsage,omitempty"`
	Policies              []string  `json:"policies,omitempty"`
	SubjectKeyID          string    `json:"subjectKeyIdentifier,omitempty"`
	AuthorityKeyID        string    `json:"authorityKeyIdentifier,omitempty"`
	OCSP                  []string  `json:"ocsp,omitempty"`
	CAIssuers             []string  `json:"caIssuers,omitempty"`
	CRLDistributionPoints []string  `json:"crlDistributionPoints,omitempty"`
	Extensions            []string  `json:"extensions,omitempty"`
	SHA256                string    `json:"sha256"`
	Pin                   string    `json:"pin,omitempty"` // its name among the pinned anchors
}

func inspectCertificate(data []byte) (inspection, error) {
	cert, err := certpath.ParseCertificate(data)
	if err != nil {
		return nil, err
	}
	c := &certificate{
		heading:               heading{Kind: "certificate"},
		Subject:               nameText(cert.RawSubject),
		Issuer:                nameText(cert.RawIssuer),
		Serial:                fmt.Sprintf("%x", cert.SerialNumber),
		Version:               cert.Version,
		NotBefore:             cert.NotBefore.UTC(),
		NotAfter:              cert.NotAfter.UTC(),
		PublicKey:             publicKeyText(cert),
		SignatureAlgorithm:    cert.SignatureAlgorithm.String(),
		CA:                    cert.IsCA,
		KeyUsage:              keyUsageNames(cert.KeyUsage),
		SubjectKeyID:          fmt.Sprintf("%x", cert.SubjectKeyId),
		AuthorityKeyID:        fmt.Sprintf("%x", cert.AuthorityKeyId),
		OCSP:                  cert.OCSPServer,
		CAIssuers:             cert.IssuingCertificateURL,
		CRLDistributionPoints: cert.CRLDistributionPoints,
		SHA256:                fmt.Sprintf("%x", sha256.Sum256(data)),
	}
	if cert.IsCA && (cert.MaxPathLen > 0 || cert.MaxPathLenZero) {
		c.PathLen = &cert.MaxPathLen
	}
	for _, policy := range cert.Policies {
		c.Policies = append(c.Policies, policy.String())
	}
	c.ExtKeyUsage = extKeyUsageNames(cert)
	for _, ext := range cert.Extensions {
		c.Extensions = append(c.Extensions, ext.Id.String()+critical(ext.Critical))
	}
	for _, pin := range moica.Pins() {
		if pin.SHA256 == c.SHA256 {
			c.Pin = pin.Name
		}
	}
	return c, nil
}

func publicKeyText(cert *x509.Certificate) string {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	}
	return cert.PublicKeyAlgorithm.String()
}

// keyUsageNames names the bits of keyUsage, in their order (RFC 5280, Section
// 4.2.1.3).
func keyUsageNames(usage x509.KeyUsage) []string {
	var names []string
	for i, name := range []string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment",
		"keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"} {
		if usage&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func extKeyUsageNames(cert *x509.Certificate) []string {
	var oids []string
	for _, usage := range cert.ExtKeyUsage {
		oids = append(oids, usage.OID().String())
	}
	for _, oid := range cert.UnknownExtKeyUsage {
		oids = append(oids, oid.String())
	}
	for i, oid := range oids {
		for _, name := range slices.Sorted(maps.Keys(purposes)) {
			if purposes[name] == oid {
				oids[i] = name
			}
		}
	}
	return oids
}

func (c *certificate) writeText(w *textWriter) {
	w.title("certificate")
	w.line("subject", "%s", c.Subject)
	w.line("issuer", "%s", c.Issuer)
	w.line("serial", "%s", c.Serial)
	w.line("valid", "%s", period(c.NotBefore, c.NotAfter))
	w.line("public key", "%s", c.PublicKey)
	w.line("signature", "%s", c.SignatureAlgorithm)
	if c.CA {
		limit := "no path length limit"
		if c.PathLen != nil {
			limit = fmt.Sprintf("path length %d", *c.PathLen)
		}
		w.line("CA", "yes, %s", limit)
	}
	w.line("key usage", "%s", joined(c.KeyUsage))
	w.line("ext. key usage", "%s", joined(c.ExtKeyUsage))
	w.line("policies", "%s", joined(c.Policies))
	w.line("subject key id", "%s", c.SubjectKeyID)
	w.line("authority key id", "%s", c.AuthorityKeyID)
	w.lines("OCSP", c.OCSP)
	w.lines("CA issuers", c.CAIssuers)
	w.lines("CRL", c.CRLDistributionPoints)
	w.line("extensions", "%s", strings.Join(c.Extensions, ", "))
	w.line("SHA-256", "%s", c.SHA256)
	w.line("pinned as", "%s", c.Pin)
	c.writeFurther(w)
}
