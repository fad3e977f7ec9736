package rsaverify

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"math/big"
	"sync"
	"testing"
)

// A testKey can be signed with as it is, without a padding of its own.
type testKey struct {
	rsa.PublicKey
	prepared *Key
	frequent *Key
	d        *big.Int
}

// newTestKey returns a key whose modulus is a prime n, or nil if e does not suit
// it. Who verifies cannot tell.
func newTestKey(n *big.Int, e int) *testKey {
	order := new(big.Int).Sub(n, big.NewInt(1))
	d := new(big.Int).ModInverse(big.NewInt(int64(e)), order)
	if d == nil {
		return nil
	}
	k := &testKey{PublicKey: rsa.PublicKey{N: n, E: e}, d: d}
	k.prepared, k.frequent = NewKey(&k.PublicKey), NewFrequentKey(&k.PublicKey)
	return k
}

func newRandomKey(bits, e int) *testKey {
	for {
		n, err := rand.Prime(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		if k := newTestKey(n, e); k != nil {
			return k
		}
	}
}

// newMersenneKey returns the key of the prime 2^bits-1, which is at hand at
// once, and in which every carry is taken.
func newMersenneKey(bits uint, e int) *testKey { return newPrimeKey(bits, 1, e) }

// newPrimeKey returns the key of the prime 2^bits-less.
func newPrimeKey(bits uint, less int64, e int) *testKey {
	n := new(big.Int).Lsh(big.NewInt(1), bits)
	return newTestKey(n.Sub(n, big.NewInt(less)), e)
}

// testKeys are keys that this package computes with, with small and large
// exponents: with one bit above a whole octet, where EMSA-PSS has an octet less
// than the modulus, and with odd and even numbers of words. Those of up to 2048 bits
// are computed with only if they are used often.
var testKeys = sync.OnceValue(func() []*testKey {
	return []*testKey{
		newRandomKey(2049, 3), newMersenneKey(2203, 5), newMersenneKey(2281, 1<<31-1),
		newMersenneKey(3217, 65537), newMersenneKey(4253, 65537),
		newPrimeKey(2048, 1557, 65537), newPrimeKey(2041, 921, 3), newPrimeKey(1536, 3453, 65537),
	}
})

// power is RSASP1, for any number that is less than the modulus.
func (k *testKey) power(em []byte) []byte {
	s := new(big.Int).SetBytes(em)
	return s.Exp(s, k.d, k.N).FillBytes(make([]byte, k.Size()))
}

func (k *testKey) encodePKCS1v15(hash crypto.Hash, digest []byte) []byte {
	t := append(bytes.Clone(digestInfoPrefix(hash)), digest...)
	return append(append(append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, k.Size()-len(t)-3)...), 0), t...)
}

// encodePSS is EMSA-PSS-ENCODE (RFC 8017, Section 9.1.1), as long as the modulus.
func (k *testKey) encodePSS(hash crypto.Hash, digest, salt []byte) []byte {
	emBits := k.N.BitLen() - 1
	emLen := (emBits + 7) / 8
	w := hash.New()
	w.Write(append(append(make([]byte, 8), digest...), salt...))
	h := w.Sum(nil)
	db := make([]byte, emLen-len(h)-1)
	db[len(db)-len(salt)-1] = 1
	copy(db[len(db)-len(salt):], salt)
	unmask(db, h, hash)
	db[0] &= 0xff >> (8*emLen - emBits)
	em := append(append(db, h...), 0xbc)
	return append(make([]byte, k.Size()-emLen), em...)
}

var fuzzHashes = []crypto.Hash{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA512_256}

// FuzzAgainstStandard: crypto/rsa and this package, with a key prepared, with one
// prepared for frequent use and with one that is not, accept the same signatures. What is signed is an encoded
// message in which bits are flipped.
func FuzzAgainstStandard(f *testing.F) {
	keys := testKeys() // now, since an input has little time
	for key := range uint8(len(keys)) {
		for hash := range uint8(len(fuzzHashes)) {
			for _, pss := range []bool{false, true} {
				f.Add(key, hash, pss, uint8(32), uint8(32), uint16(0), byte(0), []byte("message"), []byte(nil))
				f.Add(key, hash, pss, uint8(20), uint8(21), uint16(0), byte(0), []byte("message"), []byte(nil))
				f.Add(key, hash, pss, uint8(0), uint8(0), uint16(key)*77, byte(1)<<key, []byte("message"), []byte(nil))
				f.Add(key, hash, pss, uint8(8), uint8(8), uint16(0), byte(0), []byte(nil), bytes.Repeat([]byte{0xff}, 256+int(key)))
			}
		}
	}
	f.Fuzz(func(t *testing.T, key, hash uint8, pss bool, salt, declared uint8, at uint16, flip byte, message, sig []byte) {
		k := keys[int(key)%len(keys)]
		h := fuzzHashes[int(hash)%len(fuzzHashes)]
		w := h.New()
		w.Write(message)
		digest := w.Sum(nil)
		if len(sig) == 0 {
			em := k.encodePKCS1v15(h, digest)
			if pss {
				longest := k.Size() - h.Size() - 3
				em = k.encodePSS(h, digest, make([]byte, min(int(salt), longest)))
			}
			em[int(at)%len(em)] ^= flip
			sig = k.power(em)
		}
		compare(t, k, pss, h, digest, sig, int(declared))
	})
}

