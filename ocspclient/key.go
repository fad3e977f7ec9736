package ocspclient

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"sync"
	"sync/atomic"
)

// A cacheKey names a certificate: serial numbers are unique to a CA (RFC 5280, Section
// 4.1.2.2). It is made of what is at hand, so that looking up costs no digest of a
// certificate and no allocation.
type cacheKey struct {
	issuer issuerID
	serial [32]byte
	form   serialForm
}

type serialForm uint8

// CAs use at most 20 octets (RFC 5280, Section 4.1.2.2). What is longer than the
// key has room for is told by its digest.
const (
	serialPositive serialForm = iota
	serialNegative
	serialDigest
)

func (c *Client) keyOf(cert, issuer *x509.Certificate) cacheKey {
	key := cacheKey{issuer: c.issuers.id(issuer)}
	switch serial := cert.SerialNumber; {
	case serial.BitLen() > 8*len(key.serial):
		key.serial, key.form = sha256.Sum256([]byte(serial.Text(16))), serialDigest
	case serial.Sign() < 0:
		key.form = serialNegative
		fallthrough
	default:
		serial.FillBytes(key.serial[:])
	}
	return key
}

// shared returns the key of a [Cache], which names nobody: it is a digest.
func (k *cacheKey) shared() string {
	h := sha256.New()
	h.Write([]byte("citizencert ocsp 1"))
	h.Write(k.issuer[:])
	h.Write(append(k.serial[:], byte(k.form)))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// An issuerID names a CA by its key and its name: several keys go by one name, and a
// CA that takes another name may keep its key.
type issuerID [sha256.Size]byte

func issuerIDOf(issuer *x509.Certificate) (id issuerID) {
	h := sha256.New()
	h.Write(issuer.RawSubjectPublicKeyInfo)
	h.Write(issuer.RawSubject)
	h.Sum(id[:0])
	return id
}

// issuers knows the identifiers of CAs by the certificates in which callers pass them.
// A verifier passes the same few again and again, so that they need not be hashed each
// time.
type issuers struct {
	mu    sync.Mutex
	known atomic.Pointer[map[*x509.Certificate]issuerID]
}

// maxIssuers bounds issuers; when it is reached, all are forgotten.
const maxIssuers = 256

func (s *issuers) id(issuer *x509.Certificate) issuerID {
	if known := s.known.Load(); known != nil {
		if id, ok := (*known)[issuer]; ok {
			return id
		}
	}
	return s.add(issuer)
}

func (s *issuers) add(issuer *x509.Certificate) issuerID {
	id := issuerIDOf(issuer)
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[*x509.Certificate]issuerID{issuer: id}
	if old := s.known.Load(); old != nil && len(*old) < maxIssuers {
		for cert, id := range *old {
			known[cert] = id
		}
	}
	s.known.Store(&known)
	return id
}
