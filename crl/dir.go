package crl

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A directory keeps lists on disk: in a folder for each key and URL, the newest
// list and some before it, each in up to three files:
//
//	number.thisUpdate.digest.crl    the list in DER
//	number.thisUpdate.digest.index  its index, if there is a key for it
//	number.thisUpdate.digest.http   the validators it came with
//
// Number and thisUpdate are such that the last name is that of the newest list, and
// digest is the SHA-256 of the file. Names are hints: what counts is the list, whose
// signature is verified whenever it is loaded. So the newest list that verifies is
// also the one that no older one may replace, and needs no record besides.
//
// A file gets its name when it is whole and on disk. There is no lock: processes
// that share the directory write files of different names, or equal ones.
type directory struct {
	root     string
	indexKey []byte
	maxBytes int64
	keep     int
	log      *slog.Logger
}

const (
	listSuffix  = ".crl"
	indexSuffix = ".index"
	httpSuffix  = ".http"
	tempPattern = "*.tmp"

	// maxTries is how many lists of one place are looked at until one verifies.
	maxTries = 4

	// abandoned is the age of a file that nobody is still writing.
	abandoned = time.Hour
)

func (d *directory) place(key shelfKey) string {
	h := sha256.New()
	h.Write(key.issuer[:])
	io.WriteString(h, key.url)
	return filepath.Join(d.root, hex.EncodeToString(h.Sum(nil)[:16]))
}

// temp creates a file for a list that is about to be read.
func (d *directory) temp(key shelfKey) (*os.File, error) {
	place := d.place(key)
	if err := os.MkdirAll(place, 0o700); err != nil {
		return nil, err
	}
	return os.CreateTemp(place, tempPattern) // for this user alone
}

// baseName returns the common part of the file names of a list. It has a number.
func baseName(l *List, digest []byte) string {
	return fmt.Sprintf("%040x.%012x.%x", l.Number, l.ThisUpdate.Unix()-epoch, digest)
}

// store gives the files of a verified list their names. The list is used by its
// saved index afterwards, if it has one.
func (d *directory) store(key shelfKey, l *List, s *spool, v validators) error {
	place := d.place(key)
	base := filepath.Join(place, baseName(l, s.digest.Sum(nil)))
	if err := publish(s.file, base+listSuffix); err != nil {
		return err
	}
	d.saveIndex(l, base)
	if data, err := json.Marshal(v); err == nil {
		d.warn("validators not saved", writeFile(place, base+httpSuffix, data))
	}
	d.prune(place)
	return nil
}

// saveIndex saves the index of a list, and has the list use the saved one.
func (d *directory) saveIndex(l *List, base string) {
	if d.indexKey == nil || !l.canSave() {
		return
	}
	d.warn("index not saved", func() error {
		file, err := os.CreateTemp(filepath.Dir(base), tempPattern)
		if err != nil {
			return err
		}
		if err = writeIndex(file, l, d.indexKey); err == nil {
			err = publish(file, base+indexSuffix)
		}
		if err != nil {
			os.Remove(file.Name())
			file.Close()
			return err
		}
		saved, err := openIndex(file, d.indexKey)
		if err != nil {
			file.Close()
			return err
		}
		l.index = saved.index
		return nil
	}())
}

// reindex saves the index of a list that is on disk, in place of a damaged one.
func (d *directory) reindex(key shelfKey, l *List) {
	place := d.place(key)
	for _, name := range d.lists(place) {
		if strings.HasPrefix(name, baseName(l, nil)) {
			d.saveIndex(l, filepath.Join(place, strings.TrimSuffix(name, listSuffix)))
			return
		}
	}
}

// load returns the newest list of a place that accept accepts, or nil if there is
// none. What does not verify was not written by this package, or has been damaged
// since, and goes.
func (d *directory) load(key shelfKey, accept func(*List) error) (*List, validators) {
	place := d.place(key)
	names := d.lists(place)
	for _, name := range names[:min(len(names), maxTries)] {
		base := filepath.Join(place, strings.TrimSuffix(name, listSuffix))
		l, err := d.open(base)
		if err == nil {
			err = accept(l)
		}
		if err == nil {
			return l, d.validators(base)
		}
		d.warn("list on disk not used", err)
		if damaged(err) {
			d.remove(base)
		}
	}
	return nil, validators{}
}

