package signin

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/citizencert/citizencert/internal/line"
	"github.com/citizencert/citizencert/internal/webpage"
	"github.com/citizencert/citizencert/verify"
)

// MinPairwiseKey is the size of an HMAC-SHA-256 key at full strength, in bytes.
const MinPairwiseKey = 32

// DefaultLoginPath is the default of Config.LoginPath, and where package hipki has
// its page.
const DefaultLoginPath = "/signin/"

// Config is what a service says about itself. New copies what it keeps.
type Config struct {
	// Verifier judges certificates and signatures. Required. With one for the
	// test environment every origin must be a loopback name, with one for
	// production none may be; a custom one allows either.
	Verifier *verify.Verifier

	// Origins are the origins under which browsers reach the service, such as
	// "https://tax.example.gov.tw". At least one is required. The Host header of
	// a request picks one of them, and a request for another host is refused, so
	// a proxy must pass the header on. Headers such as X-Forwarded-Host are not
	// read. Plain http is accepted for loopback names only.
	Origins []string

	// Service names the service in what citizens sign and in session tokens:
	// up to 64 lower-case letters, digits, '.', '_' and '-'. Required. Services
	// that share a host, a store or a key need names of their own.
	Service string

	// Key signs session tokens. Required: ECDSA on P-256 (ES256) or Ed25519
	// (EdDSA), in memory or behind a crypto.Signer.
	Key crypto.Signer

	// OtherKeys are further public keys, *ecdsa.PublicKey on P-256 or
	// ed25519.PublicKey, whose tokens are accepted: those of other servers, and
	// during rotation the one before and the one after Key. To rotate, give every
	// server the new key here; then make it Key and put the old one here; and
	// leave that out once IdleLife has passed. A key that is left out is worth
	// nothing at once.
	OtherKeys []crypto.PublicKey

	// PairwiseKey makes the subjects of this service differ from those of every
	// other. Required, at least MinPairwiseKey random bytes. All servers of a
	// service use the same, and it can never be changed: subjects change with it.
	PairwiseKey []byte

	// Challenges and Sessions keep what must be remembered. If nil, in the
	// memory of this process, which is right for one server and no more.
	Challenges ChallengeStore
	Sessions   SessionStore

	// Accounts, if not nil, is asked for the account of each session, and
	// Session.Account has its answer.
	Accounts AccountLinker

	// ChallengesPerMinute is how many challenges one client gets in a minute from
	// one server. If zero, DefaultChallengesPerMinute.
	ChallengesPerMinute int

	// ClientKey names the client that a request comes from, in any text. If nil,
	// the address of the connection, of IPv6 its /64. Behind a proxy that is the
	// proxy, so there a service reads the address from the one header that its
	// proxy is known to set. It may be called concurrently.
	ClientKey func(r *http.Request) string

	// InsecureUnlimitedChallenges counts nobody. It is meant for services behind
	// something that does.
	InsecureUnlimitedChallenges bool

	// OnSignIn, if not nil, is called with the verified result before a session
	// is issued: here a service links accounts and keeps its records. An error
	// refuses the sign-in; it is logged and must not hold personal data. The result
	// is nil for AssuranceMobileAuth, and only for that.
	OnSignIn func(ctx context.Context, res *verify.Result, s *Session) error

	// OnVerdict, if not nil, is called with what the verifier says, refusals too: of
	// each signature, of a card or a phone, and of the certificate at each renewal of a
	// session, some eight in an hour of activity. Here a service keeps evidence of who
	// was let in and why. An error refuses what was signed, and a renewal as one that
	// may succeed later: a verdict that cannot be accounted for is none. It is logged
	// and must not hold personal data.
	OnVerdict func(ctx context.Context, v *Verdict) error

	// LoginPath is where Handler sends a browser that asks for a page without a
	// session. If empty, DefaultLoginPath. What scripts ask for is answered with 401.
	LoginPath string

	// TokenLife is how long a session goes on without its certificate being
	// judged anew, IdleLife how long it can still be renewed after that was done
	// last, and SessionLife how long it lasts at all: each in whole seconds, and
	// no longer than the next. If zero, the longest there is: MaxTokenLife,
	// MaxIdleLife and MaxSessionLife.
	TokenLife   time.Duration
	IdleLife    time.Duration
	SessionLife time.Duration

	// Logger gets the cause of every refusal, without personal data. If nil,
	// slog.Default.
	Logger *slog.Logger

	// Now is the clock. If nil, time.Now. It may be called concurrently.
	Now func() time.Time
}

func (cfg *Config) check() error {
	if cfg.Verifier == nil {
		return errors.New("signin: Config.Verifier is required")
	}
	if err := line.CheckService(cfg.Service); err != nil {
		return fmt.Errorf("signin: Config.Service: %w", err)
	}
	if len(cfg.PairwiseKey) < MinPairwiseKey {
		return fmt.Errorf("signin: Config.PairwiseKey has %d bytes, want at least %d", len(cfg.PairwiseKey), MinPairwiseKey)
	}
	most := MaxSessionLife
	for _, life := range []struct {
		name      string
		value     time.Duration
		otherwise time.Duration
	}{
		{"SessionLife", cfg.SessionLife, MaxSessionLife},
		{"IdleLife", cfg.IdleLife, MaxIdleLife},
		{"TokenLife", cfg.TokenLife, MaxTokenLife},
	} {
		most = min(most, life.otherwise)
		if life.value < 0 || life.value > most || life.value%time.Second != 0 {
			return fmt.Errorf("signin: Config.%s is %v, want whole seconds and at most %v", life.name, life.value, most)
		}
		most = min(most, cmp.Or(life.value, most))
	}
	if cfg.ChallengesPerMinute < 0 {
		return fmt.Errorf("signin: Config.ChallengesPerMinute is %d", cfg.ChallengesPerMinute)
	}
	if cfg.LoginPath != "" && !webpage.IsPath(cfg.LoginPath) {
		return fmt.Errorf("signin: Config.LoginPath %q is not a path on this site", cfg.LoginPath)
	}
	return nil
}

