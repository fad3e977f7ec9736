// Package fido signs citizens in with the mobile form of their certificate,
// 行動自然人憑證 (TW FidO), and has them sign statements with it.
//
// The phone is reached by way of the Ministry of the Interior (MOI), which admits
// service providers and gives them an ID and a key. A service that uses package
// signin mounts one handler more:
//
//	key, err := fido.ParseKey(os.Getenv("FIDO_KEY"))
//	client, err := fido.NewProduction(fido.ClientConfig{ServiceID: id, Key: key})
//	phone, err := fido.New(fido.Config{
//		Auth:      auth, // of package signin
//		Client:    client,
//		Hint:      "登入綜合所得稅申報",
//		Path:      "/signin/fido/",
//		Next:      "/account/", // where citizens go once signed in
//		ReturnURL: "https://tax.example.gov.tw/signin/",
//	})
//	mux.Handle("/signin/fido/", http.StripPrefix("/signin/fido", phone.Handler()))
//
// and has package hipki show the phone beside the card, on one page,
//
//	page, err := hipki.New(hipki.Config{Auth: auth, Path: "/signin/", Next: "/account/", Beside: phone.Section})
//	mux.Handle("/signin/", page)
//
// or puts the [Form] of [Flow.SignInForm] into a page of its own.
// [Flow.StatementForm] and [Flow.StatementHandler] do the same for consent and for
// documents.
//
// What a citizen has signed in is a session of package signin with AssuranceMobile.
//
// # The ways to the phone
//
// The citizen enters an ID number, and then scans a QR code (ModeQR), follows a
// link on the phone itself (ModeWeb from a page, ModeApp from an app), or confirms a
// message that MOI sends (ModePush). With ModeRedirect the browser goes to MOI's
// site, where the number is entered, and MOI posts the result to /callback. That one
// path must be exempt from a cross-origin check around the service,
//
//	crossOrigin.AddInsecureBypassPattern("POST /signin/fido/callback")
//
// and form-action of the page's policy must name MOI's site, which the page of
// package hipki sees to.
//
// # What is verified
//
// MOI's checksum authenticates which person has answered, and which signature came
// back. It does not cover the certificate, nor anything of a batch. So the phone
// signs the line of package signin, made for this one challenge, and package verify
// judges the signature, the certification path, the profile, the mobile carrier and
// the status as it does for a card. Every answer is held against what was asked for,
// never against what it says of itself.
//
// # What is not
//
// Nothing in a certificate is the ID number. That the holder of the certificate is
// the person with the number is MOI's word, under its checksum; Config.OnAnswer is
// where a service keeps it.
//
// A look-alike page can show our QR code, having fetched it from us, to the very
// citizen whose number it was given, and gets a session if the citizen approves. So
// it does with ModeRedirect, by having the citizen's browser post our form to MOI's
// site: the callback names the transaction, and not the browser that it comes from.
// The hint in the app, two minutes of life and the cookie that binds an attempt to
// one browser reduce this; they do not remove it. Neither does a push that nobody
// asked for go away by itself: the app lets its owner refuse, and there is a limit
// for each person.
//
// Until the owner of a phone has answered, what is said of a push does not tell
// whether there is a phone. How long it took to say it may, to who measures. With a
// code or a link the page says so at once, or a citizen would not know what is missing:
// a service that must not tell has ModePush and ModeRedirect alone in Config.Modes.
//
// # Personal data
//
// The ID number goes to MOI and is not kept. Its digest, which is as good as the
// number, and its last four characters are in the challenge store while an attempt
// lasts, and in no log and no error. The store must not be open to others.
//
// The caller still owns: TLS, an address that MOI admits, the limit on other
// requests, and the accounts, as with package signin.
package fido

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/citizencert/citizencert/internal/webpage"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// DefaultTimeLimit is how long a citizen has if Config does not say: time to find
// the phone, open the app and scan a code.
const DefaultTimeLimit = 2 * time.Minute

