package verify

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"

	"github.com/citizencert/citizencert/internal/certpath"
)

// A Scheme is what one national PKI means. Packages moica and hongkong return
// theirs; a relying party can write another.
type Scheme struct {
	Name        string // "tw-moica", for results and session subjects
	Environment Environment

	// Anchors are the certificates at which a certification path may end.
	// System roots are never used.
	Anchors []*x509.Certificate

	// AnchorPeriods limit the trust in anchors to a time. An anchor without one
	// is trusted as long as its certificate is valid.
	AnchorPeriods []AnchorPeriod

	// Intermediates are CA certificates known beforehand. Each must be signed,
	// directly or through others, by an anchor. They are verified once, in New.
	Intermediates []*x509.Certificate

	// Profile is what the certificate of a signer must be.
	Profile Profile

	// SeparateCRLKeys accepts revocation lists that were signed with another key than
	// the certificate: with another of the same CA, or as indirect lists by an issuer
	// that the certificate names (RFC 5280, Section 6.3.3 (b), (f)). Whose key that
	// is, only a name says. So it is for PKIs in which no two CAs below one anchor
	// share a name, and never for MOICA, where all generations do. New refuses it
	// for anchors and intermediates that share one.
	SeparateCRLKeys bool

	// Hosts are the domains on which the scheme's responders and lists live.
	// Sources of status contact hosts equal to one or below it, and no others.
	Hosts []string
}

// An Environment keeps test certificates out of production. It comes with the
// anchors, never from names in certificates.
type Environment uint8

// Custom is for anchors that a relying party brings itself.
const (
	Production Environment = iota + 1
	Test
	Custom
)

var environmentNames = [...]string{"", "production", "test", "custom"}

func (e Environment) String() string {
	if e >= Production && e <= Custom {
		return environmentNames[e]
	}
	return fmt.Sprintf("Environment(%d)", uint8(e))
}

// MarshalText returns the name of the environment.
func (e Environment) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// A Profile says what an end-entity certificate must be, beyond a valid path.
// The zero value refuses CA certificates and asks for nothing else.
type Profile struct {
	Name string

	// KeyUsage lists bits of which at least one must be set. Zero asks for none.
	KeyUsage x509.KeyUsage
	// KeyUsageOptional accepts certificates without a keyUsage extension, whose
	// key RFC 5280 does not restrict.
	KeyUsageOptional bool

	// AllKeyUsages lists bits that must all be set. Zero asks for none. A card whose signatures bind asks for contentCommitment here.
	AllKeyUsages x509.KeyUsage

	// Policies are certificate policies in dotted notation, one of which the
	// certificate itself must assert; anyPolicy does not count. Empty asks for
	// none. This is not path processing: see PathInputs for that.
	Policies []string

	// ExtKeyUsages are extended key usages in dotted notation, one of which must
	// be allowed by the certificate and by every CA above it. A certificate
	// without the extension is not restricted. Empty asks for none.
	ExtKeyUsages []string
	// RequireExtKeyUsage refuses a certificate without the extension, where a
	// scheme tells its kinds of certificates apart by it.
	RequireExtKeyUsage bool

	// RequireKeyIdentifier asks that the authorityKeyIdentifier of the
	// certificate names its issuer's key. Where several CAs share one name, a
	// certificate that does not say which of them it means is refused.
	RequireKeyIdentifier bool

	// RequireKnownIssuer asks that the CA which issued the certificate is known
	// beforehand: one of Scheme.Intermediates, or an anchor. Where an anchor has
	// certified CAs for others than the holders of this scheme too, one that comes
	// with a message is no better than a stranger's.
	RequireKnownIssuer bool

	// AllowCA accepts the certificate of a CA, also as a signer's. No signer is ever
	// an anchor.
	AllowCA bool

	// Identify reads the holder out of a certificate that has passed everything
	// else. An error refuses the certificate with ReasonProfile. It must depend
	// on the certificate alone: a Verifier remembers what it returned. If nil,
	// the Identity in results is empty but for Scheme.
	Identify func(cert *x509.Certificate) (Identity, error)
}

// PathInputs are the inputs to policy processing of RFC 5280, Section 6.1.1,
// (c) and (e) to (g).
type PathInputs struct {
	InitialPolicies       []string // dotted; nil: any policy
	RequireExplicitPolicy bool
	InhibitPolicyMapping  bool
	InhibitAnyPolicy      bool
}

// check judges the first certificate of a path.
func (p *Profile) check(path []*x509.Certificate) error {
	cert := path[0]
	fail := func(reason Reason, format string, args ...any) error {
		return &Error{Reason: reason, Signer: -1, Cert: cert, Err: fmt.Errorf(format, args...)}
	}
	if cert.IsCA && !p.AllowCA {
		return fail(ReasonProfile, "certificate %s is a CA's", serialOf(cert))
	}
	if p.KeyUsage != 0 && cert.KeyUsage&p.KeyUsage == 0 {
		if hasExtension(cert, oidKeyUsage) || !p.KeyUsageOptional {
			return fail(ReasonProfile, "keyUsage of certificate %s has none of the bits for profile %q", serialOf(cert), p.Name)
		}
	}
	if cert.KeyUsage&p.AllKeyUsages != p.AllKeyUsages {
		return fail(ReasonProfile, "keyUsage of certificate %s lacks a bit of profile %q", serialOf(cert), p.Name)
	}
	if p.RequireExtKeyUsage && !hasExtension(cert, oidExtKeyUsage) {
		return fail(ReasonProfile, "certificate %s has no extended key usage, which profile %q requires", serialOf(cert), p.Name)
	}
	if len(p.Policies) > 0 && !slices.ContainsFunc(cert.Policies, func(oid x509.OID) bool {
		return slices.Contains(p.Policies, oid.String())
	}) {
		return fail(ReasonPolicy, "certificate %s does not assert a policy of profile %q, want one of %v", serialOf(cert), p.Name, p.Policies)
	}
	if p.RequireKeyIdentifier && len(path) > 1 {
		if len(cert.AuthorityKeyId) == 0 || !slices.Equal(cert.AuthorityKeyId, path[1].SubjectKeyId) {
			return fail(ReasonProfile, "authorityKeyIdentifier of certificate %s does not name its issuer's key", serialOf(cert))
		}
	}
	return nil
}

// checkIssuer judges who issued the first certificate of a path.
func (p *Profile) checkIssuer(path []*x509.Certificate, known *certpath.Set) error {
	if !p.RequireKnownIssuer || len(path) == 1 || known.Known(path[1].Raw) != nil {
		return nil
	}
	return &Error{Reason: ReasonUntrusted, Signer: -1, Cert: path[1],
		Err: fmt.Errorf("the CA that issued certificate %s is none of those known beforehand, which profile %q requires", serialOf(path[0]), p.Name)}
}

var (
	oidKeyUsage    = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
)

func hasExtension(cert *x509.Certificate, id asn1.ObjectIdentifier) bool {
	_, ok := certpath.Extension(cert, id)
	return ok
}

// serialOf names a certificate in messages: its subject would be personal data.
func serialOf(cert *x509.Certificate) string { return fmt.Sprintf("%x", cert.SerialNumber) }
