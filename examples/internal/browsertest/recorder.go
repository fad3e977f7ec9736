package browsertest

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// A Recorder keeps every request that a service gets, so that a test can look for
// what must not be in any.
type Recorder struct {
	Handler http.Handler

	mu   sync.Mutex
	kept []string
}

func (rec *Recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var all strings.Builder
	all.WriteString(r.Method + " " + r.URL.String() + "\n")
	r.Header.Write(&all)
	all.Write(body)
	rec.mu.Lock()
	rec.kept = append(rec.kept, all.String())
	rec.mu.Unlock()
	rec.Handler.ServeHTTP(w, r)
}

// WantNowhere fails the test if a secret is in a request, as it is or escaped.
func (rec *Recorder) WantNowhere(t *testing.T, secret string) {
	t.Helper()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.kept) == 0 {
		t.Error("no request was recorded")
	}
	for _, request := range rec.kept {
		unescaped, err := url.QueryUnescape(request)
		if err != nil {
			unescaped = request
		}
		if strings.Contains(request, secret) || strings.Contains(unescaped, secret) {
			t.Errorf("the secret is in a request:\n%s", request)
		}
	}
}
