// Package moica is the scheme of Taiwan's Citizen Digital Certificate
// (自然人憑證), issued by MOICA (內政部憑證管理中心) under the Government Root CA.
//
// It knows the pins of the anchors, the profiles of the certificates, and how
// they name their holder:
//
//	anchors, err := moica.LoadAnchors(os.DirFS("/etc/moica"))
//	...
//	v, err := verify.New(verify.Config{Scheme: moica.Production(anchors), Status: sources})
//
// The certificate files are not part of this module. An operator downloads them
// once with [FetchAnchors], or puts files from another place into a folder: what
// counts is the SHA-256 of the DER, never where a file comes from.
//
// All generations of MOICA share one subject name, and so do two of the roots.
// CAs are told apart by their keys.
package moica

import (
	"crypto/x509"

	"github.com/citizencert/citizencert/verify"
)

// Name is the name of the scheme in results and session subjects.
const Name = "tw-moica"

// Certificate policies of the government PKI (GPKI CPS, Section 1.2): assurance
// level 3, under which MOICA issues, and the level for tests.
const (
	PolicyLevel3 = "2.16.886.101.0.3.3"
	PolicyTest   = "2.16.886.101.0.3.0"
)

// Hosts are the domains of MOICA's responders and revocation lists.
var hosts = []string{"moi.gov.tw", "nat.gov.tw"}

// Production returns the scheme for certificates of the real MOICA.
func Production(anchors *Anchors) verify.Scheme {
	return production(anchors.set)
}

func production(set anchorSet) verify.Scheme {
	s := scheme(set, SignatureProfile())
	s.Environment = verify.Production
	s.Hosts = append([]string(nil), hosts...)
	return s
}

// Test returns the scheme for a look-alike: MOI's acceptance environment, or
// package pkitest. statusHosts are where its responders and lists live, besides
// MOICA's own domains.
func Test(anchors *TestAnchors, statusHosts ...string) verify.Scheme {
	profile := SignatureProfile()
	profile.Name = "moica-test"
	// Which level the acceptance environment issues under is not documented.
	profile.Policies = []string{PolicyTest, PolicyLevel3}
	s := scheme(anchors.set, profile)
	s.Environment = verify.Test
	s.Hosts = append(append([]string(nil), hosts...), statusHosts...)
	return s
}

func scheme(set anchorSet, profile verify.Profile) verify.Scheme {
	profile.Identify = set.identify
	return verify.Scheme{
		Name:          Name,
		Anchors:       set.roots,
		Intermediates: set.intermediates,
		Profile:       profile,
	}
}

// SignatureProfile is the profile of the certificate that signs. MOICA issues it
// with digitalSignature alone: there is no nonRepudiation bit to ask for, so what
// a signature means must stand in what is signed. Other CAs under the Government
// Root CA issue for companies, agencies and tests: what a holder is called counts
// in a certificate of a pinned MOICA alone.
func SignatureProfile() verify.Profile {
	return verify.Profile{
		Name:                 "moica",
		KeyUsage:             x509.KeyUsageDigitalSignature,
		Policies:             []string{PolicyLevel3},
		RequireKeyIdentifier: true,
		RequireKnownIssuer:   true,
	}
}

// EncryptionProfile is the profile of the other certificate of a card, to which
// documents are encrypted. It never signs.
func EncryptionProfile() verify.Profile {
	return verify.Profile{
		Name:                 "moica-encryption",
		KeyUsage:             x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment,
		Policies:             []string{PolicyLevel3},
		RequireKeyIdentifier: true,
		RequireKnownIssuer:   true,
	}
}
