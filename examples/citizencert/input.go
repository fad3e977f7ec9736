package main

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/verify"
)

// maxFile bounds a file that is read as a whole: a message of the largest size,
// with room for base64 and its line ends.
const maxFile = verify.MaxSize + verify.MaxSize/2

// files reads what the command line names. Its errors are a *verify.Error if the
// file is there and what it holds is refused, and another error, which ends the
// program without a verdict, if it cannot be read.
type files struct {
	stdin  io.Reader // nil after it has been opened
	stderr io.Writer // for progress
	more   []string  // operands after the first
}

// open opens a file, or standard input for "-".
func (f *files) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		if f.stdin == nil {
			return nil, errors.New("standard input can be read once only")
		}
		r := f.stdin
		f.stdin = nil
		return io.NopCloser(r), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	// A directory can be opened, and fails on the first read.
	if info, err := file.Stat(); err != nil || info.IsDir() {
		file.Close()
		return nil, fmt.Errorf("%s is a folder, want a file", name)
	}
	return file, nil
}

// read reads a file within bounds.
func (f *files) read(name string) ([]byte, error) {
	r, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, refusal(verify.ReasonLimit, "%s is larger than %d bytes", name, maxFile)
	}
	return data, nil
}

// A format is a kind of object that a FILE can hold.
type format struct {
	name     string
	pemTypes []string
}

// The formats, with the labels of RFC 7468 first and those that are also seen.
var (
	certificateFormat = format{"certificate", []string{"CERTIFICATE", "X509 CERTIFICATE"}}
	crlFormat         = format{"CRL", []string{"X509 CRL", "CRL"}}
	ocspFormat        = format{"OCSP response", []string{"OCSP RESPONSE"}}
	signedDataFormat  = format{"SignedData", []string{"CMS", "PKCS7", "PKCS #7 SIGNED DATA"}}
)

// objects returns the DER, or BER, of the objects of one format in a file: all of
// them in a PEM bundle, one otherwise. There is at least one.
func (f *files) objects(name string, want format) ([][]byte, error) {
	data, err := f.read(name)
	if err != nil {
		return nil, err
	}
	blocks, err := decode(data)
	if err != nil {
		return nil, refusal(verify.ReasonMalformed, "%s: %w", name, err)
	}
	var objects [][]byte
	var others []string
	for _, b := range blocks {
		if b.Type == "" || slices.Contains(want.pemTypes, b.Type) {
			objects = append(objects, b.Bytes)
		} else {
			others = append(others, b.Type)
		}
	}
	if len(objects) == 0 {
		return nil, refusal(verify.ReasonMalformed, "%s holds no %s: its PEM blocks are %s", name, want.name, strings.Join(others, ", "))
	}
	return objects, nil
}

// object returns the one object in a file that may hold no more than one.
func (f *files) object(name string, want format) ([]byte, error) {
	objects, err := f.objects(name, want)
	if err != nil {
		return nil, err
	}
	if len(objects) > 1 {
		return nil, refusal(verify.ReasonMalformed, "%s holds %d objects, want one %s", name, len(objects), want.name)
	}
	return objects[0], nil
}

// allObjects returns the objects of several files.
func (f *files) allObjects(names []string, want format) ([][]byte, error) {
	var all [][]byte
	for _, name := range names {
		objects, err := f.objects(name, want)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	return all, nil
}

// decode finds out the encoding of data. Blocks that were not PEM have no Type.
func decode(data []byte) ([]*pem.Block, error) {
	if at := bytes.Index(data, pemBegin); at >= 0 && isText(data[:at]) {
		return decodePEM(data)
	}
	if raw, ok := decodeBase64(data); ok {
		return []*pem.Block{{Bytes: raw}}, nil
	}
	if len(data) == 0 {
		return nil, errors.New("the file is empty")
	}
	return []*pem.Block{{Bytes: data}}, nil
}

var pemBegin = []byte("-----BEGIN ")

// decodePEM returns every block, with text around them tolerated. Package pem
// passes over blocks that it cannot read, and with them perhaps the one list that
// says revoked: here each must be readable.
func decodePEM(data []byte) ([]*pem.Block, error) {
	begun := 0
	for line := range bytes.Lines(data) {
		if bytes.HasPrefix(line, pemBegin) {
			begun++
		}
	}
	var blocks []*pem.Block
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		blocks = append(blocks, block)
	}
	if len(blocks) < begun || begun == 0 {
		return nil, fmt.Errorf("%d of %d PEM blocks can be read", len(blocks), begun)
	}
	return blocks, nil
}

// isText reports whether what stands before a PEM block can be text. DER that has
// PEM inside begins with octets that are not.
func isText(data []byte) bool {
	return utf8.Valid(data) && bytes.IndexFunc(data, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) < 0
}

// decodeBase64 decodes data if all of it is base64 and white space.
func decodeBase64(data []byte) ([]byte, bool) {
	joined := bytes.Join(bytes.Fields(data), nil)
	if len(joined) == 0 {
		return nil, false
	}
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(joined)))
	n, err := base64.StdEncoding.Decode(raw, joined)
	return raw[:n], err == nil
}

// certificate returns the first certificate in a file, which is the one meant.
func (f *files) certificate(name string) (*x509.Certificate, error) {
	objects, err := f.objects(name, certificateFormat)
	if err != nil {
		return nil, err
	}
	cert, err := certpath.ParseCertificate(objects[0])
	if err != nil {
		return nil, parseRefusal(name, err)
	}
	return cert, nil
}

// parseRefusal is the verdict on a certificate that cannot be parsed.
func parseRefusal(name string, err error) *verify.Error {
	reason := verify.ReasonMalformed
	if e, ok := errors.AsType[*certpath.Error](err); ok && e.Kind == certpath.Limit {
		reason = verify.ReasonLimit
	}
	return refusal(reason, "%s: %w", name, err)
}
