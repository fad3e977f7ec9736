package crl

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"sync"
)

// A spool takes the DER of a list while it is read: into a file if there is a
// folder for it, or else into memory. A disk that is full or may not be written to
// costs memory and not the list.
type spool struct {
	file   *os.File // or nil
	memory []byte
	size   int64
	digest hash.Hash // of the whole DER
	failed error     // why it is in memory though there is a folder
}

func newSpool(file *os.File, err error) *spool {
	return &spool{file: file, failed: err, digest: sha256.New()}
}

// Write never fails, unless what has been written cannot be read again.
func (s *spool) Write(data []byte) (int, error) {
	s.digest.Write(data)
	if s.file != nil {
		n, err := s.file.Write(data)
		s.size += int64(n)
		if err == nil {
			return n, nil
		}
		if err := s.toMemory(err); err != nil {
			return n, err
		}
		data = data[n:]
		s.memory = append(s.memory, data...)
		s.size += int64(len(data))
		return n + len(data), nil
	}
	s.memory = append(s.memory, data...)
	s.size += int64(len(data))
	return len(data), nil
}

// toMemory gives up the file.
func (s *spool) toMemory(why error) error {
	memory := make([]byte, s.size)
	if _, err := s.file.ReadAt(memory, 0); err != nil && err != io.EOF {
		return err
	}
	s.discard()
	s.file, s.memory, s.failed = nil, memory, why
	return nil
}

// discard removes the file.
func (s *spool) discard() {
	if s.file != nil {
		os.Remove(s.file.Name())
		s.file.Close()
	}
}

// into gives the list its bytes.
func (s *spool) into(l *List) {
	if s.file == nil {
		l.Raw = s.memory
		return
	}
	l.original = &original{file: s.file}
}

// An original is the file that a list was read from. It stays open, so that it is
// there whatever becomes of its name, and is closed when the list is not used any
// more. What is read of it is kept.
type original struct {
	file *os.File
	mu   sync.Mutex
	raw  []byte
}

// bytes returns the DER of the list, or nil if it is not at hand. What is in the
// file has to be what was verified.
func (l *List) bytes() ([]byte, error) {
	if l.Raw != nil || l.original == nil {
		return l.Raw, nil
	}
	o := l.original
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.raw == nil {
		raw := make([]byte, l.Size)
		if _, err := o.file.ReadAt(raw, 0); err != nil {
			return nil, err
		}
		s := streamBytes(raw)
		if _, err := s.enter(l.Size, "CertificateList"); err != nil {
			return nil, errDamaged
		}
		start := s.offset
		end, err := s.enter(l.Size, "tbsCertList")
		if err != nil || sha256.Sum256(raw[start:end]) != l.digest || !bytes.Equal(raw[end:], l.frame.rest) {
			return nil, errDamaged
		}
		o.raw = raw
	}
	return o.raw, nil
}
