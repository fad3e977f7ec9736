package citizencert_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/hipki"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

func verifyFiling(ctx context.Context, signature []byte, file io.Reader) (*verify.Result, error) {
	anchors, err := moica.LoadAnchors(os.DirFS("/etc/moica"))
	if err != nil {
		return nil, err
	}
	scheme := moica.Production(anchors)
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: scheme.Hosts, Nonce: ocspclient.NonceIfEchoed})
	if err != nil {
		return nil, err
	}
	lists, err := crl.New(crl.Config{AllowedHosts: scheme.Hosts})
	if err != nil {
		return nil, err
	}
	v, err := verify.New(verify.Config{Scheme: scheme, Status: []verify.StatusSource{responders, lists}})
	if err != nil {
		return nil, err
	}
	return v.Detached(ctx, signature, file, nil)
}

func protect(account http.Handler, v *verify.Verifier, key *ecdsa.PrivateKey, pairwiseKey []byte) (http.Handler, error) {
	auth, err := signin.New(signin.Config{
		Verifier:    v,
		Origins:     []string{"https://tax.example.gov.tw"},
		Service:     "tax",
		Key:         key,         // signs session tokens
		PairwiseKey: pairwiseKey, // makes subjects of this service its own
	})
	if err != nil {
		return nil, err
	}
	card, err := hipki.New(hipki.Config{Auth: auth})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/", card)           // the page, its script, and what it sends
	mux.Handle("/", auth.Handler(account)) // who is signed in: signin.SessionFrom(r.Context())
	return mux, nil
}

// The two programs of the README are the functions above, so that they compile.
var _, _ = verifyFiling, protect

// What protects a handler does: who has no session is sent to the page, and the page
// is there.
func TestReadmeProtects(t *testing.T) {
	scheme := testbed.Scheme(t, testbed.New(t, nil))
	scheme.Environment = verify.Custom // a test one serves no public origin
	v, err := verify.New(verify.Config{Scheme: scheme, Status: testbed.Sources(t, nil)})
	if err != nil {
		t.Fatal(err)
	}
	account := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("somebody without a session came through") })
	site, err := protect(account, v, testbed.Key(t), make([]byte, signin.MinPairwiseKey))
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "https://tax.example.gov.tw"+path, nil)
		r.Header.Set("Accept", "text/html")
		rec := httptest.NewRecorder()
		site.ServeHTTP(rec, r)
		return rec
	}
	rec := get("/refunds")
	if rec.Code != http.StatusSeeOther {
		t.Errorf("got %d, want to be sent to the page", rec.Code)
	}
	if page := get(rec.Header().Get("Location")); page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "PIN") {
		t.Errorf("got %d %s, want the page", page.Code, page.Body)
	}
}

func TestReadmeCompiles(t *testing.T) {
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "README.zh-TW.md"} {
		readme, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		programs := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(readme, -1)
		if len(programs) != 2 {
			t.Fatalf("%s: got %d programs, want 2", name, len(programs))
		}
		if lines := bytes.Count(programs[len(programs)-1][1], []byte("\n")); lines > 20 {
			t.Errorf("%s: protecting a handler takes %d lines, want at most 20", name, lines)
		}
		for i, program := range programs {
			if !bytes.Contains(source, program[1]) {
				t.Errorf("%s: program %d is not the one that this file compiles", name, i+1)
			}
		}
	}
}
