// Package signin signs citizens in to a web service with the card that holds
// their certificate, and keeps them signed in.
//
// A page asks for a challenge, the card signs it, the server redeems the answer
// once and sets a session cookie. A service mounts one handler and wraps its
// own:
//
//	auth, err := signin.New(signin.Config{
//		Verifier:    verifier,
//		Origins:     []string{"https://tax.example.gov.tw"},
//		Service:     "efiling",
//		Key:         key,         // signs session tokens
//		PairwiseKey: pairwiseKey, // makes subjects of this service its own
//	})
//	mux.Handle("/signin/", http.StripPrefix("/signin", auth.LoginHandler()))
//	mux.Handle("/account/", auth.Handler(account)) // reads signin.SessionFrom
//
// # What is signed
//
// The card signs one line of printable ASCII, [Line], at most [MaxLine] bytes:
//
//		citizencert:1/<purpose>/<host[:port]>/<service>/<expiry>/<challenge>[/<digest>]
//
//	  - purpose: signin, consent or file; dev-signin and so on if the host is a
//	    loopback name, so that what is signed at a developer's desk is worth
//	    nothing elsewhere
//	  - host: lower-case ASCII, a name or an IPv4 address, without a trailing dot;
//	    the port is left out if it is 443, since https is implied
//	  - service: [Config.Service], lower-case letters, digits, '.', '_' and '-'
//	  - expiry: Unix seconds in decimal, without leading zeros
//	  - challenge: 32 random bytes in base64url without padding, 43 characters
//	  - digest: for consent the SHA-256 of the displayed text, for file that of the
//	    document, 64 lower-case hexadecimal digits; absent for signin
//
// There is one way to write a line. With a challenge of the bytes 00 to 1f and
// a digest of the bytes 20 to 3f:
//
//	citizencert:1/signin/tax.example.gov.tw/efiling/1767225600/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8
//	citizencert:1/dev-signin/localhost:8080/efiling/1767225600/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8
//	citizencert:1/consent/tax.example.gov.tw:8443/efiling/1767225600/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8/202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
//
// # Consent, and other handlers that ask for more
//
// [Authenticator.Require] lets a request through whose citizen has signed in
// lately, or with a card. [Authenticator.BeginConsent] has the card sign a text
// that the citizen was shown: what [Authenticator.FinishConsent] returns proves
// to others what was agreed to.
//
// # What this does not prove
//
// The component signs any text for any page that its user has admitted. Text
// that names another site is refused here, but a look-alike page that shows our
// text verbatim, having fetched it from us, cannot be told apart from our own
// page by the signature alone. Five minutes of life, the cookie that binds a
// challenge to one browser, and the component's list of trusted sites reduce
// this; they do not remove it.
//
// A session token that is stolen works, and can be renewed, until its session
// ends: at [Config.SessionLife] at the latest, or with [Authenticator.End],
// which logging out calls.
//
// # How long a session lasts
//
// A token lives 15 minutes. [Authenticator.Handler] renews it while the citizen
// is active, and with each renewal has the certificate judged anew: one that was
// revoked or suspended ends its sessions, at most TokenLife after the sources of
// status know. What those may still go by is for package verify to say, and at
// sign-in and renewal is 10 minutes for an OCSP answer. A service that follows
// revocation lists need not wait: see [Authenticator.Watch].
//
// To be asked for again, the certificate is kept in the [SessionStore] as long as
// a session of it can be renewed, and nowhere else: a token holds only its name.
//
// The caller still owns: TLS, a proxy that passes the Host header on, limiting
// the rate of requests other than for challenges, the page, and the accounts. A
// certificate names a certificate holder, not an account; see [AccountLinker].
package signin

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// Limits. Five minutes is what people need to find card and PIN. The life of a
// token bounds how long a certificate that is revoked goes unnoticed, the other
// two how long a browser that was left behind stays signed in.
const (
	ChallengeLife  = 5 * time.Minute
	MaxTokenLife   = 15 * time.Minute
	MaxIdleLife    = 30 * time.Minute
	MaxSessionLife = 8 * time.Hour
)

// An Authenticator issues challenges, redeems them for sessions, and checks
// sessions. It is safe for concurrent use.
type Authenticator struct {
	verifier    *verify.Verifier
	environment verify.Environment
	origins     map[string]origin // by host[:port]
	service     string
	pairwise    pairwise
	tokens      tokens
	keySet      []byte // JSON
	verified    tokenCache
	challenges  ChallengeStore
	sessions    SessionStore
	accounts    AccountLinker
	onSignIn    func(context.Context, *verify.Result, *Session) error
	onVerdict   func(context.Context, *Verdict) error
	loginPath   string
	tokenLife   time.Duration
	idleLife    time.Duration
	sessionLife time.Duration
	renewals    expiring[time.Time] // by session: when to try again
	limiter     *limiter            // nil: no limit
	persons     *limiter            // likewise
	clientKey   func(*http.Request) string
	crossOrigin http.CrossOriginProtection
	logger      *slog.Logger
	now         func() time.Time
	random      func([]byte)
}

