package verify

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
)

// A Verifier remembers the certificates of signers it has accepted, since the
// same citizen signs again: at most rememberedLeaves of them, of at most
// maxRememberedSize bytes. With what is parsed out of it, one of 1.5 kB takes 6 kB,
// and 2 kB more once its key is prepared.
const (
	rememberedLeaves  = 2048
	maxRememberedSize = 8 << 10
)

// frequentSignatures is how many signatures of a leaf are verified before its key is
// prepared. crypto/rsa would do for RSA-2048, and does for all who sign a few times;
// accountants and seals sign thousands.
const frequentSignatures = 4

// A leaf is what is remembered of an end-entity certificate: that a path of
// verified signatures leads from it to an anchor, which is valid but for dates
// and status, and that it fits the profile of the scheme. Whether the
// certificates are in force and what their status is, is found out every time.
type leaf struct {
	raw      []byte // that of cert
	hash     uint64
	cert     *x509.Certificate
	path     []*x509.Certificate
	identity Identity

	used       atomic.Bool // since the hand has passed
	signatures atomic.Uint32
	prepared   atomic.Pointer[crypto.PublicKey] // the key of cert, after frequentSignatures
}

// publicKey returns the key to verify a signature with. The policy is asked about
// that of the certificate.
func (l *leaf) publicKey() crypto.PublicKey {
	if prepared := l.prepared.Load(); prepared != nil {
		return *prepared
	}
	if l.signatures.Add(1) != frequentSignatures { // one call prepares, and nobody waits for it
		return l.cert.PublicKey
	}
	prepared := algorithm.PrepareFrequent(l.cert.PublicKey)
	l.prepared.Store(&prepared)
	return prepared
}

// leaves remembers by the whole certificate, octet by octet: it is found by a hash
// whose seed nobody knows, and compared. Of two with one hash, the first is
// remembered. When it is full, a hand goes round and takes away the first that has
// not been used since it passed there last. The zero value is empty.
type leaves struct {
	mu     sync.RWMutex
	seed   maphash.Seed // once byHash is not nil
	byHash map[uint64]*leaf
	byCert map[*x509.Certificate]*leaf // by what parseCertificate returns
	ring   []*leaf
	hand   int
}

func (l *leaves) get(raw []byte) *leaf {
	l.mu.RLock()
	if l.byHash == nil {
		l.mu.RUnlock()
		return nil
	}
	found := l.byHash[maphash.Bytes(l.seed, raw)]
	l.mu.RUnlock()
	if found == nil || !bytes.Equal(found.raw, raw) {
		return nil
	}
	if !found.used.Load() {
		found.used.Store(true)
	}
	return found
}

// of returns the leaf whose certificate, as it is remembered, is cert.
func (l *leaves) of(cert *x509.Certificate) *leaf {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.byCert[cert]
}

func (l *leaves) put(added *leaf) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byHash == nil {
		l.byHash, l.byCert, l.seed = make(map[uint64]*leaf), make(map[*x509.Certificate]*leaf), maphash.MakeSeed()
	}
	added.hash = maphash.Bytes(l.seed, added.raw)
	switch {
	case l.byHash[added.hash] != nil:
		return
	case len(l.ring) < rememberedLeaves:
		l.ring = append(l.ring, added)
	default:
		for l.ring[l.hand].used.Swap(false) {
			l.hand = (l.hand + 1) % len(l.ring)
		}
		delete(l.byHash, l.ring[l.hand].hash)
		delete(l.byCert, l.ring[l.hand].cert)
		l.ring[l.hand] = added
		l.hand = (l.hand + 1) % len(l.ring)
	}
	l.byHash[added.hash], l.byCert[added.cert] = added, added
}

// parseCertificate parses a certificate, unless it is known from before. The
// result does not alias raw: it may outlive the message.
func (v *Verifier) parseCertificate(raw []byte) (*x509.Certificate, error) {
	if cert := v.paths.Known(raw); cert != nil {
		return cert, nil
	}
	if known := v.leaves.get(raw); known != nil {
		return known.cert, nil
	}
	return certpath.ParseCertificate(bytes.Clone(raw))
}

// keyOf returns the key of a certificate for verifying a signature with.
func (v *Verifier) keyOf(cert *x509.Certificate) crypto.PublicKey {
	if known := v.leaves.of(cert); known != nil {
		return known.publicKey()
	}
	return cert.PublicKey
}

// remembered returns the signer whose certificate was accepted before, and is in
// force at the instant of this call. What the path was found by is the same for
// every call with the profile of the scheme: anchors, intermediates, algorithms
// and policy inputs are the Verifier's.
func (c *call) remembered(cert *x509.Certificate) (Signer, bool) {
	if c.profile != &c.v.scheme.Profile {
		return Signer{}, false
	}
	known := c.v.leaves.of(cert)
	if known == nil || !certpath.InForce(known.path, c.at) {
		return Signer{}, false
	}
	return Signer{Path: c.path(known.path), At: c.at, AtKind: c.atKind, Identity: known.identity}, true
}

// remember keeps what certify has found, if it depends on nothing that came with
// the message. Since only CAs that are known beforehand vouch for what is
// remembered, a stranger cannot fill the memory. An anchor is not remembered: who
// asks decides whether it may be a path of one.
func (c *call) remember(signer *Signer, lasting bool) {
	cert := signer.Path[0]
	if lasting && len(signer.Path) > 1 && c.profile == &c.v.scheme.Profile && len(cert.Raw) <= maxRememberedSize {
		c.v.leaves.put(&leaf{raw: cert.Raw, cert: cert, path: slices.Clone(signer.Path), identity: signer.Identity})
	}
}
