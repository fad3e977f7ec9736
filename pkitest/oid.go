package pkitest

import "encoding/asn1"

// Object identifiers of the government PKI, as they stand in certificates and
// in what the card reader component signs.
var (
	// OIDTestPolicy is in every certificate that this package issues; the
	// real ones carry OIDClass3Policy, assurance level 3.
	OIDTestPolicy   = asn1.ObjectIdentifier{2, 16, 886, 101, 0, 3, 0}
	OIDClass3Policy = asn1.ObjectIdentifier{2, 16, 886, 101, 0, 3, 3}

	// Attributes of subjectDirectoryAttributes: the kind of holder, the
	// carrier of the key, the last four characters of the national ID.
	OIDSubjectType = asn1.ObjectIdentifier{2, 16, 886, 1, 100, 2, 1}
	OIDCarrier     = asn1.ObjectIdentifier{2, 16, 886, 1, 100, 2, 2}
	OIDLastFour    = asn1.ObjectIdentifier{2, 16, 886, 1, 100, 2, 51}

	// Values of OIDSubjectType.
	OIDCitizen         = asn1.ObjectIdentifier{2, 16, 886, 1, 100, 3, 1, 1}
	OIDForeignResident = asn1.ObjectIdentifier{2, 16, 886, 1, 100, 3, 1, 9}

	// Attributes that the reader component signs on request.
	OIDCardNumber  = asn1.ObjectIdentifier{2, 16, 886, 1, 100, 2, 204}
	OIDRandomNonce = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 25, 3}
)

// Extensions and other names of RFC 5280, for Template.Omit and Template.Order.
var (
	OIDSubjectDirectoryAttributes = asn1.ObjectIdentifier{2, 5, 29, 9}
	OIDSubjectKeyID               = asn1.ObjectIdentifier{2, 5, 29, 14}
	OIDKeyUsage                   = asn1.ObjectIdentifier{2, 5, 29, 15}
	OIDBasicConstraints           = asn1.ObjectIdentifier{2, 5, 29, 19}
	OIDNameConstraints            = asn1.ObjectIdentifier{2, 5, 29, 30}
	OIDCRLDistributionPoints      = asn1.ObjectIdentifier{2, 5, 29, 31}
	OIDCertificatePolicies        = asn1.ObjectIdentifier{2, 5, 29, 32}
	OIDPolicyMappings             = asn1.ObjectIdentifier{2, 5, 29, 33}
	OIDAuthorityKeyID             = asn1.ObjectIdentifier{2, 5, 29, 35}
	OIDPolicyConstraints          = asn1.ObjectIdentifier{2, 5, 29, 36}
	OIDExtKeyUsage                = asn1.ObjectIdentifier{2, 5, 29, 37}
	OIDInhibitAnyPolicy           = asn1.ObjectIdentifier{2, 5, 29, 54}
	OIDAuthorityInfoAccess        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}

	// Extended key usages (RFC 5280, Section 4.2.1.12).
	OIDAnyExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37, 0}
	OIDServerAuth     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	OIDClientAuth     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	OIDTimeStamping   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	OIDOCSPSigning    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9}

	// OIDOCSPNoCheck is the extension ocsp-nocheck (RFC 6960, Section
	// 4.2.2.2.1).
	OIDOCSPNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

	// Access methods of authorityInfoAccess.
	OIDAccessOCSP      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}
	OIDAccessCAIssuers = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 2}

	// Attribute types of names.
	OIDCountry            = asn1.ObjectIdentifier{2, 5, 4, 6}
	OIDOrganization       = asn1.ObjectIdentifier{2, 5, 4, 10}
	OIDOrganizationalUnit = asn1.ObjectIdentifier{2, 5, 4, 11}
	OIDCommonName         = asn1.ObjectIdentifier{2, 5, 4, 3}
	OIDSerialNumber       = asn1.ObjectIdentifier{2, 5, 4, 5}
)

// Content types and attributes of RFC 5652 and its companions.
var (
	OIDData                   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	OIDSignedData             = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	OIDTSTInfo                = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	OIDContentType            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	OIDMessageDigest          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	OIDSigningTime            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	OIDSigningCertificateV2   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	OIDCMSAlgorithmProtection = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}

	// OIDRSAEncryption is a signature algorithm that leaves the hash to the
	// digest algorithm.
	OIDRSAEncryption = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}

	oidRevocationOCSP = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}
)
