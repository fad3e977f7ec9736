package ocspclient

import (
	"bytes"
	"crypto/x509"
	"sync"

	"github.com/citizencert/citizencert/internal/algorithm"
)

// maxDelegates bounds Responders; when it is reached, all are forgotten. A CA has a
// few responders at a time, and only it can make more.
const maxDelegates = 128

// Responders remembers the certificates of delegated responders that an issuer has
// been found to have signed for the purpose, byte for byte. What may change is judged
// each time: dates, the policy for algorithms, and, by package verify, their status.
// The zero value remembers none yet. It may be used concurrently.
type Responders struct {
	mu    sync.RWMutex
	known map[string]delegate // by DER
}

type delegate struct{ cert, issuer *x509.Certificate }

// find returns the certificate with this encoding, if this issuer has issued it and
// the policy still accepts how.
func (r *Responders) find(der []byte, issuer *x509.Certificate, policy algorithm.Policy) *x509.Certificate {
	if r == nil {
		return nil
	}
	r.mu.RLock()
	d, ok := r.known[string(der)]
	r.mu.RUnlock()
	if !ok || d.issuer != issuer && !bytes.Equal(d.issuer.Raw, issuer.Raw) {
		return nil
	}
	signature, err := algorithm.FromX509(d.cert.SignatureAlgorithm)
	if err != nil || policy.CheckSignature(signature, issuer.PublicKey) != nil {
		return nil // and will be told why
	}
	return d.cert
}

func (r *Responders) add(cert, issuer *x509.Certificate) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= maxDelegates {
		r.known = map[string]delegate{}
	}
	r.known[string(cert.Raw)] = delegate{cert, issuer}
}
