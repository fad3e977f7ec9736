package nats

import (
	"bytes"
	"strings"
	"testing"
)

// What was packed is unpacked, and nothing that is not of the size that it says.
func TestPack(t *testing.T) {
	for _, lines := range []string{"", "a line\n", strings.Repeat("a line\n", 100_000)} {
		packed := pack([]byte(lines))
		size := int64(len(lines))
		if got, err := unpack(packed, size); err != nil || string(got) != lines {
			t.Errorf("%d bytes: got %d bytes, %v", size, len(got), err)
		}
		if lines == "" {
			continue
		}
		for what, bad := range map[string]struct {
			packed []byte
			size   int64
		}{
			"shorter than it says": {packed, size + 1},
			"longer than it says":  {packed, size - 1},
			"cut off":              {packed[:len(packed)-1], size},
			"without lines":        {packed, 0},
			"without parts":        {nil, size},
			"something else":       {bytes.Repeat([]byte{0xff}, 100), size},
		} {
			if got, err := unpack(bad.packed, bad.size); err == nil || got != nil {
				t.Errorf("%d bytes, %s: got %d bytes, %v", size, what, len(got), err)
			}
		}
	}
}
