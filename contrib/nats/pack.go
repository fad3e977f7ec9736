package nats

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
)

// pack makes lines smaller by DEFLATE (RFC 1951). A fifth is left of them, because all
// have the same fields, policy, paths and lists. It costs a worker about what it saves
// the server; for the network and the disk it is all gain.
func pack(lines []byte) ([]byte, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err == nil {
		_, err = w.Write(lines)
	}
	if err == nil {
		err = w.Close()
	}
	return packed.Bytes(), err
}

// unpack returns the lines, which must be of that size. Nothing beyond is unpacked.
func unpack(packed []byte, size int64) ([]byte, error) {
	if size == 0 && len(packed) == 0 {
		return nil, nil
	}
	r := flate.NewReader(bytes.NewReader(packed))
	lines := make([]byte, size)
	if _, err := io.ReadFull(r, lines); err != nil {
		return nil, fmt.Errorf("it has not %d bytes: %w", size, err)
	}
	if n, err := io.ReadFull(r, make([]byte, 1)); n > 0 || err != io.EOF {
		return nil, fmt.Errorf("it has more than %d bytes, or no end", size)
	}
	return lines, nil
}
