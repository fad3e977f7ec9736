package pkitest

import (
	"cmp"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// SignPKCS7 signs tbs as signatureType PKCS7 does and returns the DER of the
// SignedData. A detached signature over what is not in memory is made by
// setting MessageDigest, with tbs nil.
func (c *Card) SignPKCS7(tbs []byte, opts *CMSOptions) ([]byte, error) {
	if opts == nil {
		opts = new(CMSOptions)
	}
	now := time.Now
	if c.Issuer != nil {
		now = c.Issuer.pki.now
	}
	m := message{content: tbs, contentType: opts.ContentType, now: now()}
	if m.contentType == nil {
		m.contentType = OIDData
	}
	first := signerInfo{Signer: Signer{c.Cert, c.Key}, CMSOptions: *opts, cardNumber: c.CardNumber}
	if err := m.sign(first, opts); err != nil {
		return nil, err
	}
	certificates := opts.Certificates
	if certificates == nil {
		certificates = []*x509.Certificate{c.Cert}
	}
	return m.encode(opts, certificates), nil
}

// certsOnly returns a SignedData that carries certificates and is not signed,
// the form in which CAs publish them.
func certsOnly(certificates []*x509.Certificate) []byte {
	m := message{contentType: OIDData}
	return m.encode(&CMSOptions{Detached: true}, certificates)
}

// message is a SignedData in the making.
type message struct {
	content     []byte
	contentType asn1.ObjectIdentifier
	now         time.Time
	hashes      []crypto.Hash // of the signers
	byKeyID     bool          // whether one of them is named by key identifier
	signerInfos [][]byte
}

// sign adds the SignerInfos.
func (m *message) sign(first signerInfo, opts *CMSOptions) error {
	if opts.NoSigners {
		return nil
	}
	if err := m.add(first); err != nil {
		return err
	}
	for range opts.Repeat {
		m.signerInfos = append(m.signerInfos, m.signerInfos[0])
	}
	for _, co := range opts.CoSigners {
		info := signerInfo{Signer: co.Signer}
		if co.Options != nil {
			info.CMSOptions = *co.Options
		}
		if err := m.add(info); err != nil {
			return err
		}
	}
	return nil
}

func (m *message) add(s signerInfo) error {
	if s.Hash == 0 {
		s.Hash = crypto.SHA256
		if _, ok := s.Key.Public().(ed25519.PublicKey); ok {
			s.Hash = crypto.SHA512 // RFC 8419, Section 3.1
		}
	}
	der, err := s.encode(m)
	if err != nil {
		return err
	}
	m.signerInfos = append(m.signerInfos, der)
	m.byKeyID = m.byKeyID || s.ByKeyID
	if !slices.Contains(m.hashes, s.Hash) {
		m.hashes = append(m.hashes, s.Hash)
	}
	return nil
}

// encode writes
//
//	ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT SignedData }
//	SignedData  ::= SEQUENCE { version, digestAlgorithms SET, encapContentInfo,
//	                           certificates [0] IMPLICIT SET OPTIONAL, crls [1] IMPLICIT SET OPTIONAL,
//	                           signerInfos SET }
//	EncapsulatedContentInfo ::= SEQUENCE { eContentType, eContent [0] EXPLICIT OCTET STRING OPTIONAL }
func (m *message) encode(o *CMSOptions, certificates []*x509.Certificate) []byte {
	wrap := definite
	if o.Chunks > 0 {
		wrap = indefinite
	}
	explicit := cbasn1.Tag(0).ContextSpecific().Constructed()

	encap := encodeOID(m.contentType)
	if !o.Detached {
		encap = append(encap, wrap(explicit, m.eContent(o))...)
	}
	signedData := slices.Concat(
		m.head(o),
		wrap(cbasn1.SEQUENCE, encap),
		m.tail(o, certificates),
	)
	contentInfo := append(encodeOID(OIDSignedData), wrap(explicit, wrap(cbasn1.SEQUENCE, signedData))...)
	return append(wrap(cbasn1.SEQUENCE, contentInfo), o.Trailing...)
}

// eContent returns the OCTET STRING, primitive or in chunks.
func (m *message) eContent(o *CMSOptions) []byte {
	if o.RawContent != nil {
		return o.RawContent
	}
	content := m.content
	if o.Content != nil {
		content = o.Content
	}
	if o.Chunks <= 0 {
		return definite(cbasn1.OCTET_STRING, content)
	}
	var chunks []byte
	for i := range o.Chunks {
		from, to := len(content)*i/o.Chunks, len(content)*(i+1)/o.Chunks
		chunks = append(chunks, definite(cbasn1.OCTET_STRING, content[from:to])...)
	}
	return indefinite(cbasn1.OCTET_STRING.Constructed(), chunks)
}

// head returns version and digestAlgorithms.
func (m *message) head(o *CMSOptions) []byte {
	hashes := o.DigestAlgorithms
	if hashes == nil {
		hashes = m.hashes
	}
	return encode(func(b *cryptobyte.Builder) {
		b.AddASN1Int64(int64(cmp.Or(o.Version, m.version(o))))
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
			for _, h := range hashes {
				addAlgorithmIdentifier(b, hashOIDs[h], true)
			}
		})
	})
}

// version is as RFC 5652, Section 5.1 derives it from the content.
func (m *message) version(o *CMSOptions) int {
	switch {
	case len(o.OCSPs) > 0:
		return 5
	case m.byKeyID || !m.contentType.Equal(OIDData):
		return 3
	default:
		return 1
	}
}

// tail returns certificates, crls and signerInfos.
func (m *message) tail(o *CMSOptions, certificates []*x509.Certificate) []byte {
	return encode(func(b *cryptobyte.Builder) {
		if len(certificates) > 0 {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				for _, c := range certificates {
					b.AddBytes(c.Raw)
				}
			})
		}
		if len(o.CRLs)+len(o.OCSPs) > 0 {
			b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { addRevocationInfo(b, o) })
		}
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
			for _, info := range m.signerInfos {
				b.AddBytes(info)
			}
		})
	})
}

// addRevocationInfo adds CRLs, and OCSP responses as RFC 5940, Section 2.1
// has them: OtherRevocationInfoFormat ::= [1] SEQUENCE { OID, OCSPResponse }.
func addRevocationInfo(b *cryptobyte.Builder, o *CMSOptions) {
	for _, crl := range o.CRLs {
		b.AddBytes(crl)
	}
	for _, response := range o.OCSPs {
		b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidRevocationOCSP)
			b.AddBytes(response)
		})
	}
}

// definite and indefinite wrap content in a value, the first as DER, the
// second closed by end-of-contents octets (X.690, Section 8.1.3.6).
func definite(tag cbasn1.Tag, content []byte) []byte {
	return append(header(tag, len(content)), content...)
}

func indefinite(tag cbasn1.Tag, content []byte) []byte {
	return slices.Concat([]byte{byte(tag), 0x80}, content, []byte{0, 0})
}

func encodeOID(oid asn1.ObjectIdentifier) []byte {
	return encode(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid) })
}
