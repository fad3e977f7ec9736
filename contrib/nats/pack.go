package nats

import (
	"fmt"

	"github.com/klauspost/compress/s2"
)

// pack makes lines smaller by S2, a faster Snappy. A quarter is left of them, because
// all have the same fields, policy, paths and lists. It costs a worker less than it saves
// the server; for the network and the disk it is all gain.
func pack(lines []byte) []byte {
	if len(lines) == 0 {
		return nil
	}
	return s2.Encode(nil, lines)
}

// unpack returns the lines, which must be of that size. Nothing beyond is unpacked.
func unpack(packed []byte, size int64) ([]byte, error) {
	if size == 0 && len(packed) == 0 {
		return nil, nil
	}
	said, err := s2.DecodedLen(packed)
	if err == nil && int64(said) != size {
		err = fmt.Errorf("it says that it has %d", said)
	}
	var lines []byte
	if err == nil {
		lines, err = s2.Decode(nil, packed)
	}
	if err != nil {
		return nil, fmt.Errorf("unpacking %d bytes of lines: %w", size, err)
	}
	return lines, nil
}
