package fido

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"github.com/citizencert/citizencert/internal/webpage"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/hipki"
)

//go:embed assets
var files embed.FS

var (
	pageScript = webpage.NewAsset(files, "assets/phone.js")
	pageStyle  = webpage.NewAsset(files, "assets/phone.css")
)

// A Form is the phone's part of a page: a field for the ID number, and a button for
// each way to the phone. Once one is pressed it shows the code or link and the time
// that is left, and waits; so does the same page when it is loaded again. Its fields
// can be changed before [Form.HTML] is called.
type Form struct {
	// Path is where what the form sends is served: Config.Path, or that of a
	// StatementHandler.
	Path string

	// Next is the path to which the citizen goes afterwards, unless a
	// StatementHandler says another.
	Next string

	// Modes are the ways to offer, the likeliest first.
	Modes []Mode

	// OnPhone says that the browser runs on a phone: then this form goes before that
	// for a card, which cannot be used there.
	OnPhone bool

	// IDNumber is what the field has at first, if the service knows.
	IDNumber string

	// ID distinguishes the forms of one page: letters, digits and '-'.
	ID string

	// Language is that of the page.
	Language signin.Language

	flow *Flow
}

// SignInForm returns the form for a page on which citizens sign in, with the ways of
// Config.Modes; to who comes with a phone, those on that phone come first.
func (f *Flow) SignInForm(r *http.Request, lang signin.Language) *Form {
	form := &Form{
		Path: f.cfg.Path, Next: f.cfg.Next, Modes: slices.Clone(f.cfg.Modes),
		OnPhone: webpage.OnPhone(r), ID: "phone", Language: lang, flow: f,
	}
	if form.OnPhone {
		slices.SortStableFunc(form.Modes, func(a, b Mode) int { return onPhone(b) - onPhone(a) })
	}
	return form
}

// onPhone is 1 for the ways that begin on the phone itself.
func onPhone(m Mode) int {
	if m == ModeWeb || m == ModeApp {
		return 1
	}
	return 0
}

// StatementForm returns the form for a page that asks for a signature over a text or
// a document. path is where a [Flow.StatementHandler] is mounted: a path that ends
// with a slash.
func (f *Flow) StatementForm(r *http.Request, lang signin.Language, path string) *Form {
	form := f.SignInForm(r, lang)
	form.Path = path
	// Who comes back from MOI's site, or from the app, comes to the page on which
	// citizens sign in.
	form.Modes = slices.DeleteFunc(form.Modes, func(m Mode) bool { return m == ModeRedirect })
	return form
}

// Section returns the form as a way to sign in, for the page of package hipki: it is
// what hipki.Config.Beside is for. Config.Path is required.
func (f *Flow) Section(_ http.ResponseWriter, r *http.Request, lang signin.Language, nonce string) (hipki.Section, error) {
	if f.cfg.Path == "" {
		return hipki.Section{}, errors.New("fido: Config.Path is required for a section")
	}
	form := f.SignInForm(r, lang)
	s := hipki.Section{Title: sectionTitle.In(lang)}
	if slices.Contains(form.Modes, ModeRedirect) {
		s.FormAction = f.cfg.Client.webOrigin()
	}
	var err error
	if s.Head, err = form.Head(nonce); err != nil {
		return hipki.Section{}, err
	}
	s.Body, err = form.HTML()
	return s, err
}

// webOrigin is the origin of MOI's site.
func (c *Client) webOrigin() string {
	u, err := url.Parse(c.web)
	if err != nil {
		panic(err) // it was checked
	}
	return u.Scheme + "://" + u.Host
}

// A way is a button of a form.
type way struct {
	Mode      string // the word by which the page asks for it
	Label     signin.Text
	Elsewhere bool // where the ID number is entered
}

// ways are the words and labels of the modes.
var ways = map[Mode]way{
	ModeQR:       {Mode: "qr", Label: signin.Text{ZhTW: "以手機掃描 QR Code", En: "Scan a QR code with your phone"}},
	ModeApp:      {Mode: "app", Label: signin.Text{ZhTW: "在這支手機上開啟 App", En: "Open the app on this phone"}},
	ModeWeb:      {Mode: "web", Label: signin.Text{ZhTW: "在這支手機上開啟 App", En: "Open the app on this phone"}},
	ModePush:     {Mode: "push", Label: signin.Text{ZhTW: "傳送通知到手機", En: "Send a notification to your phone"}},
	ModeRedirect: {Mode: "redirect", Label: signin.Text{ZhTW: "前往內政部網站驗證", En: "Go to the site of the Ministry of the Interior"}, Elsewhere: true},
}

// settings are what a form tells the page script, in JSON.
type settings struct {
	Path     string            `json:"path"`
	Next     string            `json:"next"`
	Language string            `json:"language"` // as a Problem names it
	Texts    map[string]string `json:"texts"`
}

var formTemplate = template.Must(template.ParseFS(files, "assets/form.html"))

// HTML returns the form as an element for a page in its language.
func (f *Form) HTML() (template.HTML, error) {
	s := settings{Path: f.Path, Next: f.Next, Language: "zh-TW", Texts: make(map[string]string)}
	if f.Language == signin.English {
		s.Language = "en"
	}
	for name, text := range scriptTexts {
		s.Texts[name] = text.In(f.Language)
	}
	offered := make([]way, len(f.Modes))
	for i, mode := range f.Modes {
		offered[i] = ways[mode]
	}
	var b bytes.Buffer
	err := formTemplate.Execute(&b, struct {
		*Form
		Text     func(signin.Text) string
		Texts    formTexts
		Ways     []way
		Settings settings
	}{f, func(t signin.Text) string { return t.In(f.Language) }, texts, offered, s})
	return template.HTML(b.String()), err
}

var headTemplate = template.Must(template.New("head").Parse(
	`<link rel="stylesheet" href="{{.Path}}{{.Style}}"><script src="{{.Path}}{{.Script}}" nonce="{{.Nonce}}" defer></script>`))

// Head returns what belongs into the head of the page, once for all its forms: script
// and style sheet, which the Handler at Config.Path serves. nonce is the one in the
// Content-Security-Policy of the response.
func (f *Form) Head(nonce string) (template.HTML, error) {
	var b bytes.Buffer
	err := headTemplate.Execute(&b, struct{ Path, Style, Script, Nonce string }{
		f.flow.cfg.Path, pageStyle.Name, pageScript.Name, nonce,
	})
	return template.HTML(b.String()), err
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	webpage.Serve(w, r, r.PathValue("asset"), pageScript, pageStyle)
}
