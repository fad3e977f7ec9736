package signin

import (
	"strings"
	"sync"
)

// maxCachedTokens bounds the cache; at some 1.5 KB each they come to 24 MB.
const maxCachedTokens = 16_384

// A tokenCache knows tokens whose signature has been verified, each by all of its
// bytes. It saves the signature and nothing else: time, origin, service and
// denials are judged for every request, so that a session that has ended has
// ended here too. The zero value is ready to use.
type tokenCache struct {
	mu    sync.RWMutex
	young map[string]*claims
	old   map[string]*claims // all that was young when it last became too many
}

// get returns the claims of a token, which must not be modified, or nil.
func (c *tokenCache) get(token string) *claims {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if claims := c.young[token]; claims != nil {
		return claims
	}
	return c.old[token]
}

func (c *tokenCache) add(token string, verified *claims) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= maxCachedTokens/2 {
		c.old, c.young = c.young, nil
	}
	if c.young == nil {
		c.young = make(map[string]*claims)
	}
	c.young[strings.Clone(token)] = verified // not the rest of the request's header
}

// openClaims returns the claims of a token that one of our keys has signed.
func (a *Authenticator) openClaims(token string) (*claims, error) {
	if c := a.verified.get(token); c != nil {
		return c, nil
	}
	payload, err := a.tokens.open(token)
	if err != nil {
		return nil, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return nil, err
	}
	a.verified.add(token, &c)
	return &c, nil
}