// damaged reports whether the error is about the bytes of a list, and not about
// circumstances.
func damaged(err error) bool {
	e, ok := errors.AsType[*verify.Error](err)
	return ok && (e.Reason == verify.ReasonMalformed || e.Reason == verify.ReasonNotDER || e.Reason == verify.ReasonBadSignature)
}

// lists returns the names of the lists in a place, the newest first, and removes
// what writers have left behind that were killed.
func (d *directory) lists(place string) []string {
	entries, err := os.ReadDir(place)
	if err != nil {
		return nil // there is none, or none to be had
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), listSuffix) {
			names = append(names, e.Name())
		}
		if temp, _ := filepath.Match(tempPattern, e.Name()); temp {
			if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
				os.Remove(filepath.Join(place, e.Name()))
			}
		}
	}
	slices.Sort(names)
	slices.Reverse(names)
	return names
}

// open opens one list, by its index if there is one.
func (d *directory) open(base string) (*List, error) {
	file, err := os.Open(base + listSuffix)
	if err != nil {
		return nil, err
	}
	l, err := d.openList(file, base)
	if err != nil {
		file.Close()
		return nil, err
	}
	l.original = &original{file: file}
	return l, nil
}

func (d *directory) openList(file *os.File, base string) (*List, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if d.indexKey != nil {
		l, err := d.openIndex(base)
		if err == nil && l.Size == info.Size() && strings.HasPrefix(filepath.Base(base), baseName(l, nil)) {
			return l, nil
		}
		if err == nil {
			err = errForeign
		}
		if !errors.Is(err, fs.ErrNotExist) {
			d.warn("saved index not used", err)
		}
	}
	l, err := parseStream(newStream(file), d.maxBytes)
	if err != nil {
		return nil, err
	}
	if l.Number == nil {
		return nil, errors.New("list has no number")
	}
	d.saveIndex(l, base)
	return l, nil
}

func (d *directory) openIndex(base string) (*List, error) {
	file, err := os.Open(base + indexSuffix)
	if err != nil {
		return nil, err
	}
	l, err := openIndex(file, d.indexKey)
	if err != nil {
		file.Close()
	}
	return l, err
}

func (d *directory) validators(base string) (v validators) {
	if data, err := os.ReadFile(base + httpSuffix); err == nil {
		_ = json.Unmarshal(data, &v) // or none
	}
	return v
}

// remove removes the files of one list.
func (d *directory) remove(base string) {
	for _, suffix := range []string{indexSuffix, httpSuffix, listSuffix} {
		os.Remove(base + suffix)
	}
}

// prune removes all but the newest list and the number of superseded ones to keep.
func (d *directory) prune(place string) {
	names := d.lists(place)
	for i, name := range names {
		base := filepath.Join(place, strings.TrimSuffix(name, listSuffix))
		if i > d.keep {
			d.remove(base)
		} else if i > 0 {
			os.Remove(base + indexSuffix)
			os.Remove(base + httpSuffix)
		}
	}
}

// find returns the list with the SHA-256, whatever its place.
func (d *directory) find(digest [sha256.Size]byte) ([]byte, error) {
	places, err := os.ReadDir(d.root)
	if err != nil {
		return nil, err
	}
	suffix := fmt.Sprintf(".%x%s", digest, listSuffix)
	for _, place := range places {
		for _, name := range d.lists(filepath.Join(d.root, place.Name())) {
			if !strings.HasSuffix(name, suffix) {
				continue
			}
			data, err := os.ReadFile(filepath.Join(d.root, place.Name(), name))
			if err == nil && sha256.Sum256(data) == digest {
				return data, nil
			}
		}
	}
	return nil, fs.ErrNotExist
}

func (d *directory) warn(what string, err error) {
	if err != nil {
		d.log.Warn("crl: "+what, "error", err)
	}
}
