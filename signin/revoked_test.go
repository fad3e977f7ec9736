package signin_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
)

// L16: a list says that a certificate is revoked during a session. The sessions
// of that certificate end, and those of others do not, nor those of the
// certificate that another CA has issued under the same number.
func attackRevokedOnList(t *testing.T) {
	w := newWorld(t)
	b, elsewhere, other := w.browser(t), w.browser(t), w.browser(t)
	b.signIn(w.card)
	elsewhere.signIn(w.card)
	other.signIn(w.issue(t, w.G3.IssueCard))
	serial := w.card.Cert.SerialNumber
	g2, g3 := w.G2.MOICA.Cert.RawSubjectPublicKeyInfo, w.G3.MOICA.Cert.RawSubjectPublicKeyInfo

	for _, tt := range []struct {
		issuerKey []byte
		serials   []*big.Int
		want      int
	}{
		{g2, []*big.Int{serial}, 0},
		{g3, []*big.Int{big.NewInt(1), new(big.Int).Neg(serial), new(big.Int).Add(serial, big.NewInt(1))}, 0},
		{g3, nil, 0},
		{nil, []*big.Int{serial}, 0},
		{g3, []*big.Int{big.NewInt(1), serial}, 1},
		{g3, []*big.Int{serial}, 1}, // said again by the next list
	} {
		if got, err := w.auth.EndRevoked(t.Context(), tt.issuerKey, tt.serials...); err != nil || got != tt.want {
			t.Errorf("got %d, %v, want %d", got, err, tt.want)
		}
		if live := b.account() != ""; live != (tt.want == 0) {
			t.Errorf("after %v the session is live %v, want %v", tt.serials, live, tt.want == 0)
		}
	}
	for _, b := range []*browser{b, elsewhere} {
		w.refused(t, b.do("GET", "/account", nil), signin.CodeSession, signin.ReasonSessionEnded)
	}
	if other.account() == "" {
		t.Error("another citizen's session has ended too")
	}
	w.clock.Advance(time.Minute)
	b.signIn(w.card) // a suspension can end
	if b.account() == "" {
		t.Error("a new session was refused")
	}
}

// A session can be ended as long as there is one, idle ones included; and a long
// list of strangers leaves nothing in the store.
func TestEndRevokedAnyTime(t *testing.T) {
	issuedBy := func(w *world) []byte { return w.G3.MOICA.Cert.RawSubjectPublicKeyInfo }
	for _, after := range []time.Duration{0, signin.MaxTokenLife - time.Second, signin.MaxTokenLife, signin.MaxIdleLife - time.Second} {
		w, _ := newKeepingWorld(t)
		b := w.browser(t)
		b.signIn(w.card)
		w.clock.Advance(after)
		if ended, err := w.auth.EndRevoked(t.Context(), issuedBy(w), w.card.Cert.SerialNumber); ended != 1 || err != nil {
			t.Errorf("after %v: got %d, %v, want 1", after, ended, err)
		}
		w.refused(t, b.do("GET", "/account", nil), signin.CodeSession, signin.ReasonSessionEnded)
	}

	store := &denials{}
	w := newWorld(t, func(cfg *signin.Config) { cfg.Sessions = store })
	store.Now = w.clock.Now
	w.browser(t).signIn(w.card)
	var serials []*big.Int
	for i := range 10_000 {
		serials = append(serials, big.NewInt(int64(i)))
	}
	serials = append(serials, w.card.Cert.SerialNumber)
	if ended, err := w.auth.EndRevoked(t.Context(), issuedBy(w), serials...); ended != 1 || err != nil || store.count != 1 {
		t.Errorf("got %d, %v and %d denials, want one", ended, err, store.count)
	}
}

// denials counts what is denied.
type denials struct {
	signin.MemoryStore
	count int
}

func (d *denials) Deny(ctx context.Context, key string, begunUntil, until time.Time) error {
	d.count++
	return d.MemoryStore.Deny(ctx, key, begunUntil, until)
}

// A store that fails is not taken for one without sessions.
func TestEndRevokedStoreFails(t *testing.T) {
	w, store := newKeepingWorld(t)
	w.browser(t).signIn(w.card)
	down := errors.New("store: connection refused")
	store.kept = func([]byte, error) ([]byte, error) { return nil, fmt.Errorf("asking: %w", down) }
	ended, err := w.auth.EndRevoked(t.Context(), w.G3.MOICA.Cert.RawSubjectPublicKeyInfo, w.card.Cert.SerialNumber)
	if e, ok := errors.AsType[*signin.Error](err); !ok || e.Reason != signin.ReasonStore || !errors.Is(err, down) || ended != 0 {
		t.Errorf("got %d, %v, want reason %s", ended, err, signin.ReasonStore)
	}
}
