package cms

import "io"

// header reads a header and keeps it. It reports false, with what it has read
// kept, if the input ends or is not a header with an identifier of one octet:
// Parse will say so.
func (s *stream) header() (identifier byte, w wrapper, ok bool, err error) {
	if identifier, ok, err = s.next(); err != nil || !ok {
		return 0, w, false, err
	}
	if identifier&0x1f == 0x1f {
		return identifier, w, false, nil
	}
	w.at = len(s.kept)
	first, ok, err := s.next()
	if err != nil || !ok {
		return identifier, w, false, err
	}
	switch {
	case identifier == 0 && first != 0:
		return identifier, w, false, nil // end-of-contents octets are two zeros
	case first < 0x80:
		w.length, w.octets = int64(first), 1
		return identifier, w, true, nil
	case first == 0x80:
		w.length, w.octets = indefinite, 1
		return identifier, w, identifier&0x20 != 0, nil
	case first == 0xff:
		return identifier, w, false, nil
	}
	w.octets = 1 + int(first&0x7f)
	for range first & 0x7f {
		digit, ok, err := s.next()
		if err != nil || !ok || w.length >= 1<<54 {
			return identifier, w, false, err
		}
		w.length = w.length<<8 | int64(digit)
	}
	return identifier, w, true, nil
}

// next reads one byte and keeps it. It reports false at the end.
func (s *stream) next() (byte, bool, error) {
	if len(s.kept) >= s.limits.DER.Bytes {
		return 0, false, s.tooMuch()
	}
	b, err := s.in.ReadByte()
	if err == io.EOF {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, &StreamError{err}
	}
	s.offset++
	s.kept = append(s.kept, b)
	return b, true, nil
}

// keep reads n bytes and keeps them, or what there is of them.
func (s *stream) keep(n int64) error {
	if n > int64(s.limits.DER.Bytes-len(s.kept)) {
		return s.tooMuch()
	}
	bytes, err := io.ReadAll(io.LimitReader(s.in, n))
	if err != nil {
		return &StreamError{err}
	}
	s.offset += int64(len(bytes))
	s.kept = append(s.kept, bytes...)
	return nil
}
