package evidence_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A world is a look-alike PKI with a citizen and a time-stamp authority, and a
// recorder whose verifier asks the PKI over the loopback interface.
type world struct {
	*pkitest.PKI
	clock *pkitest.Clock
	card  *pkitest.Card
	tsa   *pkitest.TSA
}

func noon() time.Time { return time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC) }

func newWorld(t testing.TB) *world {
	t.Helper()
	clock := pkitest.NewClock(noon())
	w := &world{PKI: testbed.New(t, clock.Now), clock: clock}
	var err error
	if w.card, err = w.G3.IssueCard(pkitest.Person{Name: "王測試", LastFour: "6789"}); err != nil {
		t.Fatal(err)
	}
	if w.tsa, err = w.NewTSA(); err != nil {
		t.Fatal(err)
	}
	return w
}

// silence has nobody on the network answer any more.
func (w *world) silence() {
	for _, g := range []*pkitest.Generation{w.G2, w.G3} {
		for _, ca := range []*pkitest.CA{g.Root, g.MOICA} {
			for _, url := range []string{ca.URLs.OCSP, ca.URLs.Partition, ca.URLs.CRL} {
				w.Script(url, http.NotFoundHandler())
			}
		}
	}
}

func (w *world) scheme(t testing.TB) verify.Scheme { return testbed.Scheme(t, w.PKI) }

func (w *world) sources(t testing.TB) []verify.StatusSource { return testbed.Sources(t, w.clock.Now) }

// policy is what the world's verifiers and judges judge by.
func (w *world) policy(t testing.TB) verify.Config {
	return verify.Config{
		Scheme:       w.scheme(t),
		Timestamping: &verify.TimestampAuthority{Anchors: []*x509.Certificate{w.tsa.Issuer.Cert}},
	}
}

func (w *world) verifier(t testing.TB, change func(*verify.Config)) *verify.Verifier {
	t.Helper()
	cfg := w.policy(t)
	cfg.Status, cfg.Clock = w.sources(t), w.clock.Now
	if change != nil {
		change(&cfg)
	}
	v, err := verify.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (w *world) recorder(t testing.TB) *evidence.Recorder {
	return &evidence.Recorder{Verifier: w.verifier(t, nil), Software: "test 1"}
}

// judge returns a Judge of the world's policy, with changes.
func (w *world) judge(t testing.TB, change func(*evidence.JudgeConfig)) *evidence.Judge {
	t.Helper()
	cfg := evidence.JudgeConfig{Config: w.policy(t)}
	if change != nil {
		change(&cfg)
	}
	j, err := evidence.NewJudge(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func (w *world) sign(t testing.TB, content string, opts *pkitest.CMSOptions) []byte {
	t.Helper()
	der, err := w.card.SignPKCS7([]byte(content), opts)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// ask asks a recorder and wants a reason, or none.
func ask(t testing.TB, r *evidence.Recorder, q evidence.Question, content io.Reader, want verify.Reason) *evidence.File {
	t.Helper()
	rec, res, err := r.Ask(t.Context(), q, content)
	if rec == nil {
		t.Fatalf("got no record: %v", err)
	}
	wantReason(t, res, err, want)
	f, err := evidence.NewFile(rec)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func wantReason(t testing.TB, res *verify.Result, err error, want verify.Reason) {
	t.Helper()
	if want == "" {
		if err != nil || res == nil {
			t.Fatalf("got result %v and error %v, want a result", res, err)
		}
		return
	}
	e, ok := errors.AsType[*verify.Error](err)
	if !ok || e.Reason != want || res != nil {
		t.Fatalf("got a result (%t) and error %v, want reason %s", res != nil, err, want)
	}
}

// reread returns what is read of a file that was written.
func reread(t testing.TB, f *evidence.File) *evidence.File {
	t.Helper()
	data, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := evidence.Parse(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if twice, err := again.Encode(); err != nil || !bytes.Equal(twice, data) {
		t.Errorf("the file reads %s, and is written %s (%v)", data, twice, err)
	}
	return again
}

// wantSame judges a file again and wants the verdict that is recorded.
func wantSame(t testing.TB, j *evidence.Judge, f *evidence.File, given *evidence.Given) *evidence.Judgement {
	t.Helper()
	again, err := j.Judge(t.Context(), f.Record, given)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Same() || len(again.Context) > 0 {
		t.Errorf("got %v", again)
	}
	return again
}

// bareSignature is what the card reader component returns for PKCS1.
func (w *world) bareSignature(t testing.TB, signed string) []byte {
	t.Helper()
	signature, err := w.card.SignPKCS1([]byte(signed))
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func reader(s string) io.Reader { return strings.NewReader(s) }
