package signin

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/citizencert/citizencert/internal/line"
	"github.com/citizencert/citizencert/verify"
)

// MinPairwiseKey is the size of an HMAC-SHA-256 key at full strength, in bytes.
const MinPairwiseKey = 32

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
	// A path that a browser would read as the address of another site is no path.
	if p := cfg.LoginPath; p != "" && (p[0] != '/' || strings.HasPrefix(p, "//") || strings.Contains(p, `\`)) {
		return fmt.Errorf("signin: Config.LoginPath %q is not a path on this site", p)
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
