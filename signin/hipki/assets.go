package hipki

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"time"
)

//go:embed assets
var files embed.FS

// An asset is a file whose name changes with its content.
type asset struct {
	name string // card.0123456789abcdef.js
	body []byte
}

// assets are the page script and its style sheet.
type assets struct{ script, style asset }

func newAssets() assets {
	return assets{script: newAsset("card.js"), style: newAsset("card.css")}
}

func newAsset(name string) asset {
	body, err := files.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	ext := path.Ext(name)
	sum := sha256.Sum256(body)
	return asset{fmt.Sprintf("%s.%x%s", name[:len(name)-len(ext)], sum[:8], ext), body}
}

// serveAsset serves what head names. Since another content has another name, it
// may be kept for good.
func (h *Handler) serveAsset(w http.ResponseWriter, r *http.Request) {
	for _, a := range []asset{h.assets.script, h.assets.style} {
		if a.name == r.PathValue("asset") {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.body))
			return
		}
	}
	http.NotFound(w, r)
}

var headTemplate = template.Must(template.New("head").Parse(
	`<link rel="stylesheet" href="{{.Path}}{{.Style}}"><script src="{{.Path}}{{.Script}}" nonce="{{.Nonce}}" defer></script>`))

// head returns the elements that load script and style sheet.
func (h *Handler) head(nonce string) (template.HTML, error) {
	var b bytes.Buffer
	err := headTemplate.Execute(&b, struct{ Path, Style, Script, Nonce string }{
		h.cfg.Path, h.assets.style.name, h.assets.script.name, nonce,
	})
	return template.HTML(b.String()), err
}

// Assets serves the page script and its style sheet and nothing else, for a
// service that has pages of its own. Mount it at Config.Path.
func (h *Handler) Assets() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+h.cfg.Path+"{asset}", h.serveAsset)
	return mux
}