// Config is how a service uses the phone.
type Config struct {
	// Auth begins the sessions, and Client speaks to MOI. Both are required, and of
	// one environment; an Auth with custom anchors goes with either.
	Auth   *signin.Authenticator
	Client *Client

	// Hint is what the app shows beside the name of the service, such as
	// "登入綜合所得稅申報". It is all that a citizen sees there of what is signed;
	// statements have a Hint of their own. Required.
	Hint string

	// Form is the form of signatures. If empty, PKCS1.
	Form SignatureForm

	// TimeLimit is how long the citizen has, in whole seconds from MinTimeLimit to
	// signin.ChallengeLife: a ticket never outlives its challenge. If zero,
	// DefaultTimeLimit.
	TimeLimit time.Duration

	// ReturnURL is the page to which the app and MOI's site send the citizen back,
	// on one of the origins of Auth. Required for ModeApp, ModeWeb and
	// ModeRedirect; without it they are refused.
	ReturnURL string

	// Path is where the service mounts the Handler, with http.StripPrefix: a path that
	// begins and ends with a slash, such as "/signin/fido/". Forms need it.
	Path string

	// Next is the path to which a citizen goes after signing in. If empty, "/".
	Next string

	// Modes are the ways that forms offer, the likeliest at a computer first, and with
	// ModeWeb ModeApp: handlers begin no attempt in another. If nil, ModeQR, ModeWeb if
	// there is a ReturnURL, and ModePush.
	Modes []Mode

	// InsecureWithoutSignature asks the phone to approve and not to sign. All that
	// is known then is what MOI says; sessions have signin.AssuranceMobileAuth.
	InsecureWithoutSignature bool

	// OnAnswer, if not nil, is called with each authentic answer before its
	// signature is verified: here a service that keeps evidence keeps which ID
	// number MOI has confirmed, which no certificate names. An error refuses; it is
	// logged and must not hold personal data.
	OnAnswer func(ctx context.Context, a *Answer) error

	// Logger gets what goes on, without personal data. If nil, slog.Default.
	Logger *slog.Logger

	// Now is the clock. If nil, time.Now.
	Now func() time.Time
}

// A Flow takes citizens from a page to a session, by way of their phone. Between two
// requests everything it knows is in the challenge store of Config.Auth: any server
// of the service can go on with it, also after a restart. It is safe for concurrent
// use and has no goroutines of its own.
type Flow struct {
	cfg     Config
	store   signin.ChallengeStore
	service string
}

// New returns a Flow, or says what is wrong with cfg.
func New(cfg Config) (*Flow, error) {
	if cfg.Auth == nil || cfg.Client == nil {
		return nil, errors.New("fido: Config.Auth and Config.Client are required")
	}
	if a, c := cfg.Auth.Environment(), cfg.Client.Environment(); a != c && a != verify.Custom {
		return nil, fmt.Errorf("fido: Config.Auth is for environment %v and Config.Client for %v", a, c)
	}
	if err := checkText("Config.Hint", cfg.Hint); err != nil {
		return nil, err
	}
	cfg.Form = cmp.Or(cfg.Form, PKCS1)
	if !cfg.Form.valid() {
		return nil, fmt.Errorf("fido: Config.Form %q is not known", cfg.Form)
	}
	cfg.TimeLimit = cmp.Or(cfg.TimeLimit, DefaultTimeLimit)
	if cfg.TimeLimit < MinTimeLimit || cfg.TimeLimit > signin.ChallengeLife || cfg.TimeLimit%time.Second != 0 {
		return nil, fmt.Errorf("fido: Config.TimeLimit is %v, want whole seconds from %v to %v", cfg.TimeLimit, MinTimeLimit, signin.ChallengeLife)
	}
	if cfg.ReturnURL != "" {
		if u, err := url.Parse(cfg.ReturnURL); err != nil || !cfg.Auth.HasOrigin(u.Scheme+"://"+u.Host) {
			return nil, fmt.Errorf("fido: Config.ReturnURL %q is not an address on one of the origins of Config.Auth", cfg.ReturnURL)
		}
	}
	if err := cfg.checkPages(); err != nil {
		return nil, err
	}
	cfg.Next = cmp.Or(cfg.Next, "/")
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	f := &Flow{cfg: cfg}
	f.store, f.service = cfg.Auth.SharedStore()
	return f, nil
}

// checkPages checks and completes what forms need.
func (cfg *Config) checkPages() error {
	switch {
	case cfg.Path != "" && (!webpage.IsPath(cfg.Path) || !strings.HasSuffix(cfg.Path, "/")):
		return fmt.Errorf("fido: Config.Path %q is not a path that begins and ends with a slash", cfg.Path)
	case cfg.Next != "" && !webpage.IsPath(cfg.Next):
		return fmt.Errorf("fido: Config.Next %q is not a path on this site", cfg.Next)
	case cfg.Modes == nil && cfg.ReturnURL == "":
		cfg.Modes = []Mode{ModeQR, ModePush}
	case cfg.Modes == nil:
		cfg.Modes = []Mode{ModeQR, ModeWeb, ModePush}
	}
	cfg.Modes = slices.Clone(cfg.Modes)
	for _, mode := range cfg.Modes {
		if _, ok := ways[mode]; !ok {
			return fmt.Errorf("fido: Config.Modes has %q, which is not known", mode)
		}
		if mode.returns() && cfg.ReturnURL == "" {
			return fmt.Errorf("fido: Config.Modes has %s, which needs Config.ReturnURL", mode)
		}
	}
	return nil
}
