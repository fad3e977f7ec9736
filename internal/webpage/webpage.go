// Package webpage is what the pages of packages hipki and fido share: files that may
// be cached for good, and a look at who asks.
package webpage

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode"
)

// An Asset is a file whose name changes with its content.
type Asset struct {
	Name string // card.0123456789abcdef.js
	body []byte
}

// NewAsset returns the asset of an embedded file.
func NewAsset(files fs.FS, name string) Asset {
	body, err := fs.ReadFile(files, name)
	if err != nil {
		panic(err) // it is embedded
	}
	base, ext := path.Base(name), path.Ext(name)
	sum := sha256.Sum256(body)
	return Asset{fmt.Sprintf("%s.%x%s", strings.TrimSuffix(base, ext), sum[:8], ext), body}
}

// Serve serves the asset of a name. Since another content has another name, it may be
// kept for good.
func Serve(w http.ResponseWriter, r *http.Request, name string, assets ...Asset) {
	for _, a := range assets {
		if a.Name == name {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			http.ServeContent(w, r, a.Name, time.Time{}, bytes.NewReader(a.body))
			return
		}
	}
	http.NotFound(w, r)
}

// IsPath reports whether a browser stays on this site with path. It takes a backslash
// for a slash, and leaves tabs and line breaks out: "/", tab, "/elsewhere.example" is
// another site (WHATWG URL, Section 4.4).
func IsPath(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") &&
		!strings.ContainsFunc(path, func(r rune) bool { return r == '\\' || unicode.IsControl(r) })
}

// OnPhone reports whether a browser says that it runs on a phone. It decides what is
// shown first, and nothing else: a tablet that passes for a computer has all the same
// choices.
func OnPhone(r *http.Request) bool {
	if hint := r.Header.Get("Sec-CH-UA-Mobile"); hint != "" {
		return hint == "?1"
	}
	return strings.Contains(r.UserAgent(), "Mobi")
}
