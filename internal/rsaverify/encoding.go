package rsaverify

import (
	"bytes"
	"crypto"
	"encoding/binary"
)

// digestInfoPrefix returns the DER of DigestInfo up to the digest (RFC 8017,
// Section 9.2, Note 1), or nil for a hash that is left to crypto/rsa.
func digestInfoPrefix(hash crypto.Hash) []byte {
	switch hash {
	case crypto.SHA1:
		return []byte("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14")
	case crypto.SHA224:
		return []byte("\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c")
	case crypto.SHA256:
		return []byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20")
	case crypto.SHA384:
		return []byte("\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30")
	case crypto.SHA512:
		return []byte("\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40")
	}
	return nil
}

// encodePKCS1v15 is EMSA-PKCS1-v1_5-ENCODE (RFC 8017, Section 9.2):
//
//	EM = 0x00 || 0x01 || PS || 0x00 || T
//
// Every modulus that gets here is long enough for every hash.
func (s *scratch) encodePKCS1v15(length int, prefix, digest []byte) []byte {
	em := s.expected[:length]
	t := length - len(prefix) - len(digest)
	em[0], em[1] = 0x00, 0x01
	for i := range em[2 : t-1] {
		em[2+i] = 0xff
	}
	em[t-1] = 0x00
	copy(em[t:], prefix)
	copy(em[t+len(prefix):], digest)
	return em
}

// consistentPSS is EMSA-PSS-VERIFY (RFC 8017, Section 9.1.2) with MGF1 over the
// same hash. em has the length of the modulus and is overwritten; emBits is one
// bit less than the modulus has.
func consistentPSS(em []byte, emBits int, hash crypto.Hash, digest []byte, saltLength int) bool {
	emLen := (emBits + 7) / 8
	if emLen < len(em) { // Section 8.1.2, step 2c: one octet less, and that is zero
		if em[0] != 0 {
			return false
		}
		em = em[1:]
	}
	hLen := hash.Size()
	if len(digest) != hLen { // step 2
		return false
	}
	if emLen < hLen+saltLength+2 || em[emLen-1] != 0xbc { // steps 3, 4
		return false
	}
	db, h := em[:emLen-hLen-1], em[emLen-hLen-1:emLen-1] // step 5
	mask := byte(0xff) >> (8*emLen - emBits)
	if em[0]&^mask != 0 { // step 6
		return false
	}
	unmask(db, h, hash) // steps 7, 8
	db[0] &= mask       // step 9
	padding, salt := db[:len(db)-saltLength-1], db[len(db)-saltLength:]
	for _, b := range padding { // step 10
		if b != 0 {
			return false
		}
	}
	if db[len(padding)] != 0x01 {
		return false
	}
	w := hash.New() // steps 12, 13
	w.Write(make([]byte, 8))
	w.Write(digest)
	w.Write(salt)
	return bytes.Equal(w.Sum(nil), h) // step 14
}

// unmask applies MGF1 (RFC 8017, Appendix B.2.1) with the given seed to db.
func unmask(db, seed []byte, hash crypto.Hash) {
	w := hash.New()
	var counter [4]byte
	var block []byte
	for n := uint32(0); len(db) > 0; n++ {
		binary.BigEndian.PutUint32(counter[:], n)
		w.Reset()
		w.Write(seed)
		w.Write(counter[:])
		block = w.Sum(block[:0])
		for i := 0; i < len(block) && i < len(db); i++ {
			db[i] ^= block[i]
		}
		db = db[min(len(block), len(db)):]
	}
}