// compare checks that every way to verify says the same, and returns it.
func compare(t *testing.T, k *testKey, pss bool, h crypto.Hash, digest, sig []byte, salt int) bool {
	t.Helper()
	if !pss {
		want := rsa.VerifyPKCS1v15(&k.PublicKey, h, digest, sig) == nil
		if got := k.prepared.VerifyPKCS1v15(h, digest, sig) == nil; got != want {
			t.Errorf("PKCS#1 v1.5, prepared: got verified %v, want %v", got, want)
		}
		if got := k.frequent.VerifyPKCS1v15(h, digest, sig) == nil; got != want {
			t.Errorf("PKCS#1 v1.5, prepared for frequent use: got verified %v, want %v", got, want)
		}
		if got := VerifyPKCS1v15(&k.PublicKey, h, digest, sig) == nil; got != want {
			t.Errorf("PKCS#1 v1.5: got verified %v, want %v", got, want)
		}
		return want
	}
	want := rsa.VerifyPSS(&k.PublicKey, h, digest, sig, &rsa.PSSOptions{SaltLength: salt}) == nil
	prepared := k.prepared.VerifyPSS(h, digest, sig, salt) == nil
	frequent := k.frequent.VerifyPSS(h, digest, sig, salt) == nil
	plain := VerifyPSS(&k.PublicKey, h, digest, sig, salt) == nil
	if prepared != plain || frequent != plain {
		t.Errorf("PSS: got verified %v prepared, %v for frequent use, %v otherwise", prepared, frequent, plain)
	}
	// To crypto/rsa a salt of no bytes means one of any length.
	if prepared != want && (salt != 0 || prepared) {
		t.Errorf("PSS: got verified %v, want %v", prepared, want)
	}
	return prepared
}

// What is genuine is accepted, and one bit, octet or modulus more is not.
func TestVerify(t *testing.T) {
	for _, k := range testKeys() {
		for _, h := range fuzzHashes[:5] {
			for _, pss := range []bool{false, true} {
				digest := make([]byte, h.Size())
				em := k.encodePKCS1v15(h, digest)
				if pss {
					em = k.encodePSS(h, digest, make([]byte, 20))
				}
				sig := k.power(em)
				check := func(name string, want bool, digest, sig []byte, salt int) {
					t.Helper()
					if got := compare(t, k, pss, h, digest, sig, salt); got != want {
						t.Errorf("%d bits, %v, PSS %v, %s: got verified %v, want %v", k.N.BitLen(), h, pss, name, got, want)
					}
				}
				check("genuine", true, digest, sig, 20)
				flipped := bytes.Clone(sig)
				flipped[len(sig)/2] ^= 1
				check("a bit of the signature", false, digest, flipped, 20)
				check("another digest", false, append(digest[1:], 1), sig, 20)
				check("a digest of another length", false, digest[1:], sig, 20)
				check("a leading zero", false, digest, append([]byte{0}, sig...), 20)
				check("an octet missing", false, digest, sig[1:], 20)
				check("no octets", false, digest, nil, 20)
				check("zeros", false, digest, make([]byte, len(sig)), 20)
				if more := new(big.Int).Add(new(big.Int).SetBytes(sig), k.N); more.BitLen() <= 8*k.Size() {
					check("the modulus added", false, digest, more.FillBytes(make([]byte, k.Size())), 20)
				}
				if pss {
					check("a salt declared shorter", false, digest, sig, 19)
					check("a salt declared longer", false, digest, sig, 21)
					check("a salt declared absent", fips140.Enabled(), digest, sig, 0)
					check("no salt", true, digest, k.power(k.encodePSS(h, digest, nil)), 0)
				}
			}
		}
	}
}

// Keys that crypto/rsa refuses are refused, and those it keeps are verified.
func TestLeftToStandard(t *testing.T) {
	digest := make([]byte, 32)
	k := testKeys()[1]
	sig := k.power(k.encodePKCS1v15(crypto.SHA256, digest))
	for name, public := range map[string]*rsa.PublicKey{
		"no modulus":             {E: 65537},
		"even modulus":           {N: new(big.Int).Add(k.N, big.NewInt(1)), E: 65537},
		"even exponent":          {N: k.N, E: 65536},
		"exponent 1":             {N: k.N, E: 1},
		"negative exponent":      {N: k.N, E: -65537},
		"exponent above 31 bits": {N: k.N, E: 1<<31 + 1},
		"small modulus":          {N: big.NewInt(15), E: 3},
	} {
		for _, key := range []*Key{NewKey(public), NewFrequentKey(public)} {
			if key.VerifyPKCS1v15(crypto.SHA256, digest, sig) == nil || key.VerifyPSS(crypto.SHA256, digest, sig, 0) == nil {
				t.Errorf("%s: got no error", name)
			}
		}
	}
	small := newMersenneKey(1279, 65537)
	if small.prepared.form != nil || small.frequent.form != nil {
		t.Error("a key of 1279 bits was prepared")
	}
	for _, k := range testKeys() {
		if long := k.N.BitLen() > standardBits; (k.prepared.form != nil) != (long && !fips140.Enabled()) || (k.frequent.form == nil) != fips140.Enabled() {
			t.Errorf("%d bits: got a key prepared %v, and for frequent use %v", k.N.BitLen(), k.prepared.form != nil, k.frequent.form != nil)
		}
	}
	if !compare(t, small, false, crypto.SHA256, digest, small.power(small.encodePKCS1v15(crypto.SHA256, digest)), 0) {
		t.Error("1279 bits: got a genuine signature refused")
	}
	if !compare(t, small, true, crypto.SHA256, digest, small.power(small.encodePSS(crypto.SHA256, digest, digest)), 32) {
		t.Error("1279 bits: got a genuine PSS signature refused")
	}
	// Not a hash of which the prefix is known here.
	if compare(t, k, false, crypto.SHA512_256, digest, sig, 0) {
		t.Error("SHA-512/256: got a signature over SHA-256 accepted")
	}
}
