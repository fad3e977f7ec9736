// Package fetch gets what certificates point at. A URL in a certificate is
// input from a stranger until the certificate has been verified, and from a CA
// afterwards, so a [Guard] decides where a request may go, by name and by the
// address the name turns out to have; redirects are not followed, and bodies
// are read up to a limit and no further.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// A StatusError is an HTTP status other than 200.
type StatusError struct{ Code int }

func (e *StatusError) Error() string {
	if e.Code >= 300 && e.Code < 400 && e.Code != http.StatusNotModified {
		return fmt.Sprintf("HTTP status %d, and redirects are not followed", e.Code)
	}
	return fmt.Sprintf("HTTP status %d", e.Code)
}

// A SizeError is a response beyond the limit.
type SizeError struct{ Limit int64 }

func (e *SizeError) Error() string { return fmt.Sprintf("response is larger than %d bytes", e.Limit) }

// Open sends a request and returns the response, which must have status 200. The
// caller closes its body, and bounds what is read of it.
func Open(client *http.Client, req *http.Request) (*http.Response, error) {
	// Named, so that the transport does not ask for compression of its own
	// accord: a small gzip body can be a large one.
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := client.Do(req)
	if err != nil {
		// What it wraps repeats the URL, which may hold the question.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, &StatusError{resp.StatusCode}
	}
	return resp, nil
}

// Body sends a request and returns the body of the response, which must have
// status 200 and at most limit bytes.
func Body(client *http.Client, req *http.Request, limit int64) ([]byte, error) {
	resp, err := Open(client, req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, &SizeError{limit}
	}
	return body, nil
}

// Transient reports whether the same request may fare better at once: the
// connection failed, or the server had a problem of its own.
func Transient(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Code >= 500
	}
	if _, ok := errors.AsType[*AddressError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*SizeError](err); ok {
		return false
	}
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// Sleep waits for d or until ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
