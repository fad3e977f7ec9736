package pkitest

import (
	"crypto/x509"
	"encoding/asn1"
	"time"
)

// caProfile is the shape of one of the four standing CAs. The order of their
// extensions differs from one to the next, as it does in the real ones.
type caProfile struct {
	name     string
	key      string // file name of the key, and first part of the URLs
	urls     Endpoints
	subject  []byte
	sub      bool // issued by a root, so path length 0
	keyUsage x509.KeyUsage
	order    []asn1.ObjectIdentifier
	access   func(root Endpoints) []AccessDescription
}

// template returns the CA's certificate to be. CAs are valid over three
// decades round the start of the PKI, so that a test can move its clock.
func (c caProfile) template(issuer *CA, now time.Time) Template {
	t := Template{
		RawSubject:            c.subject,
		NotBefore:             now.AddDate(-10, 0, 0),
		NotAfter:              endOfDay(now.UTC().AddDate(20, 0, 0)),
		KeyUsage:              c.keyUsage,
		BasicConstraints:      &BasicConstraints{CA: true},
		Policies:              []asn1.ObjectIdentifier{},
		CRLDistributionPoints: []string{},
		AccessDescriptions:    []AccessDescription{},
		Order:                 c.order,
	}
	if c.sub {
		t.BasicConstraints.PathLen = new(0)
		t.Policies = nil
		t.CRLDistributionPoints = nil
		t.AccessDescriptions = c.access(issuer.URLs)
	}
	return t
}

const (
	caUsage       = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	caUsageSigner = caUsage | x509.KeyUsageDigitalSignature
)

// moicaName is the subject of both MOICA generations.
var moicaName = Name(
	NameAttribute{Type: OIDCountry, Value: "TW"},
	NameAttribute{Type: OIDOrganization, Value: "行政院"},
	NameAttribute{Type: OIDOrganizationalUnit, Value: "(測試用) 內政部憑證管理中心"},
)

var rootOrder = []asn1.ObjectIdentifier{OIDBasicConstraints, OIDSubjectKeyID, OIDKeyUsage}

var rootG2 = caProfile{
	name: "GRCA G2",
	key:  "grca-g2",
	urls: Endpoints{
		OCSP:    "/OCSP",
		CRL:     "/repository/CRL2/CA.crl",
		Issuers: "/repository/Certs/IssuedToThisCA.p7b",
	},
	subject: Name(
		NameAttribute{Type: OIDCountry, Value: "TW"},
		NameAttribute{Type: OIDOrganization, Value: "(測試用) Government Root Certification Authority"},
	),
	keyUsage: caUsage,
	order:    rootOrder,
}

var rootG3 = caProfile{
	name: "GRCA G3",
	key:  "grca-g3",
	urls: Endpoints{
		OCSP:    "/OCSP",
		CRL:     "/repository/CRL3/CA.crl",
		Issuers: "/repository/Certs/GRCAG3.crt",
	},
	subject: Name(
		NameAttribute{Type: OIDCountry, Value: "TW"},
		NameAttribute{Type: OIDOrganization, Value: "(測試用) 行政院"},
		NameAttribute{Type: OIDCommonName, Value: "Government Root Certification Authority - G3"},
	),
	keyUsage: caUsageSigner,
	order:    rootOrder,
}

var moicaG2 = caProfile{
	name: "MOICA G2",
	key:  "moica-g2",
	urls: Endpoints{
		OCSP:      "/OCSP",
		CRL:       "/crl/MOICA-complete.crl",
		Partition: "/crl/MOICA-10-31.crl",
		Issuers:   "/repository/Certs/IssuedToThisCA.p7b",
	},
	subject:  moicaName,
	sub:      true,
	keyUsage: caUsage,
	order: []asn1.ObjectIdentifier{
		OIDAuthorityKeyID, OIDSubjectKeyID, OIDKeyUsage, OIDCertificatePolicies, OIDBasicConstraints,
		OIDCRLDistributionPoints, OIDAuthorityInfoAccess,
	},
	// The G2 certificate names no responder.
	access: func(root Endpoints) []AccessDescription {
		return []AccessDescription{{OIDAccessCAIssuers, root.Issuers}}
	},
}

var moicaG3 = caProfile{
	name: "MOICA G3",
	key:  "moica-g3",
	urls: Endpoints{
		OCSP:      "/OCSP",
		CRL:       "/crl/MOICA-G3-complete.crl",
		Partition: "/crl/MOICA-G3-10-8.crl",
		Issuers:   "/repository/Certs/IssuedToThisCA.p7b",
	},
	subject:  moicaName,
	sub:      true,
	keyUsage: caUsageSigner,
	order: []asn1.ObjectIdentifier{
		OIDAuthorityKeyID, OIDSubjectKeyID, OIDKeyUsage, OIDCRLDistributionPoints, OIDAuthorityInfoAccess,
		OIDBasicConstraints, OIDCertificatePolicies,
	},
	access: func(root Endpoints) []AccessDescription {
		return []AccessDescription{{OIDAccessCAIssuers, root.Issuers}, {OIDAccessOCSP, root.OCSP}}
	},
}

// otherURLs are the endpoints of CAs that a test sets up for itself.
var otherURLs = Endpoints{
	OCSP:    "/OCSP",
	CRL:     "/crl/complete.crl",
	Issuers: "/repository/Certs/IssuedToThisCA.p7b",
}
