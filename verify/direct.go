package verify

import (
	"crypto/x509"
	"errors"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
)

// readDirect checks a SignerInfo without signedAttrs, whose signature covers the
// content itself (RFC 5652, Section 5.4). That is for content of type id-data
// alone (Section 5.3), and there is one digest: what is hashed is what is signed.
func (j *judgement) readDirect(s *signerInfo) error {
	switch {
	case !j.v.tolerated[DeviationNoSignedAttributes]:
		return refuse(ReasonSignedAttributes, "the SignerInfo has no signedAttrs")
	case j.guard == nil:
		return refuse(ReasonSignedAttributes, "the SignerInfo has no signedAttrs, and the content is not at hand")
	case j.message.ContentType != oidData:
		return refuse(ReasonSignedAttributes, "the SignerInfo has no signedAttrs, which content of type %s demands", j.message.ContentType)
	case s.signature.Scheme == algorithm.Ed25519:
		return refuse(ReasonAlgorithm, "Ed25519 without signedAttrs is not supported: it signs content as a whole")
	case s.signature.Hash != s.digest:
		return refuse(ReasonAlgorithm, "signatureAlgorithm hashes the content with %v, digestAlgorithm is %v", s.signature.Hash, s.digest)
	}
	j.tolerate(s, DeviationNoSignedAttributes)
	s.direct = true
	return nil
}

// checkDirectContent checks that a signature may be over the content, and what its
// digest is.
func (j *judgement) checkDirectContent(s *signerInfo, content digests) error {
	if j.guard.sawAttributes() {
		return refuse(ReasonSignedAttributes, "the content is a set of signed attributes: the signature may be over those of another message")
	}
	s.messageDigest = content.of(s.digest)
	return nil
}

// checkDirect is checkSignature over a digest.
func (c *call) checkDirect(policy algorithm.Policy, used algorithm.Signature, cert *x509.Certificate, sum, signature []byte) error {
	if err := policy.CheckSignature(used, cert.PublicKey); err != nil {
		return &Error{Reason: ReasonAlgorithm, Signer: -1, Cert: cert, Err: err}
	}
	if err := used.VerifyDigest(c.v.keyOf(cert), sum, signature); err != nil {
		return &Error{Reason: ReasonBadSignature, Signer: -1, Cert: cert, Err: err}
	}
	return nil
}

// maxAttributesSize is the largest set of attributes that is looked into. What
// begins like a larger one is taken for one.
const maxAttributesSize = 1 << 20

// An attributeGuard watches content pass and recognizes what somebody has signed
// as the signedAttrs of another message: the encoding of a SET OF Attribute with a
// message-digest. Presented as content of a SignerInfo without signedAttrs, it has
// a good signature of a person who never meant it as content.
//
// Content is of any size, so that it keeps no more than a set as long as the
// first bytes say, and nothing if they do not begin one.
type attributeGuard struct {
	kept   []byte
	passed bool // the content is not such a set
	taken  bool // it begins like one that is too large to look into
	size   int  // of the set with its header; 0 before that is known
}

// Write looks at the next bytes of the content. It never fails.
func (g *attributeGuard) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0 && !g.passed && !g.taken; {
		room := longestSetHeader - len(g.kept)
		if g.size > 0 {
			room = g.size - len(g.kept)
		}
		if room == 0 { // bytes behind the set
			g.passed = true
			break
		}
		n := min(room, len(rest))
		g.kept = append(g.kept, rest[:n]...)
		rest = rest[n:]
		if g.size == 0 {
			g.readHeader()
		}
	}
	if g.passed || g.taken {
		g.kept = nil
	}
	return len(p), nil
}

// longestSetHeader has the identifier of the set, nine length octets and the
// identifier of the first attribute.
const longestSetHeader = 11

// readHeader decides, as soon as the bytes suffice, whether content begins with a
// SET of definite length in which there is a SEQUENCE.
func (g *attributeGuard) readHeader() {
	const set, sequence, indefinite = 0x31, 0x30, 0x80
	b := g.kept
	if b[0] != set {
		g.passed = true
		return
	}
	if len(b) < 2 {
		return
	}
	body, length := 2, int(b[1])
	if b[1] > indefinite {
		body += int(b[1] & 0x7f)
		length = 0
	}
	if body >= longestSetHeader { // a length of more than 2^64
		g.passed = true
		return
	}
	if len(b) <= body {
		return
	}
	for _, digit := range b[2:body] {
		length = min(length<<8|int(digit), maxAttributesSize+1)
	}
	switch {
	case b[body] != sequence, length == 0:
		g.passed = true
	case b[1] == indefinite || length > maxAttributesSize:
		g.taken = true
	default:
		g.size = body + length
		g.passed = len(b) > g.size
	}
}

// isAttributes is the verdict of an attributeGuard on content in memory.
func isAttributes(content []byte) bool {
	var guard attributeGuard
	guard.Write(content)
	return guard.sawAttributes()
}

// sawAttributes reports, after the content has passed, whether it was a set of
// attributes.
func (g *attributeGuard) sawAttributes() bool {
	if g.passed || g.taken || g.size == 0 || len(g.kept) != g.size {
		return g.taken
	}
	doc, err := der.Scan(g.kept, der.Limits{})
	if err != nil {
		_, beyond := errors.AsType[*der.LimitError](err)
		return beyond // what is deeper than is looked into is taken for one, like what is larger
	}
	r := doc.Root().Reader()
	for member := range r.All() {
		attribute := member.Reader()
		attrType, err := attribute.Expect(der.OID, "attrType")
		if err != nil {
			continue
		}
		if oid, err := attrType.ObjectID(); err == nil && oid == oidMessageDigest {
			return true
		}
	}
	return false
}
