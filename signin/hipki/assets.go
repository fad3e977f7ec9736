package hipki

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"github.com/citizencert/citizencert/internal/webpage"
)

//go:embed assets
var files embed.FS

// assets are the page script and its style sheet.
type assets struct{ script, style webpage.Asset }

func newAssets() assets {
	return assets{script: webpage.NewAsset(files, "assets/card.js"), style: webpage.NewAsset(files, "assets/card.css")}
}

// serveAsset serves what head names.
func (h *Handler) serveAsset(w http.ResponseWriter, r *http.Request) {
	webpage.Serve(w, r, r.PathValue("asset"), h.assets.script, h.assets.style)
}

var headTemplate = template.Must(template.New("head").Parse(
	`<link rel="stylesheet" href="{{.Path}}{{.Style}}"><script src="{{.Path}}{{.Script}}" nonce="{{.Nonce}}" defer></script>`))

// head returns the elements that load script and style sheet.
func (h *Handler) head(nonce string) (template.HTML, error) {
	var b bytes.Buffer
	err := headTemplate.Execute(&b, struct{ Path, Style, Script, Nonce string }{
		h.cfg.Path, h.assets.style.Name, h.assets.script.Name, nonce,
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
