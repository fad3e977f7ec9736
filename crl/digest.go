package crl

import (
	"crypto"
	"crypto/sha256"
	"hash"

	"github.com/citizencert/citizencert/internal/algorithm"
)

// A digester digests a tbsCertList on a goroutine of its own, which ends when
// parts is closed.
type digester struct {
	parts chan part
	done  chan struct{} // closed when all parts have been digested

	identity hash.Hash // SHA-256, by which lists are told apart here
	signed   hash.Hash // what the signature is over, or nil if that is identity
	whole    bool      // the signature is over the message itself
	message  []byte
}

// A part is some of what is to be digested. Its block is free again afterwards.
type part struct{ data, block []byte }

// newDigester digests for a signature by the algorithm. Ed25519 takes the message
// twice, so that all of it has to be held.
func newDigester(alg algorithm.Signature, free chan<- []byte) *digester {
	d := &digester{parts: make(chan part, blocks), done: make(chan struct{}), identity: sha256.New()}
	d.whole = alg.Scheme == algorithm.Ed25519
	if !d.whole && alg.Hash != crypto.SHA256 && alg.Hash.Available() {
		d.signed = alg.Hash.New()
	}
	go d.run(free)
	return d
}

func (d *digester) run(free chan<- []byte) {
	defer close(d.done)
	for p := range d.parts {
		d.identity.Write(p.data)
		if d.signed != nil {
			d.signed.Write(p.data)
		}
		if d.whole {
			d.message = append(d.message, p.data...)
		}
		if p.block != nil {
			free <- p.block
		}
	}
}

// into gives the list what has been digested.
func (d *digester) into(l *List) {
	d.identity.Sum(l.digest[:0])
	switch {
	case d.whole:
		l.signed.TBS = d.message
		return
	case d.signed != nil:
		l.signedDigest = d.signed.Sum(nil)
	default:
		l.signedDigest = l.digest[:]
	}
	l.signed.Digested(l.signedDigest)
}
