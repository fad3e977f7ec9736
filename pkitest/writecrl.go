package pkitest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// WriteCRL writes a list as DER in bounded memory, whatever Filler is.
func (ca *CA) WriteCRL(w io.Writer, o CRLOptions) error {
	signer := Signer{ca.Cert, ca.Key}
	if o.Signer != nil {
		signer = *o.Signer
	}
	a, err := algorithmFor(signer.Key, o.SignatureAlgorithm)
	if err != nil {
		return err
	}
	if a.hash == 0 {
		return fmt.Errorf("pkitest: %v cannot sign a CRL as it is written", a.oid)
	}
	list, err := ca.list(o, a)
	if err != nil {
		return fmt.Errorf("pkitest: encoding the CRL: %w", err)
	}

	// The list is written twice: for its digest, and for the caller.
	h := a.hash.New()
	if err := list.write(h); err != nil {
		return err
	}
	signature, err := a.signDigest(signer.Key, h.Sum(nil))
	if err != nil {
		return fmt.Errorf("pkitest: signing the CRL: %w", err)
	}
	if o.BreakSignature {
		breakSignature(signature)
	}
	end := encode(func(b *cryptobyte.Builder) {
		a.marshal(b)
		b.AddASN1BitString(signature)
	})
	if _, err := w.Write(header(cbasn1.SEQUENCE, list.size()+len(end))); err != nil {
		return err
	}
	if err := list.write(w); err != nil {
		return err
	}
	_, err = w.Write(append(end, o.Trailing...))
	return err
}

// certificateList is a TBSCertList in the pieces that are written one after
// the other (RFC 5280, Section 5.1). Only the filler is not held.
type certificateList struct {
	before  []byte // version to nextUpdate
	entries []byte
	list    bool // whether there is a revokedCertificates
	filler  fillerEntry
	fillers int
	after   []byte // crlExtensions
}

// list prepares the list of the options.
func (ca *CA) list(o CRLOptions, a algorithm) (*certificateList, error) {
	own, err := marshalEntries(ca.ownEntries())
	if err != nil {
		return nil, err
	}
	e := ca.currentEdition(ca.pki.now(), own)
	if o.ThisUpdate.IsZero() {
		o.ThisUpdate = e.thisUpdate
	}
	if o.NextUpdate.IsZero() {
		o.NextUpdate = o.ThisUpdate.Add(24 * time.Hour)
	}
	if o.Number == nil {
		o.Number = big.NewInt(e.number)
	}
	if o.RawIssuer == nil {
		o.RawIssuer = ca.Cert.RawSubject
	}
	if o.OnlyEntries {
		own = nil
	}
	more, err := marshalEntries(o.Entries)
	if err != nil {
		return nil, err
	}
	l := &certificateList{entries: append(own, more...), fillers: o.Filler}
	l.list = len(l.entries) > 0 || o.Filler > 0 || o.EmptyList
	if l.filler, err = newFillerEntry(o.ThisUpdate); err != nil {
		return nil, err
	}

	var before, after cryptobyte.Builder
	if o.Version != 1 {
		before.AddASN1Int64(int64(max(o.Version-1, 1)))
	}
	a.marshal(&before)
	before.AddBytes(o.RawIssuer)
	addTime(&before, o.ThisUpdate)
	if !o.NoNextUpdate {
		addTime(&before, o.NextUpdate)
	}
	if l.before, err = before.Bytes(); err != nil {
		return nil, err
	}
	addExtensions(&after, 0, o.extensions(ca, o.Number))
	l.after, err = after.Bytes()
	return l, err
}

// ownEntries returns what the CA has revoked by now.
func (ca *CA) ownEntries() []CRLEntry {
	var entries []CRLEntry
	for _, r := range ca.revocations(ca.pki.now()) {
		entries = append(entries, CRLEntry{Serial: r.serial, RevocationDate: r.at, Reason: r.reason})
	}
	return entries
}

func marshalEntries(entries []CRLEntry) ([]byte, error) {
	var b cryptobyte.Builder
	for _, e := range entries {
		e.marshal(&b)
	}
	return b.Bytes()
}

// entriesSize is the length of the content of revokedCertificates.
func (l *certificateList) entriesSize() int {
	return len(l.entries) + l.fillers*len(l.filler.der)
}

// bodySize is the length of the content of the TBSCertList.
func (l *certificateList) bodySize() int {
	n := len(l.before) + len(l.after)
	if l.list {
		n += len(header(cbasn1.SEQUENCE, l.entriesSize())) + l.entriesSize()
	}
	return n
}

// size is the length of the whole TBSCertList.
func (l *certificateList) size() int {
	return len(header(cbasn1.SEQUENCE, l.bodySize())) + l.bodySize()
}

func (l *certificateList) write(w io.Writer) error {
	var start bytes.Buffer
	start.Write(header(cbasn1.SEQUENCE, l.bodySize()))
	start.Write(l.before)
	if l.list {
		start.Write(header(cbasn1.SEQUENCE, l.entriesSize()))
		start.Write(l.entries)
	}
	if _, err := w.Write(start.Bytes()); err != nil {
		return err
	}
	if err := l.filler.write(w, l.fillers); err != nil {
		return err
	}
	_, err := w.Write(l.after)
	return err
}

// header returns the identifier and length octets of a value in DER.
func header(tag cbasn1.Tag, length int) []byte {
	if length < 0x80 {
		return []byte{byte(tag), byte(length)}
	}
	octets := big.NewInt(int64(length)).Bytes()
	return append([]byte{byte(tag), 0x80 | byte(len(octets))}, octets...)
}

// FillerSerial returns the serial number of the i-th made-up entry of a CRL.
// It has 16 octets, like the numbers on the real lists.
func FillerSerial(i int) *big.Int {
	octets := fillerSerial(i)
	return new(big.Int).SetBytes(octets[:])
}

// fillerSerial scatters the numbers, as random ones would be, by the finishing
// steps of splitmix64. The first octet is 0x40 to 0x7f: all entries are of one
// length, so that the length of a list is known before it is written.
func fillerSerial(i int) (octets [16]byte) {
	x := uint64(i) + 1
	for half := range 2 {
		x += 0x9e3779b97f4a7c15
		z := (x ^ x>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		x = z ^ z>>31
		binary.BigEndian.PutUint64(octets[8*half:], x)
	}
	octets[0] = octets[0]&0x3f | 0x40
	return octets
}

// fillerEntry is an entry in which only the serial number is replaced.
type fillerEntry struct {
	der    []byte
	serial int // offset of the 16 octets in der
}

func newFillerEntry(at time.Time) (fillerEntry, error) {
	serial := fillerSerial(0)
	der, err := marshalEntries([]CRLEntry{{RawSerial: serial[:], RevocationDate: at, Reason: ReasonSuperseded}})
	return fillerEntry{der, bytes.Index(der, serial[:])}, err
}

// write writes n entries, a block at a time.
func (f fillerEntry) write(w io.Writer, n int) error {
	const perBlock = 1024
	block := make([]byte, 0, min(n, perBlock)*len(f.der))
	for i := range n {
		serial := fillerSerial(i)
		copy(f.der[f.serial:], serial[:])
		block = append(block, f.der...)
		if (i+1)%perBlock == 0 || i == n-1 {
			if _, err := w.Write(block); err != nil {
				return err
			}
			block = block[:0]
		}
	}
	return nil
}
