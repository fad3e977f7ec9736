package crl

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"strings"
)

// A list in PEM (RFC 7468) is decoded on the way, line by line.
const (
	pemMark  = "-----BEGIN "
	pemBegin = "-----BEGIN X509 CRL-----"
	pemEnd   = "-----END X509 CRL-----"
)

// derFrom returns a reader of the DER in what r reads, which is PEM if it begins
// like PEM.
func derFrom(r io.Reader) io.Reader {
	text := bufio.NewReader(r)
	if start, _ := text.Peek(len(pemMark)); string(start) != pemMark {
		return text
	}
	return base64.NewDecoder(base64.StdEncoding, &pemLines{text: text})
}

var errPEM = errors.New("not one PEM block of type \"X509 CRL\"")

// isBadPEM reports whether a reader of PEM has failed for what it read.
func isBadPEM(err error) bool {
	_, corrupt := errors.AsType[base64.CorruptInputError](err)
	return corrupt || errors.Is(err, errPEM) || errors.Is(err, bufio.ErrBufferFull)
}

// pemLines reads the base64 between the two boundaries.
type pemLines struct {
	text  *bufio.Reader
	rest  []byte
	begun bool
	err   error
}

func (p *pemLines) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		p.rest, p.err = p.line()
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// line returns the next line of base64, and io.EOF at the second boundary, after
// which there is nothing but white space.
func (p *pemLines) line() ([]byte, error) {
	line, err := p.text.ReadSlice('\n')
	if err != nil && err != io.EOF {
		return nil, err // of the source, or a line longer than any in PEM
	}
	text := strings.TrimSpace(string(line))
	switch {
	case !p.begun && text == pemBegin:
		p.begun = true
		return nil, nil
	case !p.begun, text != pemEnd && err == io.EOF:
		return nil, errPEM
	case text != pemEnd:
		return []byte(text), nil
	}
	rest, err := io.ReadAll(io.LimitReader(p.text, 1<<10))
	switch {
	case err != nil:
		return nil, err
	case strings.TrimSpace(string(rest)) != "":
		return nil, errPEM
	}
	return nil, io.EOF
}
