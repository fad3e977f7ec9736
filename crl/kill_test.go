package crl_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/childtest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// editions is how many lists a process writes before it is at the end.
const editions = 60

// A feed is a folder in which every list is one number further.
type feed struct {
	dir  string
	next int
}

func (f *feed) Open(string) (fs.File, error) {
	return os.Open(filepath.Join(f.dir, strconv.Itoa(f.next)))
}

// A process that is killed while it writes lists and indexes leaves the newest one
// that it had verified, or a newer one.
func TestKilled(t *testing.T) {
	w := newWorld(t)
	writer := listWriter{Dir: t.TempDir(), Cert: w.cert.Raw, Issuer: w.ca.Cert.Raw}
	for i := 1; i <= editions; i++ {
		list := w.list(pkitest.CRLOptions{Partition: true, Number: big.NewInt(int64(i)), ThisUpdate: noon.Add(-time.Hour), Filler: 5000})
		name := filepath.Join(writer.Dir, strconv.Itoa(i))
		if err := os.WriteFile(name, list, 0o600); err != nil {
			t.Fatal(err)
		}
		at := noon.Add(time.Duration(i) * time.Second)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, after := range []int{1, 2, 3, 5, 8, 13, 21, 34, 55} {
		writer.Store = t.TempDir()
		reached := childtest.KillAt(t, writer, after)
		store := w.store(crl.Config{Dir: writer.Store, IndexKey: indexKey, Offline: true})
		number := int64(-1)
		reports, err := store.Status(t.Context(), w.query())
		for _, r := range reports {
			if list, err := crl.Parse(r.DER); err == nil && r.Source == w.ca.URLs.Partition && r.Says == verify.Good {
				number = list.Number.Int64()
			}
		}
		if number < int64(reached) {
			t.Errorf("killed after %d lists: got number %d (%v)", reached, number, err)
		}
		store.Close()
	}
}

func TestMain(m *testing.M) { childtest.Main(m, listWriter.run) }

// A listWriter asks about a certificate again and again, with one list newer each time,
// and says the number of the list.
type listWriter struct {
	Dir, Store   string // of the feed, of what the process writes
	Cert, Issuer []byte
}

func (w listWriter) run() error {
	feed := &feed{dir: w.Dir}
	store, err := crl.New(crl.Config{
		Dir: w.Store, IndexKey: indexKey, Folder: feed, RefreshInterval: -1,
		Now: func() time.Time { return noon },
	})
	if err != nil {
		return err
	}
	defer store.Close()
	var q verify.StatusQuery
	if q.Cert, err = x509.ParseCertificate(w.Cert); err != nil {
		return err
	}
	if q.Issuer, err = x509.ParseCertificate(w.Issuer); err != nil {
		return err
	}
	q.Fresh.CRL = time.Nanosecond // look again each time
	for feed.next = 1; feed.next <= editions; feed.next++ {
		if reports, err := store.Status(context.Background(), q); len(reports) == 0 {
			return err
		}
		fmt.Println(feed.next)
	}
	return nil
}