func (cfg Config) withDefaults() Config {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	memory := &MemoryStore{Now: cfg.Now}
	if cfg.Challenges == nil {
		cfg.Challenges = memory
	}
	if cfg.Sessions == nil {
		cfg.Sessions = memory
	}
	cfg.SessionLife = cmp.Or(cfg.SessionLife, MaxSessionLife)
	cfg.IdleLife = cmp.Or(cfg.IdleLife, min(MaxIdleLife, cfg.SessionLife))
	cfg.TokenLife = cmp.Or(cfg.TokenLife, min(MaxTokenLife, cfg.IdleLife))
	cfg.ChallengesPerMinute = cmp.Or(cfg.ChallengesPerMinute, DefaultChallengesPerMinute)
	cfg.LoginPath = cmp.Or(cfg.LoginPath, DefaultLoginPath)
	if cfg.ClientKey == nil {
		cfg.ClientKey = remoteAddress
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	return cfg
}

// An origin is one entry of Config.Origins.
type origin struct {
	url    string // "https://tax.example.gov.tw", the issuer of session tokens
	host   string // host[:port] as browsers send it
	secure bool   // https
}

// HasOrigin reports whether an origin, such as "https://tax.example.gov.tw", is one of
// Config.Origins.
func (a *Authenticator) HasOrigin(url string) bool {
	for _, o := range a.origins {
		if o.url == url {
			return true
		}
	}
	return false
}

// parseOrigins reads Config.Origins and keeps environments apart: a citizen must
// not be able to sign in to a public site with a test certificate, nor should a
// production verifier serve a site without TLS and __Host- cookies. A custom
// verifier may do either, but not both at once.
func parseOrigins(urls []string, env verify.Environment) (map[string]origin, error) {
	if len(urls) == 0 {
		return nil, errors.New("signin: Config.Origins is empty")
	}
	origins := make(map[string]origin, len(urls))
	loopbacks := 0
	for _, url := range urls {
		o, err := parseOrigin(url)
		if err != nil {
			return nil, err
		}
		if _, ok := origins[o.host]; ok {
			return nil, fmt.Errorf("signin: Config.Origins has two entries for host %s", o.host)
		}
		origins[o.host] = o
		loopback := line.IsLoopback(o.host)
		if loopback {
			loopbacks++
		}
		switch env {
		case verify.Production:
			if loopback {
				return nil, fmt.Errorf("signin: origin %s is for development, and the verifier is for production", url)
			}
		case verify.Test:
			if !loopback {
				return nil, fmt.Errorf("signin: origin %s is public, and the verifier is for the test environment", url)
			}
		case verify.Custom:
		default:
			return nil, fmt.Errorf("signin: the verifier has no environment (%v)", env)
		}
	}
	if loopbacks != 0 && loopbacks != len(urls) {
		return nil, errors.New("signin: Config.Origins mixes public and loopback hosts")
	}
	return origins, nil
}

func parseOrigin(url string) (origin, error) {
	scheme, host, ok := strings.Cut(url, "://")
	if !ok || scheme != "https" && scheme != "http" {
		return origin{}, fmt.Errorf("signin: origin %q does not have the form https://host[:port]", url)
	}
	if err := line.CheckHost(host); err != nil {
		return origin{}, fmt.Errorf("signin: origin %q: %w", url, err)
	}
	o := origin{url: url, host: host, secure: scheme == "https"}
	if !o.secure && !line.IsLoopback(host) {
		return origin{}, fmt.Errorf("signin: origin %q is not https; plain http is for loopback hosts", url)
	}
	if !o.secure && strings.HasSuffix(host, ":80") {
		return origin{}, fmt.Errorf("signin: origin %q: leave out port 80", url)
	}
	return o, nil
}

// cookieName gives a cookie the __Host- prefix, with which browsers see to it
// that no other host can have set it (RFC 6265bis, Section 4.1.3.2). It requires
// https; without, there is only loopback.
func (o origin) cookieName(name string) string {
	if o.secure {
		return "__Host-" + name
	}
	return name
}

// cookie returns a cookie for this host alone, out of reach of scripts. A life
// below zero removes it. SameSite=Lax keeps it from what other sites post, and
// sends it when the citizen follows a link of theirs: so a session is there, and
// a second attempt to sign in does not replace the secret of the first.
func (o origin) cookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name:     name,
		Value:    value,
		Path:     "/",
		MaxAge:   int(life / time.Second),
		Secure:   o.secure,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

func (a *Authenticator) attemptCookie(o origin) string { return o.cookieName(a.service + "-attempt") }
func (a *Authenticator) sessionCookie(o origin) string { return o.cookieName(a.service + "-session") }

// onlyCookie returns the value of a cookie, or "" if there is none or more than
// one: two of one name means that somebody else has set one of them.
func onlyCookie(r *http.Request, name string) string {
	if found := r.CookiesNamed(name); len(found) == 1 {
		return found[0].Value
	}
	return ""
}
