package verify

import (
	"context"
	"crypto"
	"crypto/x509"
	"io"
)

// CheckSignatures runs the checks that come before the certification path, which
// samples of other people's signers can pass: those of SignedData, of Detached if
// content is not nil, of Digest if sums is not nil. It returns the certificates of
// the signers, and what becomes of the counter-signatures on them; of these the
// path is asked for.
func (v *Verifier) CheckSignatures(ctx context.Context, der []byte, content io.Reader, sums map[crypto.Hash][]byte, opts *Options) (signers []*x509.Certificate, counter []CounterSignature, err error) {
	defer func() { _, err = v.describe(askedSignedData, der, opts, nil, err) }()
	j, err := v.parse(ctx, der, opts)
	if err != nil {
		return nil, nil, err
	}
	if content == nil && sums == nil && j.message.Detached {
		return nil, nil, refuse(ReasonContentMissing, "no content")
	}
	if err := j.read(); err != nil {
		return nil, nil, err
	}
	digest := func(hashes []crypto.Hash) (digests, error) {
		switch {
		case sums != nil:
			return givenDigests(sums, hashes)
		case content != nil:
			return j.digestReader(ctx, content, hashes, j.guard)
		}
		return digestContent(&j.message.Content, hashes, j.guard)
	}
	err = j.checkSignatures(digest, func(s *signerInfo) error {
		return j.tryCandidates(s, func(s *signerInfo, cert *x509.Certificate) error {
			err := j.confirm(s, cert)
			if err == nil {
				signers = append(signers, cert)
			}
			return err
		})
	})
	if err != nil {
		return nil, nil, err
	}
	budget := maxCounterSignatures
	for i := range j.signers {
		counter = append(counter, j.counterSignatures(&j.signers[i], &budget)...)
	}
	return signers, counter, nil
}

// Forget empties the memory of a Verifier, so that every leaf is a new one.
func (v *Verifier) Forget() {
	v.leaves.mu.Lock()
	defer v.leaves.mu.Unlock()
	clear(v.leaves.byHash)
	clear(v.leaves.byCert)
	v.leaves.ring, v.leaves.hand = v.leaves.ring[:0], 0
}

const FrequentSignatures = frequentSignatures

// ForgetKeys makes leaves that are remembered such that have signed once.
func (v *Verifier) ForgetKeys() {
	v.leaves.mu.RLock()
	defer v.leaves.mu.RUnlock()
	for _, l := range v.leaves.ring {
		l.signatures.Store(0)
		l.prepared.Store(nil)
	}
}

// PreparedKeys returns of how many leaves the keys are prepared.
func (v *Verifier) PreparedKeys() (n int) {
	v.leaves.mu.RLock()
	defer v.leaves.mu.RUnlock()
	for _, l := range v.leaves.ring {
		if l.prepared.Load() != nil {
			n++
		}
	}
	return n
}

// Remembers returns how many leaves are remembered.
func (v *Verifier) Remembers() int {
	v.leaves.mu.RLock()
	defer v.leaves.mu.RUnlock()
	return len(v.leaves.byHash)
}
