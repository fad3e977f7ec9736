// Package site is what the example services share of a web site: pages in two
// languages, the headers that protect them, a style sheet, and a server that ends
// in good order. Packages hipki and fido add what talks to card and phone.
//
// A service brings a file system with pages/*.html and texts/zh-TW.json and
// texts/en.json; its pages fill the layout of this package.
package site

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"time"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/signin/hipki"
)

//go:embed assets pages texts
var files embed.FS

// A Site renders the pages of one service.
type Site struct {
	// PhoneScreen is where the simulated phone is, which a real service has not. The
	// pages that ask for a phone name it.
	PhoneScreen string

	pages  map[signin.Language]map[string]*template.Template
	logger *slog.Logger
}

// A Page is what every template is given.
type Page struct {
	Nonce    string // for script elements, of this response alone
	Path     string // where the language can be switched
	SignedIn bool
	Card     *hipki.Form     // or nil; the page shows {{template "card and phone" .}}
	Phone    *fido.Form      // likewise
	Ways     []hipki.Section // to sign in
	Data     any

	PhoneScreen string // if the page asks for a phone
}

// New reads the texts and pages of a service.
func New(service fs.FS, logger *slog.Logger) (*Site, error) {
	s := &Site{pages: make(map[signin.Language]map[string]*template.Template), logger: logger}
	for _, lang := range languages {
		texts, err := readTexts(lang, files, service)
		if err != nil {
			return nil, err
		}
		if s.pages[lang], err = parsePages(texts.functions(lang), files, service); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// parsePages returns the templates by the name of their file. Each is a layout
// of its own, since all of them define the same blocks.
func parsePages(functions template.FuncMap, from ...fs.FS) (map[string]*template.Template, error) {
	pages := make(map[string]*template.Template)
	for _, fsys := range from {
		names, err := fs.Glob(fsys, "pages/*.html")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			t, err := template.New("layout.html").Funcs(functions).ParseFS(files, "pages/layout.html")
			if err != nil {
				return nil, err
			}
			if pages[path.Base(name)], err = t.ParseFS(fsys, name); err != nil {
				return nil, fmt.Errorf("site: page %s: %w", name, err)
			}
		}
	}
	return pages, nil
}

// Render answers with a page, behind [Protect]. It writes nothing before the page is complete, so
// that a template that fails does not look like half a success.
func (s *Site) Render(w http.ResponseWriter, r *http.Request, status int, name string, p Page) {
	about := visitFrom(r.Context())
	p.Nonce = about.nonce
	p.Path = "/"
	if r.Method == http.MethodGet {
		p.Path = r.URL.Path
	}
	if p.Phone != nil || p.Ways != nil {
		p.PhoneScreen = s.PhoneScreen
	}
	var body bytes.Buffer
	t, ok := s.pages[about.language][name]
	err := fmt.Errorf("site: there is no page %s", name)
	if ok {
		err = t.Execute(&body, p)
	}
	if err != nil {
		s.logger.ErrorContext(r.Context(), "page failed", "page", name, "err", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	body.WriteTo(w) // an error here means that the browser has gone
}

// Refuse answers with a page that says one sentence, which the texts hold under
// key, and a way on.
func (s *Site) Refuse(w http.ResponseWriter, r *http.Request, status int, key, next string, signedIn bool) {
	s.Render(w, r, status, "refused.html", Page{
		SignedIn: signedIn,
		Data:     struct{ Key, Next string }{key, next},
	})
}

// Assets serves the style sheet.
func Assets() http.Handler {
	sub, err := fs.Sub(files, "assets")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return http.FileServerFS(sub)
}

// taiwan is the time zone of everything that is displayed. It has had no summer
// time since 1979, and a fixed zone needs no database on the machine.
var taiwan = time.FixedZone("UTC+8", 8*60*60)
