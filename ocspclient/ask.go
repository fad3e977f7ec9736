package ocspclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// live asks the responders, or joins those who are asking.
func (c *Client) live(ctx context.Context, q verify.StatusQuery) (*verify.StatusReport, error) {
	if c.cfg.Offline || len(c.cfg.AllowedHosts) == 0 {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "ocspclient: the network is not used")
	}
	if len(q.Cert.OCSPServer) == 0 {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "ocspclient: certificate names no responder")
	}
	key := keyOf(q.Cert, q.Issuer)
	answer, err := c.questions.Do(ctx, key, func(ctx context.Context) (*Answer, error) {
		// Another question may have been answered after the caller looked and before
		// it came here.
		if held := c.held(key, q); held != nil && revocation.Settled(q, []verify.StatusReport{held.StatusReport}) {
			return held, nil
		}
		return c.askAll(ctx, key, q)
	})
	if ctx.Err() != nil && answer == nil {
		return nil, revocation.Refuse(verify.ReasonCanceled, "ocspclient: waiting for the responder: %w", context.Cause(ctx))
	}
	if errors.Is(err, fetch.ErrClosed) {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "ocspclient: %w", err)
	}
	if answer == nil {
		return nil, err
	}
	report := answer.StatusReport
	if err != nil {
		report.Rung = verify.RungHeld // in place of one that went back behind it
	}
	return &report, err
}

// askAll asks one responder after the other and remembers the first answer.
func (c *Client) askAll(ctx context.Context, key cacheKey, q verify.StatusQuery) (*Answer, error) {
	var errs []error
	for _, address := range q.Cert.OCSPServer[:min(len(q.Cert.OCSPServer), maxResponders)] {
		answer, err := c.ask(ctx, address, q)
		if err == nil {
			return c.cache.put(key, answer)
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// ask asks one responder, a second time if the first attempt failed in a way
// that may pass.
func (c *Client) ask(ctx context.Context, address string, q verify.StatusQuery) (*Answer, error) {
	responder, err := c.guard.URL(address)
	if err != nil {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "ocspclient: %w", err)
	}
	answer, err := c.attempt(ctx, responder, q)
	if err != nil && retryable(err) && fetch.Sleep(ctx, retryDelay()) == nil {
		answer, err = c.attempt(ctx, responder, q)
	}
	if err != nil {
		return nil, fmt.Errorf("ocspclient: asking %s: %w", responder.Host, err)
	}
	answer.Source = address
	return answer, nil
}

func retryable(err error) bool {
	if e, ok := errors.AsType[*transportError](err); ok {
		return fetch.Transient(e.err)
	}
	e, ok := errors.AsType[*ResponseError](err)
	return ok && e.Status == TryLater
}

// retryDelay spreads the retries of many clients of one responder.
func retryDelay() time.Duration { return 50*time.Millisecond + rand.N(100*time.Millisecond) }

// A transportError marks what went wrong before there was a response.
type transportError struct{ err error }

func (e *transportError) Error() string { return e.err.Error() }
func (e *transportError) Unwrap() error { return e.err }

// attempt asks once. The answer is judged now, not at the instant the query is
// about: it has just been made.
func (c *Client) attempt(ctx context.Context, responder *url.URL, q verify.StatusQuery) (*Answer, error) {
	nonce := c.cfg.Nonce.newNonce()
	question, err := marshalRequest(q.Cert, q.Issuer, c.cfg.CertIDHash, nonce)
	if err != nil {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", err)
	}
	req, err := newRequest(ctx, responder, question, nonce == nil)
	if err != nil {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", err)
	}
	body, err := fetch.Body(c.http, req, MaxResponseBytes)
	if err != nil {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", &transportError{err})
	}
	return Judge(body, q.Cert, q.Issuer, JudgeOptions{
		At: q.Now, Now: q.Now, Nonce: nonce, NoncePolicy: c.cfg.Nonce, InsecureAllowSHA1: c.cfg.InsecureAllowSHA1,
	})
}

// newRequest returns a GET, which caches on the way may answer, if the question
// is the same for everybody and short; else a POST.
func newRequest(ctx context.Context, responder *url.URL, question []byte, cacheable bool) (*http.Request, error) {
	if get, short := getURL(responder, question); cacheable && short {
		return http.NewRequestWithContext(ctx, http.MethodGet, get, nil)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, responder.String(), bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/ocsp-request")
	return req, nil
}
