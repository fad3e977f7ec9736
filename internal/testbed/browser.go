package testbed

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Request returns what a page of the site sends with fetch: a body of url.Values is a
// form, any other one JSON, and none if nil.
func Request(t testing.TB, method, path string, body any) *http.Request {
	t.Helper()
	var r *http.Request
	switch body := body.(type) {
	case nil:
		r = httptest.NewRequest(method, path, nil)
	case url.Values:
		r = httptest.NewRequest(method, path, strings.NewReader(body.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r = httptest.NewRequest(method, path, bytes.NewReader(encoded))
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// Cookies are those that a browser keeps for one host, by name.
type Cookies map[string]string

// Do sends a request with the cookies, and keeps those that come back.
func (c Cookies) Do(site http.Handler, r *http.Request) *httptest.ResponseRecorder {
	c.AddTo(r)
	rec := httptest.NewRecorder()
	site.ServeHTTP(rec, r)
	for _, cookie := range rec.Result().Cookies() {
		if cookie.MaxAge < 0 {
			delete(c, cookie.Name)
		} else {
			c[cookie.Name] = cookie.Value
		}
	}
	return rec
}

// AddTo adds the cookies to a request.
func (c Cookies) AddTo(r *http.Request) {
	for name, value := range c {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
}
