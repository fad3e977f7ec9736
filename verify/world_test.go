package verify_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/outside"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A world is a look-alike PKI, a citizen with a card, and a verifier that asks
// the PKI's responder and lists over the loopback interface.
type world struct {
	*pkitest.PKI
	clock    *pkitest.Clock
	card     *pkitest.Card
	verifier *verify.Verifier
}

// noon is a time of day at which adding a minute does not change the date.
func noon() time.Time { return time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC) }

func newWorld(t testing.TB) *world {
	t.Helper()
	clock := pkitest.NewClock(noon())
	w := &world{PKI: testbed.New(t, clock.Now), clock: clock}
	w.card = w.issue(t, w.G3)
	w.verifier = w.newVerifier(t, nil)
	return w
}

// issue gives a citizen of the test country a card.
func (w *world) issue(t testing.TB, g *pkitest.Generation, opts ...func(*pkitest.Template)) *pkitest.Card {
	t.Helper()
	card, err := g.IssueCard(pkitest.Person{Name: "王測試", LastFour: "6789"}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return card
}

func (w *world) scheme(t testing.TB) verify.Scheme { return testbed.Scheme(t, w.PKI) }

func (w *world) sources(t testing.TB) []verify.StatusSource { return testbed.Sources(t, w.clock.Now) }

// newVerifier returns a verifier of the world's test scheme, with changes.
func (w *world) newVerifier(t testing.TB, change func(*verify.Config)) *verify.Verifier {
	t.Helper()
	cfg := verify.Config{Scheme: w.scheme(t), Status: w.sources(t), Clock: w.clock.Now}
	if change != nil {
		change(&cfg)
	}
	v, err := verify.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (w *world) sign(t testing.TB, card *pkitest.Card, content string, opts *pkitest.CMSOptions) []byte {
	t.Helper()
	der, err := card.SignPKCS7([]byte(content), opts)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// wantReason checks that a call was refused for a reason, and with no result.
// An empty reason wants the call to succeed.
func wantReason(t testing.TB, res *verify.Result, err error, want verify.Reason) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("got error %v, want none", err)
		} else if res == nil {
			t.Error("got neither a result nor an error")
		}
		return
	}
	if res != nil {
		t.Error("got a result along with an error")
	}
	e, ok := errors.AsType[*verify.Error](err)
	if !ok {
		t.Fatalf("got error %T %v, want a *verify.Error with reason %s", err, err, want)
	}
	if e.Reason != want {
		t.Errorf("got reason %s (%v), want %s", e.Reason, err, want)
	}
	explained(t, err, e.Check)
}

// openssl runs the OpenSSL command line and returns what it prints.
func openssl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command(outside.Program(t, "openssl"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
