package signin

import (
	"context"
	"log/slog"
	"math/big"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/verify"
)

// Pace of a watcher whose session store fails: the pause doubles from the first to
// the last.
const (
	firstWatchPause = 100 * time.Millisecond
	lastWatchPause  = 15 * time.Second
)

// Watch ends the sessions of a certificate as soon as a list that lists holds says
// that it is revoked or suspended, on every server that shares the session store,
// and needs no renewal for that. One server that watches is enough, and several do
// no harm. A suspension that ends brings no session back; the citizen signs in anew.
//
// lists should be one of the sources of Config.Verifier. It follows the lists of the
// certificates that it is asked about (see [crl.Store.Changes]), so of those that
// sign in, and asks for newer ones as its configuration says.
//
// If the session store fails Watch tries again, and later changes wait meanwhile.
// After Config.TokenLife it gives up and logs what it has not done: by then every
// session has been through its renewal, which finds the same list. That is also
// what happens to changes that come after stop, which waits for nobody. Call stop
// before lists.Close, which otherwise waits for Watch to give up.
func (a *Authenticator) Watch(lists *crl.Store) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	unlisten := lists.Changes(func(changes []crl.Change) { a.follow(ctx, changes) })
	return func() {
		unlisten()
		cancel()
	}
}

// follow ends the sessions of certificates that have changed for the worse.
func (a *Authenticator) follow(ctx context.Context, changes []crl.Change) {
	at := a.now()
	ctx, cancel := context.WithTimeout(ctx, a.tokenLife)
	defer cancel()
	ended, pause := 0, firstWatchPause
	for i := 0; i < len(changes); {
		c := &changes[i]
		found, err := a.endChanged(ctx, c, at)
		if err == nil {
			i, pause = i+1, firstWatchPause
			if found {
				ended++
			}
			continue
		}
		if ctx.Err() != nil {
			a.logger.LogAttrs(ctx, slog.LevelError, "sign-in: sessions of certificates on a new list not ended; their renewal will",
				slog.String("list", c.URL), slog.Int("changes", len(changes)-i), slog.Any("cause", err))
			break
		}
		if pause == firstWatchPause {
			a.logger.LogAttrs(ctx, slog.LevelWarn, "sign-in: sessions of certificates on a new list not ended; trying again",
				slog.String("list", c.URL), slog.Int("changes", len(changes)-i), slog.Any("cause", err))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, lastWatchPause)
	}
	if ended > 0 {
		a.logger.LogAttrs(ctx, slog.LevelInfo, "sign-in: sessions ended by a new list", slog.String("list", changes[0].URL), slog.Int("certificates", ended))
	}
}

// endChanged ends the sessions of one certificate that began by the time at which
// the change was told of, and reports whether there are any.
func (a *Authenticator) endChanged(ctx context.Context, c *crl.Change, at time.Time) (bool, error) {
	if c.Status != verify.Revoked && c.Status != verify.Suspended {
		return false, nil
	}
	if len(c.Serial) == 0 || c.Serial[0] >= 0x80 {
		return false, nil // below zero: package x509 parses no such certificate
	}
	return a.endListed(ctx, a.pairwise.certificate(c.IssuerKey, new(big.Int).SetBytes(c.Serial)), at)
}
