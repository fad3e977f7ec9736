package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// scan indexes the objects from p.end on, and sets p.end behind the last whole one.
// What follows there is the beginning of an object that was being written.
func (p *Pack) scan() error {
	size, err := p.size()
	if err != nil {
		return err
	}
	if p.end == 0 {
		if err := p.checkMagic(size); err != nil {
			return err
		}
		p.end = int64(len(packMagic))
	}
	p.end, err = p.walk(p.end, size, func(at int64, h packHeader, next int64) bool {
		if h.valid {
			p.index.add(h.hash, at)
			return true
		}
		// For a reader it may be one that is being written just now.
		return p.writable || next < size
	})
	return err
}

func (p *Pack) size() (int64, error) {
	info, err := p.file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// walk visits the headers from one on, and returns where it ended: at what was not
// written to its end, or where visit has returned false. A header that is not valid,
// though all of it is there, is damage: then next is where the one after it has been
// found, or size.
func (p *Pack) walk(at, size int64, visit func(at int64, h packHeader, next int64) bool) (int64, error) {
	for size-at >= headerSize {
		h, err := p.header(at)
		if err != nil {
			return at, err
		}
		rest := size - at - headerSize
		if h.valid && h.size > uint64(rest) {
			return at, nil // torn
		}
		next := at + headerSize + int64(h.size)
		if !h.valid {
			zeros := false
			if next, zeros, err = p.resume(at+1, size); err != nil {
				return at, err
			}
			if zeros { // so some file systems end a file that was being written when the power failed
				return at, nil
			}
		}
		if !visit(at, h, next) {
			return at, nil
		}
		at = next
	}
	return at, nil
}

func (p *Pack) checkMagic(size int64) error {
	begun := make([]byte, min(size, int64(len(packMagic))))
	if _, err := p.file.ReadAt(begun, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(begun) != packMagic {
		return &DamageError{Part: "pack", Err: fmt.Errorf("it begins with %q, want %q", begun, packMagic)}
	}
	return nil
}

// resume returns where the next object is, or the end of the file, and whether there
// is none and nothing but zeros up to there.
func (p *Pack) resume(from, size int64) (next int64, zeros bool, err error) {
	const window = 1 << 16
	buf := make([]byte, window+headerSize-1)
	zeros = true
	for at := from - 1; at < size; at += window {
		n, err := p.file.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, false, err
		}
		zeros = zeros && len(bytes.Trim(buf[:n], "\x00")) == 0
		for i := 0; i+headerSize <= n; i++ {
			j := bytes.Index(buf[i:n], []byte(objectMagic))
			if j < 0 || i+j+headerSize > n {
				break
			}
			i += j
			if found := at + int64(i); found >= from && parseHeader(found, buf[i:n]).valid {
				return found, false, nil
			}
		}
	}
	return size, zeros, nil
}

// Check reads the whole Pack and returns what is damaged. An error means that the
// file could not be read.
func (p *Pack) Check() (damage []*DamageError, err error) {
	p.mu.RLock() // no object is half written
	size, err := p.size()
	p.mu.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	if err := p.checkMagic(size); err != nil {
		if broken, ok := errors.AsType[*DamageError](err); ok {
			return []*DamageError{broken}, nil
		}
		return nil, fmt.Errorf("evidence: %w", err)
	}
	var failed error
	_, err = p.walk(int64(len(packMagic)), size, func(at int64, h packHeader, next int64) bool {
		if !h.valid {
			damage = append(damage, &DamageError{Part: "object", Object: h.hash, Offset: at, Err: errDamagedHeader})
			return true
		}
		if _, err := p.read(h.hash, at); err != nil {
			broken, ok := errors.AsType[*DamageError](err)
			if !ok {
				failed = err
				return false
			}
			damage = append(damage, broken)
		}
		return true
	})
	if err != nil {
		failed = fmt.Errorf("evidence: %w", err)
	}
	return damage, failed
}

var errDamagedHeader = errors.New("its header is damaged, so that its hash may be another")
