package signin

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// maxMembers is how many members an object may have. The component's answer has
// some ten.
const maxMembers = 64

// An objectReader reads JSON objects (RFC 8259) from front to back. It is for the
// answer of a card, in which one string of 5 KB is nearly all: encoding/json looks
// at each byte of that several times, which takes longer than to verify what is in
// it. It is stricter: names are compared byte for byte and come once, and text is
// UTF-8.
type objectReader struct {
	data []byte
	at   int
}

// object reads an object. member is called for each name and reads the value, by
// one call of object, text, plain or skip.
func (r *objectReader) object(member func(name string) error) error {
	if err := r.expect('{'); err != nil {
		return err
	}
	var names []string
	for r.peek() != '}' || len(names) > 0 {
		name, err := r.text()
		if err != nil {
			return err
		}
		if slices.Contains(names, name) {
			return fmt.Errorf("member %.50q comes twice", name)
		}
		if names = append(names, name); len(names) > maxMembers {
			return fmt.Errorf("more than %d members", maxMembers)
		}
		if err := r.expect(':'); err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
		if r.peek() == '}' {
			break
		}
		if err := r.expect(','); err != nil {
			return err
		}
	}
	return r.expect('}')
}

// end refuses what comes after the value.
func (r *objectReader) end() error {
	if r.peek() != 0 || r.at != len(r.data) {
		return errors.New("more than one value")
	}
	return nil
}

// text reads a string.
func (r *objectReader) text() (string, error) {
	if err := r.expect('"'); err != nil {
		return "", err
	}
	rest := r.data[r.at:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return "", io.ErrUnexpectedEOF
	}
	// What is before the first backslash has no quote in it, and what is after is for
	// encoding/json to look at.
	if offset := bytes.IndexByte(rest[:end], '\\'); offset >= 0 {
		return r.escaped(offset)
	}
	text := rest[:end]
	if hasControl(text) {
		return "", errors.New("control character in a string")
	}
	if !utf8.Valid(text) {
		return "", errors.New("string is not UTF-8")
	}
	r.at += end + 1
	return string(text), nil
}

// hasControl reports whether a byte is below that of a space. It looks at eight at a
// time, in which the highest bit of a byte of v - spaces is set if that byte was too
// small, and of v if it is no ASCII.
func hasControl(text []byte) bool {
	const spaces, highest = 0x2020202020202020, 0x8080808080808080
	for ; len(text) >= 8; text = text[8:] {
		if v := binary.LittleEndian.Uint64(text); (v-spaces)&^v&highest != 0 {
			return true
		}
	}
	for _, c := range text {
		if c < ' ' {
			return true
		}
	}
	return false
}

// optionalText reads a string, or null as "".
func (r *objectReader) optionalText() (string, error) {
	if r.peek() == 'n' {
		_, err := r.plain()
		return "", err
	}
	return r.text()
}

// escaped reads a string that has its first backslash at an offset.
func (r *objectReader) escaped(offset int) (text string, err error) {
	rest := r.data[r.at:]
	for i := offset; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			literal := r.data[r.at-1 : r.at+i+1]
			if !utf8.Valid(literal) {
				return "", errors.New("string is not UTF-8")
			}
			r.at += i + 1
			return text, json.Unmarshal(literal, &text)
		}
	}
	return "", io.ErrUnexpectedEOF
}

// plain reads a number, true, false or null, as it is written.
func (r *objectReader) plain() ([]byte, error) {
	r.peek()
	rest := r.data[r.at:]
	end := bytes.IndexAny(rest, ",}] \t\r\n")
	if end < 0 {
		return nil, io.ErrUnexpectedEOF
	}
	if end == 0 || rest[0] == '"' || rest[0] == '{' || rest[0] == '[' || !json.Valid(rest[:end]) {
		return nil, errors.New("value is not a number or a literal")
	}
	r.at += end
	return rest[:end], nil
}

// skip reads a value of any type.
func (r *objectReader) skip() error {
	switch r.peek() {
	case '"':
		_, err := r.text()
		return err
	case '{', '[':
		d := json.NewDecoder(bytes.NewReader(r.data[r.at:]))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		r.at += int(d.InputOffset())
		return nil
	}
	_, err := r.plain()
	return err
}

// peek returns the next byte that is not a space, or zero at the end.
func (r *objectReader) peek() byte {
	for ; r.at < len(r.data); r.at++ {
		switch c := r.data[r.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (r *objectReader) expect(c byte) error {
	if got := r.peek(); got != c || r.at == len(r.data) {
		return fmt.Errorf("got %q at byte %d, want %q", got, r.at, c)
	}
	r.at++
	return nil
}
