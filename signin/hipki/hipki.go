// Package hipki lets citizens sign in, consent and sign documents with a card
// in a reader: it serves the page and the page script that talk to the card
// reader component on the citizen's computer (HiPKI local server, 跨平台網頁元件),
// and gives what comes back to package signin, which verifies it.
//
// For most services mounting a Handler is all:
//
//	card, err := hipki.New(hipki.Config{
//		Auth: auth,                    // *signin.Authenticator
//		Next: "/account/",             // where citizens go once signed in
//		Name: signin.Text{ZhTW: "網路申報", En: "E-filing"},
//	})
//	mux.Handle("/signin/", card)
//
// It serves a whole page in Chinese and English. A service with pages of its own
// has its templates write the [Form] that [Handler.SignInForm],
// [Handler.ConsentForm] or [Handler.DocumentForm] returns, gives what it sends to
// [Handler.FinishSignIn], [Handler.FinishConsent] or [Handler.FinishDocument], and
// mounts [Handler.Assets] alone. [Handler.Sections] has all the ways to sign in for a page
// with a layout of its own.
//
// # What happens in the browser
//
// On a click the script opens the component's window, which asks for the request
// and gets it, and with it the PIN from the field of the form. The component
// answers with a signature, which the form sends to the server. The script talks
// to no window but the one it opened and to no origin but the component's, answers
// it once, and leaves a window alone that has gone elsewhere. A failure is
// explained where the citizen is, by the return code: see [ReturnCodes].
//
// # The PIN
//
// The PIN field has no name, so that no form sends it, and the script hands it to
// the component alone. What the server gets is the challenge and the members func,
// ret_code, last_error, signature and certb64 of the answer: no card number, no
// reader. Who can change the script of a page can of course read what is typed
// into it, which is what the policy of [Secure] is there to prevent.
//
// # What the caller still owns
//
// TLS, the session of the pages around, and telling its users to install the
// component and to admit the site in it. Phones have no component: Config.Beside
// puts the mobile certificate of package fido on the same page.
package hipki

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/citizencert/citizencert/internal/webpage"
	"github.com/citizencert/citizencert/signin"
)

// DefaultComponent is the origin of the component on the citizen's computer.
const DefaultComponent = "http://localhost:61161"

// The defaults of the waiting times: how long the component's window may take to
// ask for the request, before it is taken to be missing, and to answer it.
const (
	DefaultOpenTimeout   = 10 * time.Second
	DefaultAnswerTimeout = 90 * time.Second
)

// MaxForm is the largest form that is read, in bytes: a signature with its
// certificates, and a document of that size inside.
const MaxForm = 256 << 10

// Config is what a service says about its pages.
type Config struct {
	// Auth issues challenges and redeems them. Required.
	Auth *signin.Authenticator

	// Path is where the Handler is mounted, without http.StripPrefix: a path that
	// begins and ends with a slash. If empty, signin.DefaultLoginPath.
	Path string

	// Next is the path to which a citizen goes after signing in or out. If empty,
	// "/".
	Next string

	// Name is the name of the service, the heading of the page.
	Name signin.Text

	// Type is the form of the signatures that sign-in and consent ask for. If
	// empty, signin.PKCS1.
	Type signin.SignatureType

	// CardNumber asks that the number of the card be among what is signed, where
	// package verify finds it. It takes PKCS7.
	CardNumber bool

	// Component is the origin of the component. If empty, DefaultComponent; others
	// are for tests. It is a loopback address over http.
	Component string

	// MinVersion is the oldest version of the component whose signatures are sent,
	// such as "1.3.4". If empty, any. It spares citizens trouble that is known, and
	// protects nobody: the version is what the browser says.
	MinVersion string

	// OpenTimeout and AnswerTimeout are how long the script waits for the window to
	// ask for the request, and for its answer. If zero, DefaultOpenTimeout and
	// DefaultAnswerTimeout.
	OpenTimeout   time.Duration
	AnswerTimeout time.Duration

	// Language chooses the language of a request. If nil, the parameter lang of
	// the query, and then Accept-Language.
	Language func(r *http.Request) signin.Language

	// Beside, if not nil, returns another way to sign in, which is shown beside the
	// card, and before it to who comes with a phone, where cards cannot be used. nonce
	// is for its script elements. Package fido has one.
	Beside func(w http.ResponseWriter, r *http.Request, lang signin.Language, nonce string) (Section, error)

	// Logger gets who has signed in and the cause of every refusal, without
	// personal data. If nil, slog.Default.
	Logger *slog.Logger
}

