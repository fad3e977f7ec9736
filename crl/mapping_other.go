//go:build !unix

package crl

import (
	"io"
	"os"
)

// mapping reads a file into memory.
func mapping(file *os.File) (data []byte, owner *savedPages, err error) {
	data, err = io.ReadAll(file)
	return data, &savedPages{}, err
}
