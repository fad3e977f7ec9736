package pkitest

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// uriTag is uniformResourceIdentifier in a GeneralName; directoryName is 4.
var (
	uriTag           = cbasn1.Tag(6).ContextSpecific()
	directoryNameTag = cbasn1.Tag(4).ContextSpecific().Constructed()
)

// extensions returns what the template asks for in its final order.
func (t *Template) extensions(ca *CA, spki []byte) []extension {
	subjectKeyID := t.SubjectKeyID
	if subjectKeyID == nil {
		subjectKeyID = keyID(spki)
	}
	authority := t.AuthorityKeyID
	if authority == nil && ca.Cert != nil && len(ca.Cert.SubjectKeyId) > 0 {
		authority = &AuthorityKeyID{KeyID: ca.Cert.SubjectKeyId}
	}

	// The order of an end-entity certificate of MOICA's, then what is not in
	// one.
	var list []extension
	add := func(present bool, oid asn1.ObjectIdentifier, critical bool, value func(b *cryptobyte.Builder)) {
		if present {
			list = append(list, extension{oid, critical, value})
		}
	}
	add(authority != nil, OIDAuthorityKeyID, false, authority.marshal)
	add(true, OIDSubjectKeyID, false, func(b *cryptobyte.Builder) { b.AddASN1OctetString(subjectKeyID) })
	add(true, OIDKeyUsage, true, func(b *cryptobyte.Builder) { addNamedBits(b, cbasn1.BIT_STRING, uint16(t.KeyUsage)) })
	add(len(t.Policies) > 0, OIDCertificatePolicies, false, t.marshalPolicies)
	add(len(t.SubjectDirectory) > 0, OIDSubjectDirectoryAttributes, false, t.marshalSubjectDirectory)
	add(len(t.CRLDistributionPoints) > 0, OIDCRLDistributionPoints, false, t.marshalDistributionPoints)
	add(len(t.AccessDescriptions) > 0, OIDAuthorityInfoAccess, false, t.marshalAccess)
	if c := t.BasicConstraints; c != nil {
		add(true, OIDBasicConstraints, !c.NotCritical, c.marshal)
	}
	add(len(t.ExtKeyUsage) > 0, OIDExtKeyUsage, false, t.marshalExtKeyUsage)
	add(len(t.PolicyMappings) > 0, OIDPolicyMappings, true, t.marshalPolicyMappings)
	add(t.PolicyConstraints != nil, OIDPolicyConstraints, true, t.PolicyConstraints.marshal)
	add(t.InhibitAnyPolicy != nil, OIDInhibitAnyPolicy, true, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(*t.InhibitAnyPolicy)) })
	add(t.NameConstraints != nil, OIDNameConstraints, true, func(b *cryptobyte.Builder) { b.AddBytes(t.NameConstraints) })

	return append(t.arrange(list), given(t.Extensions)...)
}

// given turns the caller's own extensions into ours.
func given(extensions []pkix.Extension) []extension {
	var list []extension
	for _, e := range extensions {
		list = append(list, extension{e.Id, e.Critical, func(b *cryptobyte.Builder) { b.AddBytes(e.Value) }})
	}
	return list
}

func (a *AuthorityKeyID) marshal(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if a.KeyID != nil {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(a.KeyID) })
		}
		if a.RawIssuer != nil {
			b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1(directoryNameTag, func(b *cryptobyte.Builder) { b.AddBytes(a.RawIssuer) })
			})
		}
		if a.Serial != nil {
			b.AddASN1(cbasn1.Tag(2).ContextSpecific(), func(b *cryptobyte.Builder) {
				b.AddBytes(integerOctets(a.Serial))
			})
		}
	})
}

// integerOctets returns the content octets of an INTEGER, for where it has an
// implicit tag or a shape of its own.
func integerOctets(n *big.Int) []byte {
	der := cryptobyte.String(encode(func(b *cryptobyte.Builder) { b.AddASN1BigInt(n) }))
	var octets cryptobyte.String
	der.ReadASN1(&octets, cbasn1.INTEGER)
	return octets
}

func (t *Template) marshalPolicies(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, oid := range t.Policies {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid) })
		}
	})
}

func (t *Template) marshalSubjectDirectory(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, a := range t.SubjectDirectory {
			a.marshal(b)
		}
	})
}

// marshalDistributionPoints writes one point for each URL: the real lists are
// alternatives, so they are not names of one point.
func (t *Template) marshalDistributionPoints(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, url := range t.CRLDistributionPoints {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addDistributionPointName(b, url) })
		}
	})
}

// addDistributionPointName adds a distributionPoint of one URL:
//
//	[0] { fullName [0] { uniformResourceIdentifier [6] } }
func addDistributionPointName(b *cryptobyte.Builder, url string) {
	zero := cbasn1.Tag(0).ContextSpecific().Constructed()
	b.AddASN1(zero, func(b *cryptobyte.Builder) {
		b.AddASN1(zero, func(b *cryptobyte.Builder) { addString(b, uriTag, url) })
	})
}

func (t *Template) marshalAccess(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, d := range t.AccessDescriptions {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(d.Method)
				addString(b, uriTag, d.URL)
			})
		}
	})
}

func (c *BasicConstraints) marshal(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if c.CA {
			b.AddASN1Boolean(true)
		}
		if c.PathLen != nil {
			b.AddASN1Int64(int64(*c.PathLen))
		}
	})
}

func (t *Template) marshalExtKeyUsage(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, oid := range t.ExtKeyUsage {
			b.AddASN1ObjectIdentifier(oid)
		}
	})
}

func (t *Template) marshalPolicyMappings(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, m := range t.PolicyMappings {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(m.Issuer)
				b.AddASN1ObjectIdentifier(m.Subject)
			})
		}
	})
}

func (c *PolicyConstraints) marshal(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for tag, skip := range []*int{c.RequireExplicitPolicy, c.InhibitPolicyMapping} {
			if skip != nil {
				b.AddASN1Int64WithTag(int64(*skip), cbasn1.Tag(tag).ContextSpecific())
			}
		}
	})
}
