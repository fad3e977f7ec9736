package signin

import (
	"crypto/sha256"
	"net/http"
	"net/netip"
	"time"
)

// The default of Config.ChallengesPerMinute: a citizen who looks for the card
// and mistypes the PIN stays far below it. At some 200 bytes each the clients of
// a minute come to 20 MB.
const (
	DefaultChallengesPerMinute = 20
	MaxClients                 = 100_000
)

// A limiter counts what each client asks for, in windows of a minute that begin
// with the client's first request.
type limiter struct {
	perMinute int
	clients   expiring[int]
}

// allow returns zero, or how long the client has to wait. When there are more
// clients than it remembers, the one whose window ends first is forgotten: that
// gives most to those who have waited longest, and nobody is turned away because
// of others.
func (l *limiter) allow(client string, now time.Time) (wait time.Duration) {
	sum := sha256.Sum256([]byte(client)) // names may be long, and addresses need not be kept
	l.clients.update(string(sum[:]), now.Add(time.Minute), now, MaxClients, func(count int, end time.Time) int {
		if count >= l.perMinute {
			wait = end.Sub(now)
			return count
		}
		return count + 1
	})
	return wait
}

// admitClient refuses a client that asks for too many challenges. What a page of
// another site has a browser load in it is not counted, or any site could use up the
// challenges of its visitors; it is refused, and could not be redeemed, since such a
// request has no cookie and keeps none.
func (a *Authenticator) admitClient(r *http.Request) error {
	if dest := r.Header.Get("Sec-Fetch-Dest"); r.Header.Get("Sec-Fetch-Site") == "cross-site" && dest != "document" {
		return refuse(ReasonCrossOrigin, "a page of another site asks for a challenge, as %.20q", dest)
	}
	if a.limiter == nil {
		return nil
	}
	if wait := a.limiter.allow(a.clientKey(r), a.now()); wait > 0 {
		e := refuse(ReasonRateLimited, "more than %d challenges a minute", a.limiter.perMinute)
		e.RetryAfter = wait
		return e
	}
	return nil
}

// remoteAddress is the default of Config.ClientKey: the address that the request
// comes from, of IPv6 the /64 that one subscriber has.
func remoteAddress(r *http.Request) string {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "" // a Unix socket, say: all are one client
	}
	addr := remote.Addr().Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return ""
	}
	return prefix.String()
}