// A Handler serves the sign-in page, the page script and its style sheet:
//
//	GET  Path          the page
//	POST Path          the component's answer; sets the session and goes to Config.Next
//	POST Path/signout  ends the session
//	GET  Path/<asset>  script and style sheet, to be cached for good
//
// It is safe for concurrent use.
type Handler struct {
	cfg       Config
	component string // origin
	next      string
	assets    assets
	mux       *http.ServeMux
}

// New returns a Handler, or says what is wrong with cfg.
func New(cfg Config) (*Handler, error) {
	cfg.Path = cmp.Or(cfg.Path, signin.DefaultLoginPath)
	if err := cfg.check(); err != nil {
		return nil, err
	}
	component, err := parseComponent(cmp.Or(cfg.Component, DefaultComponent))
	if err != nil {
		return nil, err
	}
	cfg.Type = cmp.Or(cfg.Type, signin.PKCS1)
	cfg.OpenTimeout = cmp.Or(cfg.OpenTimeout, DefaultOpenTimeout)
	cfg.AnswerTimeout = cmp.Or(cfg.AnswerTimeout, DefaultAnswerTimeout)
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	if cfg.Language == nil {
		cfg.Language = languageOf
	}
	h := &Handler{
		cfg:       cfg,
		component: component,
		next:      cmp.Or(cfg.Next, "/"),
		assets:    newAssets(),
		mux:       http.NewServeMux(),
	}
	h.mux.HandleFunc("GET "+cfg.Path+"{$}", h.showPage)
	h.mux.HandleFunc("POST "+cfg.Path+"{$}", h.finishPage)
	h.mux.HandleFunc("POST "+cfg.Path+"signout", h.signOut)
	h.mux.HandleFunc("GET "+cfg.Path+"{asset}", h.serveAsset)
	return h, nil
}

func (cfg *Config) check() error {
	switch {
	case cfg.Auth == nil:
		return errors.New("hipki: Config.Auth is required")
	case !webpage.IsPath(cfg.Path) || !strings.HasSuffix(cfg.Path, "/") || strings.ContainsAny(cfg.Path, "{} "):
		return fmt.Errorf("hipki: Config.Path %q is not a path that begins and ends with a slash", cfg.Path)
	case cfg.Next != "" && !webpage.IsPath(cfg.Next):
		return fmt.Errorf("hipki: Config.Next %q is not a path on this site", cfg.Next)
	case cfg.Type != "" && cfg.Type != signin.PKCS1 && cfg.Type != signin.PKCS7:
		return fmt.Errorf("hipki: Config.Type %q is neither PKCS1 nor PKCS7", cfg.Type)
	case cfg.CardNumber && cfg.Type != signin.PKCS7:
		return errors.New("hipki: Config.CardNumber takes Type PKCS7: a bare signature has no room for it")
	case cfg.MinVersion != "" && !isVersion(cfg.MinVersion):
		return fmt.Errorf("hipki: Config.MinVersion %q is not numbers with dots between them", cfg.MinVersion)
	case cfg.OpenTimeout < 0 || cfg.AnswerTimeout < 0:
		return errors.New("hipki: a timeout in Config is negative")
	}
	return nil
}

func isVersion(text string) bool {
	for part := range strings.SplitSeq(text, ".") {
		if part == "" || len(part) > 9 || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

// parseComponent returns the origin of the component in the form in which
// browsers report it. The PIN is sent there, so it has to be this computer.
func parseComponent(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.User != nil || strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("hipki: Config.Component %q is not an origin over http", text)
	}
	address, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() != "localhost" && (err != nil || !address.IsLoopback()) {
		return "", fmt.Errorf("hipki: Config.Component %q is not on the citizen's computer", text)
	}
	return "http://" + strings.TrimSuffix(u.Host, ":80"), nil
}

func languageOf(r *http.Request) signin.Language {
	if lang, ok := signin.ParseLanguage(r.URL.Query().Get("lang")); ok {
		return lang
	}
	return signin.PreferredLanguage(r.Header.Get("Accept-Language"))
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }
