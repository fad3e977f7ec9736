package evidence

import (
	"cmp"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/cms"
)

// A Digester is a reader that hashes what is read from it.
type Digester struct {
	content io.Reader
	running map[crypto.Hash]hash.Hash
	ended   bool
}

// Digester reads content for the question, and hashes it by every algorithm that its
// signers name, so that the verdict can be judged again without the content. It is for
// those who ask the Verifier themselves, and fill in Sums from it before they record
// the answer.
func (q *Question) Digester(content io.Reader) *Digester {
	d := &Digester{content: content, running: map[crypto.Hash]hash.Hash{crypto.SHA256: crypto.SHA256.New()}}
	if q.Method != Detached {
		return d
	}
	message, err := cms.Parse(q.Signature, cms.Limits{})
	if err != nil {
		return d // is refused, and nothing is read
	}
	for _, s := range message.SignerInfos {
		if h, err := algorithm.Digest(s.DigestAlgorithm); err == nil && h.Available() && d.running[h] == nil {
			d.running[h] = h.New()
		}
	}
	return d
}

// Read implements [io.Reader].
func (d *Digester) Read(p []byte) (int, error) {
	n, err := d.content.Read(p)
	for _, h := range d.running {
		h.Write(p[:n]) // never fails
	}
	if errors.Is(err, io.EOF) {
		d.ended = true
	}
	return n, err
}

// Sums returns the digests, or nil if the content was not read to its end.
func (d *Digester) Sums() map[crypto.Hash][]byte {
	if !d.ended {
		return nil
	}
	sums := make(map[crypto.Hash][]byte, len(d.running))
	for h, running := range d.running {
		sums[h] = running.Sum(nil)
	}
	return sums
}

func digestsOf(sums map[crypto.Hash][]byte) []Digest {
	var all []Digest
	for h, sum := range sums {
		all = append(all, Digest{h.String(), hex.EncodeToString(sum)})
	}
	slices.SortFunc(all, func(a, b Digest) int { return cmp.Compare(a.Algorithm, b.Algorithm) })
	return all
}

// digestHashes are the algorithms that content is digested by.
var digestHashes = []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512}

func sumsOf(all []Digest) (map[crypto.Hash][]byte, error) {
	sums := make(map[crypto.Hash][]byte, len(all))
	for _, d := range all {
		i := slices.IndexFunc(digestHashes, func(h crypto.Hash) bool { return h.String() == d.Algorithm })
		sum, err := hex.DecodeString(d.Value)
		if i < 0 || err != nil || len(sum) != digestHashes[i].Size() {
			return nil, fmt.Errorf("evidence: digest of content by %.20q is not one", d.Algorithm)
		}
		sums[digestHashes[i]] = sum
	}
	return sums, nil
}
