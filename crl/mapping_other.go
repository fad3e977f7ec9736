//go:build !unix

package crl

import (
	"io"
	"os"
)

// mapping reads a file into memory, and takes the file over.
func mapping(file *os.File) (data []byte, owner *savedPages, err error) {
	data, err = io.ReadAll(file)
	if err == nil {
		err = file.Close()
	}
	return data, &savedPages{}, err
}
