package pkitest

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// PSS is a set of RSASSA-PSS parameters (RFC 4055, Section 3.1). They need not
// fit together: crypto/rsa would not sign with two hashes, this package does.
type PSS struct {
	Hash       crypto.Hash // if zero, the digest algorithm
	MGFHash    crypto.Hash // if zero, Hash
	SaltLength int         // in bytes; if zero, the length of Hash; if negative, none

	// TrailerField is only declared: signatures end in 0xbc, which is 1. If
	// zero, 1.
	TrailerField int
}

func (p PSS) withDefaults(hash crypto.Hash) PSS {
	p.Hash = cmp.Or(p.Hash, hash)
	p.MGFHash = cmp.Or(p.MGFHash, p.Hash)
	p.TrailerField = cmp.Or(p.TrailerField, 1)
	p.SaltLength = max(0, cmp.Or(p.SaltLength, p.Hash.Size()))
	return p
}

// marshal adds the AlgorithmIdentifier id-RSASSA-PSS with
//
//	RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] DEFAULT sha1, maskGenAlgorithm [1] DEFAULT mgf1SHA1,
//	                                 saltLength [2] DEFAULT 20, trailerField [3] DEFAULT 1 }
func (p PSS) marshal(b *cryptobyte.Builder) {
	explicit := func(b *cryptobyte.Builder, tag uint8, present bool, f func(b *cryptobyte.Builder)) {
		if present {
			b.AddASN1(cbasn1.Tag(tag).ContextSpecific().Constructed(), f)
		}
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidRSAPSS)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			explicit(b, 0, p.Hash != crypto.SHA1, func(b *cryptobyte.Builder) {
				addAlgorithmIdentifier(b, hashOIDs[p.Hash], true)
			})
			explicit(b, 1, p.MGFHash != crypto.SHA1, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oidMGF1)
					addAlgorithmIdentifier(b, hashOIDs[p.MGFHash], true)
				})
			})
			explicit(b, 2, p.SaltLength != 20, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(p.SaltLength)) })
			explicit(b, 3, p.TrailerField > 1, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(p.TrailerField)) })
		})
	})
}

// sign is RSASSA-PSS-SIGN of RFC 8017, Section 8.1.1, with EMSA-PSS-ENCODE of
// Section 9.1.1. It is not constant in time, which is fine for public keys.
func (p PSS) sign(key *rsa.PrivateKey, message []byte) ([]byte, error) {
	emBits := key.N.BitLen() - 1
	emLen := (emBits + 7) / 8
	hLen := p.Hash.Size()
	if emLen < hLen+p.SaltLength+2 {
		return nil, errors.New("RSA key too short for these PSS parameters")
	}
	salt := make([]byte, p.SaltLength)
	rand.Read(salt)
	h := digest(p.Hash, slices.Concat(make([]byte, 8), digest(p.Hash, message), salt))

	db := make([]byte, emLen-hLen-1)
	db[len(db)-len(salt)-1] = 0x01
	copy(db[len(db)-len(salt):], salt)
	for i, mask := range mgf1(p.MGFHash, h, len(db)) {
		db[i] ^= mask
	}
	db[0] &= 0xff >> (8*emLen - emBits)

	em := new(big.Int).SetBytes(slices.Concat(db, h, []byte{0xbc}))
	return em.Exp(em, key.D, key.N).FillBytes(make([]byte, key.Size())), nil
}

// mgf1 is the mask generation function of RFC 8017, Appendix B.2.1.
func mgf1(hash crypto.Hash, seed []byte, length int) []byte {
	var mask []byte
	for counter := uint32(0); len(mask) < length; counter++ {
		mask = append(mask, digest(hash, binary.BigEndian.AppendUint32(slices.Clone(seed), counter))...)
	}
	return mask[:length]
}
