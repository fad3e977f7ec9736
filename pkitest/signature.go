package pkitest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	_ "crypto/md5" // so that what must be refused can be made
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// algorithm is a signature algorithm as certificates, CRLs and OCSP responses
// name it.
type algorithm struct {
	oid        asn1.ObjectIdentifier
	hash       crypto.Hash // zero: the message itself is signed
	parameters parameters
}

// parameters says what follows the OID in an AlgorithmIdentifier.
type parameters int

const (
	noParameters parameters = iota
	nullParameters
	pssParameters // consistent: one hash throughout, salt of its length
)

var (
	oidRSAPSS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidMGF1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
)

// algorithms goes by the names that crypto/x509 has for them.
var algorithms = map[x509.SignatureAlgorithm]algorithm{
	x509.MD5WithRSA:       {asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}, crypto.MD5, nullParameters},
	x509.SHA1WithRSA:      {asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, crypto.SHA1, nullParameters},
	x509.SHA256WithRSA:    {asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, crypto.SHA256, nullParameters},
	x509.SHA384WithRSA:    {asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, crypto.SHA384, nullParameters},
	x509.SHA512WithRSA:    {asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, crypto.SHA512, nullParameters},
	x509.SHA256WithRSAPSS: {oidRSAPSS, crypto.SHA256, pssParameters},
	x509.SHA384WithRSAPSS: {oidRSAPSS, crypto.SHA384, pssParameters},
	x509.SHA512WithRSAPSS: {oidRSAPSS, crypto.SHA512, pssParameters},
	x509.ECDSAWithSHA1:    {asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}, crypto.SHA1, noParameters},
	x509.ECDSAWithSHA256:  {asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, crypto.SHA256, noParameters},
	x509.ECDSAWithSHA384:  {asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, crypto.SHA384, noParameters},
	x509.ECDSAWithSHA512:  {asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, crypto.SHA512, noParameters},
	x509.PureEd25519:      {asn1.ObjectIdentifier{1, 3, 101, 112}, 0, noParameters},
}

// algorithmFor returns the algorithm asked for, or if that is zero what the
// PKI uses with such a key.
func algorithmFor(key crypto.Signer, asked x509.SignatureAlgorithm) (algorithm, error) {
	if asked == x509.UnknownSignatureAlgorithm {
		switch key.Public().(type) {
		case *rsa.PublicKey:
			asked = x509.SHA256WithRSA
		case *ecdsa.PublicKey:
			asked = x509.ECDSAWithSHA256
		case ed25519.PublicKey:
			asked = x509.PureEd25519
		}
	}
	a, ok := algorithms[asked]
	if !ok {
		return algorithm{}, fmt.Errorf("pkitest: no signature algorithm %v for a key of type %T", asked, key.Public())
	}
	return a, nil
}

// sign signs message.
func (a algorithm) sign(key crypto.Signer, message []byte) ([]byte, error) {
	if a.hash == 0 {
		return key.Sign(rand.Reader, message, crypto.Hash(0))
	}
	return a.signDigest(key, digest(a.hash, message))
}

// signDigest signs the digest of a message that is not in memory.
func (a algorithm) signDigest(key crypto.Signer, sum []byte) ([]byte, error) {
	if a.hash == 0 {
		return nil, fmt.Errorf("pkitest: %v signs messages, not digests", a.oid)
	}
	var opts crypto.SignerOpts = a.hash
	if a.parameters == pssParameters {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: a.hash}
	}
	return key.Sign(rand.Reader, sum, opts)
}

// marshal adds the AlgorithmIdentifier.
func (a algorithm) marshal(b *cryptobyte.Builder) {
	if a.parameters == pssParameters {
		PSS{Hash: a.hash, MGFHash: a.hash, SaltLength: a.hash.Size()}.marshal(b)
		return
	}
	addAlgorithmIdentifier(b, a.oid, a.parameters == nullParameters)
}

func addAlgorithmIdentifier(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, null bool) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		if null {
			b.AddASN1NULL()
		}
	})
}

// hashOIDs names the digest algorithms.
var hashOIDs = map[crypto.Hash]asn1.ObjectIdentifier{
	crypto.MD5:    {1, 2, 840, 113549, 2, 5},
	crypto.SHA1:   {1, 3, 14, 3, 2, 26},
	crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1},
	crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2},
	crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
}

func digest(hash crypto.Hash, message []byte) []byte {
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// encodeSigned adds signature and algorithm to what is signed, the shape that
// certificates and OCSP responses have in common:
//
//	SEQUENCE { tbs, AlgorithmIdentifier, BIT STRING, ... }
func encodeSigned(tbs []byte, a algorithm, signature []byte, more func(b *cryptobyte.Builder)) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		a.marshal(b)
		b.AddASN1BitString(signature)
		if more != nil {
			more(b)
		}
	})
	return b.Bytes()
}

// breakSignature flips a bit in the middle, which leaves all encodings whole.
func breakSignature(signature []byte) {
	signature[len(signature)/2] ^= 0x10
}

// encode returns what f adds. It panics if f adds what has no encoding, such
// as an object identifier of one arc.
func encode(f func(b *cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}
