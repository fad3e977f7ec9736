package crl_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// Lists come from a folder that somebody else fills, without a care for who reads.
func TestFolder(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	place := func(url string, data []byte, at time.Time) {
		t.Helper()
		name, err := crl.FolderName(url)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	partition := w.ca.URLs.Partition
	store := w.store(crl.Config{Folder: os.DirFS(folder), Offline: true})
	w.wantAsked("empty", store, verify.Unknown, verify.ReasonStatusUnavailable)

	first := w.list(pkitest.CRLOptions{})
	place(partition, first[:len(first)/2], noon)
	w.wantAsked("half a list", store, verify.Unknown, verify.ReasonMalformed)
	place(partition, first, noon)
	w.wantAsked("the whole list", store, verify.Good, "")

	w.ca.Revoke(w.cert, noon.Add(time.Minute), pkitest.ReasonKeyCompromise)
	w.clock.Advance(time.Hour)
	second := w.list(pkitest.CRLOptions{})
	q := w.query()
	q.Fresh.CRL = time.Minute // look again
	place(partition, second[:len(second)-1], w.clock.Now())
	if _, err := w.ask(store, q); err == nil {
		t.Error("half the next list: got no error")
	}
	w.wantAsked("half the next list, the first one held", store, verify.Good, "")
	place(partition, second, w.clock.Now().Add(time.Second))
	if got, err := w.ask(store, q); got != verify.Revoked {
		t.Errorf("the next list: got %v (%v), want revoked", got, err)
	}
	if w.fetches() != 0 {
		t.Errorf("fetched %d lists over the network", w.fetches())
	}
}

func TestFolderName(t *testing.T) {
	for url, want := range map[string]string{
		"http://ocsp-moica.moi.gov.tw/crl/MOICA-10-31.crl": "ocsp-moica.moi.gov.tw/crl/MOICA-10-31.crl",
		"https://localhost:8080/x.crl":                     "localhost:8080/x.crl",
		"http://a/b.crl?c=d":                               "a/b.crl?c=d",
		"http://a/../b":                                    "",
		"http://a/%2e%2e/b":                                "",
		"http://a//b":                                      "",
		"http://a/b?/../../c":                              "",
		"http://a/../b?c":                                  "",
		"http://./b?c":                                     "",
		"http://a//b?c":                                    "",
		"ldap:///cn=a":                                     "",
		"/etc/passwd":                                      "",
		"http://../b":                                      "",
		"":                                                 "",
		"\x00":                                             "",
	} {
		if got, err := crl.FolderName(url); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", url, got, err, want)
		}
	}
}
