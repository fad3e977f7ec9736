package citizencert_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"testing"

	"github.com/citizencert/citizencert/crl"
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

func protect(v *verify.Verifier, key *ecdsa.PrivateKey, pairwiseKey []byte) (http.Handler, error) {
	auth, err := signin.New(signin.Config{
		Verifier:    v,
		Origins:     []string{"https://tax.example.gov.tw"},
		Service:     "tax",
		Key:         key,
		PairwiseKey: pairwiseKey,
		LoginPath:   "/signin/",
	})
	if err != nil {
		return nil, err
	}
	account := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session := signin.SessionFrom(r.Context())
		fmt.Fprintf(w, "holder %s, signed in at %s", session.Subject, session.AuthTime)
	})
	card, err := hipki.New(hipki.Config{Auth: auth, Path: "/signin/", Next: "/account/"})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/", card) // the page, its script, and what it sends
	mux.Handle("/account/", auth.Handler(account))
	return mux, nil
}

// The two programs of the README are the functions above, so that they compile.
var _, _ = verifyFiling, protect

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
			t.Errorf("%s: got %d programs, want 2", name, len(programs))
		}
		for i, program := range programs {
			if !bytes.Contains(source, program[1]) {
				t.Errorf("%s: program %d is not the one that this file compiles", name, i+1)
			}
		}
	}
}
