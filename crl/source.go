package crl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// Validators tell whether a list has changed since it was fetched (RFC 9110,
// Section 8.8). Whoever forges them can keep a list from being replaced, no longer
// than until its nextUpdate.
type validators struct {
	ETag         string
	LastModified string
}

// errNotModified is returned by open in place of the list that is held.
var errNotModified = errors.New("not modified")

// open opens the list at a URL, unless the validators say that it is held.
func (s *Store) open(ctx context.Context, address string, held validators) (io.ReadCloser, validators, error) {
	if s.cfg.Folder != nil {
		return s.openFile(address, held)
	}
	u, err := s.guard.URL(address)
	if err != nil {
		return nil, held, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, held, err
	}
	if held.ETag != "" {
		req.Header.Set("If-None-Match", held.ETag)
	}
	if held.LastModified != "" {
		req.Header.Set("If-Modified-Since", held.LastModified)
	}
	resp, err := s.begin(req)
	if status, ok := errors.AsType[*fetch.StatusError](err); ok && status.Code == http.StatusNotModified && held != (validators{}) {
		return nil, held, errNotModified
	}
	if err != nil {
		return nil, held, err
	}
	return resp.Body, validators{resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")}, nil
}

// begin sends a request, and gives a server up that has not begun to answer in time.
// What it starts ends with the context of the request at the latest.
func (s *Store) begin(req *http.Request) (*http.Response, error) {
	silent := &silentError{min(s.cfg.AttemptTimeout, s.cfg.Timeout)}
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(silent.after, func() { cancel(silent) })
	resp, err := fetch.Open(s.http, req.WithContext(ctx))
	if !timer.Stop() {
		<-ctx.Done()
	}
	if !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return resp, err
	}
	if err == nil {
		resp.Body.Close()
	}
	return nil, silent
}

// openFile opens the file that stands for a URL in Config.Folder.
func (s *Store) openFile(address string, held validators) (io.ReadCloser, validators, error) {
	name, err := FolderName(address)
	if err != nil {
		return nil, held, err
	}
	file, err := s.cfg.Folder.Open(name)
	if err != nil {
		return nil, held, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", name)
	}
	if err != nil {
		file.Close()
		return nil, held, err
	}
	found := validators{LastModified: fmt.Sprintf("%s, %d bytes", info.ModTime().UTC().Format(time.RFC3339Nano), info.Size())}
	if found == held {
		file.Close()
		return nil, held, errNotModified
	}
	return file, found, nil
}

// FolderName returns where in [Config.Folder] the list at a URL is: at the host,
// with the port if there is one, and the path, as wget -x stores it. The scheme
// makes no difference. Whoever fills the folder may write in place: what is not
// whole does not verify, and is looked at again at the next refresh.
func FolderName(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	name := u.Host + u.Path
	if u.RawQuery != "" {
		name += "?" + u.RawQuery
	}
	if u.Host == "" || !fs.ValidPath(name) {
		return "", fmt.Errorf("URL %q stands for no file", address)
	}
	return name, nil
}

// unavailable makes an error of open one about the list.
func unavailable(err error) error {
	if _, ok := errors.AsType[*verify.Error](err); ok {
		return err
	}
	return revocation.Refuse(verify.ReasonStatusUnavailable, "%w", err)
}
