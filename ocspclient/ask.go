package ocspclient

import (
	"bytes"
	"cmp"
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

// A learned is what a question has brought: an answer, an error, or an answer that
// was held along with the error about one that goes back behind it.
type learned struct {
	held  *held
	err   error
	asked bool // responders, not memories
}

// live asks whoever may know, or joins those who are asking.
func (c *Client) live(ctx context.Context, key cacheKey, q verify.StatusQuery) (*verify.StatusReport, error) {
	if !c.online() {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "ocspclient: the network is not used")
	}
	if len(c.responders(q)) == 0 {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "ocspclient: certificate names no responder")
	}
	var l learned
	// What a memory had was enough for the caller who looked, and may not be for this
	// one, who wants it newer.
	for range 2 {
		var err error
		l, err = c.questions.Do(ctx, key, func(ctx context.Context) (learned, error) { return c.learn(ctx, key, q), nil })
		switch {
		case errors.Is(err, fetch.ErrClosed):
			return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "ocspclient: %w", err)
		case err != nil:
			return nil, revocation.Refuse(verify.ReasonCanceled, "ocspclient: waiting for the responder: %w", err)
		}
		if l.asked || l.held != nil && revocation.Settled(q, l.held.reports()) {
			break
		}
	}
	if l.held == nil {
		return nil, l.err
	}
	report := l.held.report[0]
	if l.err == nil && l.asked { // not by somebody who came before, nor one in place of another that went back behind it
		report.Rung = verify.RungOCSP
	}
	return &report, l.err
}

// online reports whether there are responders that may be asked.
func (c *Client) online() bool { return !c.cfg.Offline && len(c.cfg.AllowedHosts) > 0 }

// learn looks where others may have been quicker, and then asks the responders.
func (c *Client) learn(ctx context.Context, key cacheKey, q verify.StatusQuery) learned {
	// Another question may have been answered after the caller looked and before it
	// came here.
	if h := c.held(key, q); h != nil && revocation.Settled(q, h.reports()) {
		return learned{held: h}
	}
	if l, ok := c.memory.failure(key); ok {
		return l
	}
	if h := c.fromShared(ctx, key, q); h != nil && revocation.Settled(q, h.reports()) {
		return learned{held: h}
	}
	l := c.askAll(ctx, key, q)
	if l.held == nil || l.held.report[0].Says == verify.Unknown {
		c.memory.failed(key, l)
	} else {
		c.memory.forgetFailure(key)
	}
	return l
}

// responders returns the addresses to ask: the certificate's, then the operator's.
func (c *Client) responders(q verify.StatusQuery) []string {
	own := q.Cert.OCSPServer[:min(len(q.Cert.OCSPServer), maxResponders)]
	return append(own[:len(own):len(own)], c.cfg.Fallbacks...)
}

// askAll asks one responder after the other and remembers the first answer.
func (c *Client) askAll(ctx context.Context, key cacheKey, q verify.StatusQuery) learned {
	var errs []error
	for _, address := range c.responders(q) {
		answer, err := c.ask(ctx, address, q)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		h, err := c.memory.put(key, answer)
		if err != nil {
			c.cfg.Observer.rollback(hostOf(address))
		} else {
			c.toShared(key, answer)
		}
		return learned{held: h, err: err, asked: true}
	}
	return learned{err: errors.Join(errs...), asked: true}
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// ask asks one responder, a second time if the first attempt failed in a way that
// may pass. One that took too long is not asked again: the next rung of the ladder
// is quicker.
func (c *Client) ask(ctx context.Context, address string, q verify.StatusQuery) (*Answer, error) {
	responder, err := c.guard.URL(address)
	if err != nil {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "ocspclient: %w", err)
	}
	answer, err := c.attempt(ctx, responder, q, false)
	if err != nil && retryable(err) && fetch.Sleep(ctx, retryDelay()) == nil {
		var again error
		if answer, again = c.attempt(ctx, responder, q, true); !errors.Is(again, ErrLeftAlone) {
			err = again
		}
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

// attempt asks once, unless the responder is left alone.
func (c *Client) attempt(ctx context.Context, responder *url.URL, q verify.StatusQuery, retry bool) (*Answer, error) {
	done, err := c.breakers.allow(responderName{responder.Host, responder.Path})
	if err != nil {
		return nil, err
	}
	start := time.Now()
	answer, err := c.exchange(ctx, responder, q)
	done(err)
	told := Attempt{Host: responder.Host, Retry: retry, Took: time.Since(start)}
	if e, ok := errors.AsType[*verify.Error](err); ok {
		told.Reason = e.Reason
	} else if answer != nil {
		told.Says = answer.Says
	}
	c.cfg.Observer.asked(told)
	return answer, err
}

// exchange sends a request and judges the answer: now, not at the instant the
// query is about, since it has just been made.
func (c *Client) exchange(ctx context.Context, responder *url.URL, q verify.StatusQuery) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.AttemptTimeout)
	defer cancel()
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
		// A body that breaks off when the time is over says so in its own way.
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", &transportError{cmp.Or(ctx.Err(), err)})
	}
	return c.judge(body, q, JudgeOptions{At: q.Now, Now: q.Now, Nonce: nonce, NoncePolicy: c.cfg.Nonce})
}

// judge judges an answer under the policy of the configuration.
func (c *Client) judge(der []byte, q verify.StatusQuery, opts JudgeOptions) (*Answer, error) {
	opts.Responders = &c.known
	return judge(der, q.Cert, q.Issuer, &opts, c.policy)
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
