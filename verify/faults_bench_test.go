package verify_test

import (
	"errors"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/benchkit"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// BenchmarkDeadResponder has a responder that does not answer and is left alone: how
// long a source takes to say so (left-alone), and a citizen to sign in by the list
// that is held (by-list), beside one whose answer is held (by-answer).
func BenchmarkDeadResponder(b *testing.B) {
	w := newWorld(b)
	hosts := []string{testbed.Host}
	dead, err := ocspclient.New(ocspclient.Config{
		AllowedHosts: hosts, Now: w.clock.Now,
		AttemptTimeout: 50 * time.Millisecond, HoldFailures: -1, BreakerFailures: 1, BreakerPause: time.Hour,
	})
	if err != nil {
		b.Fatal(err)
	}
	lists, err := crl.New(crl.Config{AllowedHosts: hosts, Now: w.clock.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { dead.Close(); lists.Close() })
	byAnswer := w.verifier
	byList := w.newVerifier(b, func(cfg *verify.Config) { cfg.Status = []verify.StatusSource{dead, lists} })
	signIn := func(v *verify.Verifier) {
		if _, err := v.Certificate(b.Context(), w.card.Cert.Raw, nil); err != nil {
			b.Fatal(err)
		}
	}
	signIn(byAnswer)
	if err := w.G3.MOICA.InjectOCSP(pkitest.FaultSlow); err != nil {
		b.Fatal(err)
	}
	signIn(byList)
	now := w.clock.Now()
	query := verify.StatusQuery{Cert: w.card.Cert, Issuer: w.G3.MOICA.Cert, At: now, Now: now}
	benchkit.Compare(b,
		benchkit.Case{Name: "left-alone", Op: func() {
			if _, err := dead.Status(b.Context(), query); !errors.Is(err, ocspclient.ErrLeftAlone) {
				b.Fatal(err)
			}
		}},
		benchkit.Case{Name: "by-list", Op: func() { signIn(byList) }},
		benchkit.Case{Name: "by-answer", Op: func() { signIn(byAnswer) }},
	)
}
