//go:build unix

package crl

import (
	"errors"
	"math"
	"os"
	"runtime"
	"syscall"
)

// mapping maps a file into memory, which processes share, and takes the file over.
// The mapping goes when owner cannot be reached any more, so that nobody who still
// looks at it has to be counted.
//
// What is mapped changes with the file, and is gone where the file is cut short. So
// the file has to be this user's own and nobody's to write to, not even to restore a
// backup over it: what takes its place is another file. Who can do more can write to
// the memory of the process as well.
func mapping(file *os.File) (data []byte, owner *savedPages, err error) {
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	own, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(own.Uid) != os.Geteuid() || info.Mode().Perm()&0o222 != 0 || !info.Mode().IsRegular() {
		return nil, nil, errors.New("index is not a file of this user, or can be written to")
	}
	if info.Size() == 0 || info.Size() > math.MaxInt {
		return nil, nil, errForeign
	}
	data, err = syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	owner = &savedPages{file: file, info: info}
	runtime.AddCleanup(owner, func(data []byte) { syscall.Munmap(data) }, data)
	return data, owner, nil
}