// New returns an Authenticator, or says what is wrong with cfg.
func New(cfg Config) (*Authenticator, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	origins, err := parseOrigins(cfg.Origins, cfg.Verifier.Environment())
	if err != nil {
		return nil, err
	}
	keys, err := newKeyring(cfg.Key, cfg.OtherKeys)
	if err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	var limit, persons *limiter
	if !cfg.InsecureUnlimitedChallenges {
		limit = &limiter{perMinute: cfg.ChallengesPerMinute}
		persons = &limiter{perMinute: PersonRequestsPerMinute}
	}
	return &Authenticator{
		verifier:    cfg.Verifier,
		environment: cfg.Verifier.Environment(),
		origins:     origins,
		service:     cfg.Service,
		pairwise:    append(pairwise(nil), cfg.PairwiseKey...),
		tokens:      keys,
		keySet:      keys.published(),
		challenges:  cfg.Challenges,
		sessions:    cfg.Sessions,
		accounts:    cfg.Accounts,
		onSignIn:    cfg.OnSignIn,
		onVerdict:   cfg.OnVerdict,
		loginPath:   cfg.LoginPath,
		tokenLife:   cfg.TokenLife,
		idleLife:    cfg.IdleLife,
		sessionLife: cfg.SessionLife,
		limiter:     limit,
		persons:     persons,
		clientKey:   cfg.ClientKey,
		logger:      cfg.Logger,
		now:         cfg.Now,
		random:      func(p []byte) { rand.Read(p) }, // never fails
	}, nil
}

// Begin issues a challenge to the browser that sent r: it remembers what has to
// be signed and sets the attempt cookie that only this browser has. Begin may
// be called again before an earlier challenge is redeemed; each tab has its own.
//
// Errors are of type [*Error].
func (a *Authenticator) Begin(w http.ResponseWriter, r *http.Request, kind SignatureType) (*Challenge, error) {
	o, err := a.admit(r)
	if err != nil {
		return nil, err
	}
	return a.begin(w, r, o, pending{Purpose: SignIn, Type: kind})
}

// begin issues a challenge for what issued says, and completes it.
func (a *Authenticator) begin(w http.ResponseWriter, r *http.Request, o origin, issued pending) (*Challenge, error) {
	if err := a.admitClient(r); err != nil {
		return nil, err
	}
	if !issued.Type.valid() {
		return nil, refuse(ReasonRequest, "signature type %.20q is not known", issued.Type)
	}
	issued.Host, issued.Expiry = o.host, a.now().Add(ChallengeLife).Unix()
	var value [ChallengeSize]byte
	a.random(value[:])
	line, err := issued.line(a.service, value).Encode()
	if err != nil {
		return nil, &Error{Reason: ReasonInternal, Err: err}
	}
	attempt := a.attempt(r, o)
	if err := a.remember(r.Context(), attempt, value, issued); err != nil {
		return nil, err
	}
	w.Header().Set("Cache-Control", "no-store") // also of a page that holds the challenge
	http.SetCookie(w, o.cookie(a.attemptCookie(o), attempt, ChallengeLife))
	return newChallenge(value, line, issued), nil
}

// Finish redeems the challenge that id names with the component's answer. On
// success it sets the session cookie and ends the session that the browser had
// before, if any. It checks that
//
//   - the request comes from a page of the origin it is sent to
//   - the component reports success
//   - the challenge was issued to this browser at this origin, has not expired,
//     and is redeemed for the first time; it is used up even if what follows fails
//   - the line that the challenge stands for, built anew, is what was signed
//   - signature, certification path, profile and status are good (see package
//     verify), with the freshness of sign-in
//   - Config.OnSignIn agrees
//
// Errors are of type [*Error].
func (a *Authenticator) Finish(w http.ResponseWriter, r *http.Request, id string, answer *Answer) (*Session, error) {
	o, err := a.admit(r)
	if err != nil {
		return nil, err
	}
	if err := answer.check(); err != nil {
		return nil, err
	}
	line, issued, err := a.redeem(r, o, id, SignIn)
	if err != nil {
		return nil, err
	}
	res, _, err := a.verify(r.Context(), answer, line, issued.Type)
	if err != nil {
		return nil, err
	}
	s, err := a.holder(res)
	if err != nil {
		return nil, err
	}
	return a.enter(w, r, o, s, res)
}

// admit says at which origin a request arrived, and refuses one that a page of
// another origin has sent.
func (a *Authenticator) admit(r *http.Request) (origin, error) {
	o, ok := a.origins[lowerASCII(r.Host)]
	if !ok {
		return origin{}, refuse(ReasonHost, "host %.100q is not one of the configured origins", r.Host)
	}
	if err := a.crossOrigin.Check(r); err != nil {
		return origin{}, &Error{Reason: ReasonCrossOrigin, Err: err}
	}
	return o, nil
}
