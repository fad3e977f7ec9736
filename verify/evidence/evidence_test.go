package evidence_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A scenario is a question, what to judge it again with, and what comes out.
type scenario struct {
	name    string
	ask     func(t *testing.T, w *world) (evidence.Question, string)
	apart   bool // the content is given apart
	want    verify.Reason
	atKind  verify.InstantKind
	missing bool // without the content it cannot be judged again
}

func scenarios() []scenario {
	plain := func(q evidence.Question) func(*testing.T, *world) (evidence.Question, string) {
		return func(t *testing.T, w *world) (evidence.Question, string) {
			q.Signature = w.sign(t, "a filing", &pkitest.CMSOptions{Detached: q.Method != evidence.SignedData})
			return q, "a filing"
		}
	}
	revoked := func(at time.Duration, reason int) func(*testing.T, *world) (evidence.Question, string) {
		return func(t *testing.T, w *world) (evidence.Question, string) {
			der := w.sign(t, "a filing", nil)
			w.G3.MOICA.Revoke(w.card.Cert, noon().Add(at), reason)
			w.clock.Advance(2 * time.Hour)
			return evidence.Question{Method: evidence.SignedData, Signature: der, Options: &verify.Options{ReceivedAt: noon()}}, ""
		}
	}
	return []scenario{
		{name: "attached", ask: plain(evidence.Question{Method: evidence.SignedData}), atKind: verify.InstantNow},
		{name: "detached", ask: plain(evidence.Question{Method: evidence.Detached}), apart: true, atKind: verify.InstantNow},
		{name: "by digest", atKind: verify.InstantNow, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			sum := sha256.Sum256([]byte("a filing"))
			return evidence.Question{Method: evidence.ByDigest, Signature: w.sign(t, "a filing", &pkitest.CMSOptions{Detached: true}),
				Sums: map[crypto.Hash][]byte{crypto.SHA256: sum[:]}}, ""
		}},
		{name: "detached by SHA-512", apart: true, atKind: verify.InstantNow, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			return evidence.Question{Method: evidence.Detached, Signature: w.sign(t, "a filing", &pkitest.CMSOptions{Detached: true, Hash: crypto.SHA512})}, "a filing"
		}},
		{name: "a sign-in", atKind: verify.InstantNow, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			line := lineOf(t, signin.SignIn, nil)
			return evidence.Question{Method: evidence.Signature, Certificate: w.card.Cert.Raw, Signed: []byte(line),
				Signature: w.bareSignature(t, line), Options: &verify.Options{Line: line}}, ""
		}},
		{name: "a bare signature", atKind: verify.InstantNow, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			return evidence.Question{Method: evidence.Signature, Certificate: w.card.Cert.Raw, Signed: []byte{}, Signature: w.bareSignature(t, "")}, ""
		}},
		{name: "a certificate", atKind: verify.InstantNow, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			return evidence.Question{Method: evidence.Certificate, Certificate: w.card.Cert.Raw}, ""
		}},
		{name: "a statement", apart: true, atKind: verify.InstantReceipt, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			line := lineOf(t, signin.File, []byte("a document"))
			return evidence.Question{Method: evidence.Statement, Certificate: w.card.Cert.Raw, Signature: w.bareSignature(t, line),
				Host: "localhost:8080", Service: "tax", Options: &verify.Options{Line: line, ReceivedAt: noon().Add(-time.Second)}}, "a document"
		}},
		{name: "a statement by SignedData", apart: true, atKind: verify.InstantNow, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			line := lineOf(t, signin.File, []byte("a document"))
			return evidence.Question{Method: evidence.Statement, Signature: w.sign(t, line, nil),
				Host: "localhost:8080", Service: "tax", Options: &verify.Options{Line: line}}, "a document"
		}},
		{name: "revoked later", ask: revoked(time.Hour, pkitest.ReasonKeyCompromise), atKind: verify.InstantReceipt},
		{name: "revoked before", ask: revoked(-time.Hour, pkitest.ReasonKeyCompromise), want: verify.ReasonRevoked},
		{name: "suspended", ask: revoked(-time.Hour, pkitest.ReasonCertificateHold), want: verify.ReasonSuspended},
		{name: "revoked, proven to be from before by a time-stamp", atKind: verify.InstantTimestamp, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			der := w.sign(t, "a filing", &pkitest.CMSOptions{Timestamp: func(signature []byte) ([][]byte, error) {
				token, err := w.tsa.Timestamp(signature, &pkitest.TimestampOptions{Time: noon()})
				return [][]byte{token}, err
			}})
			w.G3.MOICA.Revoke(w.card.Cert, noon().Add(time.Hour), pkitest.ReasonKeyCompromise)
			w.clock.Advance(2 * time.Hour)
			return evidence.Question{Method: evidence.SignedData, Signature: der}, ""
		}},
		{name: "a time-stamp beside it that proves nothing", atKind: verify.InstantNow, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			token, err := w.tsa.Timestamp([]byte("something else"), nil)
			if err != nil {
				t.Fatal(err)
			}
			return evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", nil),
				Options: &verify.Options{Timestamps: [][]byte{token}}}, ""
		}},
		{name: "a CRL in the message", atKind: verify.InstantNow, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			var lists [][]byte
			for _, ca := range []*pkitest.CA{w.G3.MOICA, w.G3.Root} {
				list, err := ca.CRL(pkitest.CRLOptions{Partition: ca == w.G3.MOICA})
				if err != nil {
					t.Fatal(err)
				}
				lists = append(lists, list)
			}
			w.Script(w.G3.MOICA.URLs.OCSP, http.NotFoundHandler())
			w.Script(w.G3.MOICA.URLs.Partition, http.NotFoundHandler())
			w.Script(w.G3.MOICA.URLs.CRL, http.NotFoundHandler())
			return evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", &pkitest.CMSOptions{CRLs: lists})}, ""
		}},
		{name: "another document", want: verify.ReasonDigestMismatch, apart: true, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			q, _ := plain(evidence.Question{Method: evidence.Detached})(t, w)
			return q, "another filing"
		}},
		{name: "a broken signature", want: verify.ReasonBadSignature, apart: true, missing: true, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			return evidence.Question{Method: evidence.Detached, Signature: w.sign(t, "a filing", &pkitest.CMSOptions{Detached: true, BreakSignature: true})}, "a filing"
		}},
		{name: "nothing that can be parsed", want: verify.ReasonMalformed, ask: func(*testing.T, *world) (evidence.Question, string) {
			return evidence.Question{Method: evidence.SignedData, Signature: []byte("no DER")}, ""
		}},
		{name: "nobody answers", want: verify.ReasonStatusUnavailable, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			q, _ := plain(evidence.Question{Method: evidence.SignedData})(t, w)
			w.silence()
			return q, ""
		}},
		{name: "two signers, one revoked", want: verify.ReasonRevoked, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			return evidence.Question{Method: evidence.SignedData, Signature: w.signTwice(t)}, ""
		}},
		{name: "one of two signers", atKind: verify.InstantNow, ask: func(t *testing.T, w *world) (evidence.Question, string) {
			return evidence.Question{Method: evidence.SignedData, Signature: w.signTwice(t), Options: &verify.Options{InsecureMinSigners: 1}}, ""
		}},
	}
}

// signTwice returns a filing of two cards, the second of which has been revoked.
func (w *world) signTwice(t testing.TB) []byte {
	t.Helper()
	second, err := w.G3.IssueCard(pkitest.Person{Name: "陳測試"})
	if err != nil {
		t.Fatal(err)
	}
	w.G3.MOICA.Revoke(second.Cert, noon().Add(-time.Hour), pkitest.ReasonKeyCompromise)
	return w.sign(t, "a filing", &pkitest.CMSOptions{
		Certificates: []*x509.Certificate{w.card.Cert, second.Cert},
		CoSigners:    []pkitest.CoSigner{{Signer: pkitest.Signer{Cert: second.Cert, Key: second.Key}}},
	})
}

func lineOf(t testing.TB, purpose signin.Purpose, document []byte) string {
	t.Helper()
	l := signin.Line{Purpose: purpose, Host: "localhost:8080", Service: "tax", Expiry: noon().Add(time.Minute), Challenge: [signin.ChallengeSize]byte{1}}
	if document != nil {
		l.Digest = sha256.Sum256(document)
	}
	line, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// Each verdict is recorded, read again, and judged again to the same, without a
// network and years later; with everything inside, and with a store.
func TestRoundTrip(t *testing.T) {
	for _, s := range scenarios() {
		for _, stored := range []bool{false, true} {
			name := s.name
			if stored {
				name += ", in a store"
			}
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				q, content := s.ask(t, w)
				r := w.recorder(t)
				var store evidence.Store
				if stored {
					store = new(evidence.Memory)
					r.Store, r.SignaturesApart = store, true
				}
				given := new(evidence.Given)
				if stored {
					given.Signature, given.Signed = q.Signature, q.Signed
				}
				f := reread(t, s.record(t, r, q, content))
				if v := f.Record.Verdict; v.AtKind != s.atKind {
					t.Errorf("got instant %v, want %v", v.AtKind, s.atKind)
				}
				if again := s.record(t, r, q, content); again.Hash() != f.Hash() {
					t.Errorf("the same verdict has hash %v, then %v", f.Hash(), again.Hash())
				}

				w.silence()
				w.clock.Advance(20 * 365 * 24 * time.Hour)
				judge := w.judge(t, func(cfg *evidence.JudgeConfig) { cfg.Store = store })
				if s.apart {
					withContent := *given
					withContent.Content = reader(content)
					if again := wantSame(t, judge, f, &withContent); again.ByDigest {
						t.Error("judged by digest, though the content was given")
					}
				}
				if s.missing {
					if _, err := judge.Judge(t.Context(), f.Record, given); !errors.Is(err, evidence.ErrContentMissing) {
						t.Errorf("got error %v, want ErrContentMissing", err)
					}
					return
				}
				if again := wantSame(t, judge, f, given); again.ByDigest != s.apart {
					t.Errorf("judged by digest: got %v, want %v", again.ByDigest, s.apart)
				}
			})
		}
	}
}

func (s *scenario) record(t *testing.T, r *evidence.Recorder, q evidence.Question, content string) *evidence.File {
	t.Helper()
	if s.apart {
		return ask(t, r, q, reader(content), s.want)
	}
	return ask(t, r, q, nil, s.want)
}

// An indirect list, and the certificate of who signed it, are part of what a verdict
// rests on.
func TestSeparateCRLKeys(t *testing.T) {
	w := newWorld(t)
	key, err := w.G3.Root.IssueCA(pkitest.Template{
		RawSubject: w.G3.MOICA.Cert.RawSubject, KeyUsage: x509.KeyUsageCRLSign, BasicConstraints: &pkitest.BasicConstraints{},
	})
	if err != nil {
		t.Fatal(err)
	}
	lists, err := crl.New(crl.Config{Offline: true, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer lists.Close()
	for ca, o := range map[*pkitest.CA]pkitest.CRLOptions{
		w.G3.Root:  {},
		w.G3.MOICA: {Signer: &pkitest.Signer{Cert: key.Cert, Key: key.Key}, AuthorityKeyID: key.Cert.SubjectKeyId},
	} {
		der, err := ca.CRL(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := lists.Add(der, ""); err != nil {
			t.Fatal(err)
		}
	}
	policy := verify.Config{Scheme: verify.Scheme{
		Name: "custom", Environment: verify.Custom, SeparateCRLKeys: true,
		Anchors: []*x509.Certificate{w.G3.Root.Cert}, Intermediates: []*x509.Certificate{w.G3.MOICA.Cert},
	}}
	live := policy
	live.Status, live.Clock = []verify.StatusSource{lists}, w.clock.Now
	v, err := verify.New(live)
	if err != nil {
		t.Fatal(err)
	}
	q := evidence.Question{Method: evidence.Certificate, Certificate: w.card.Cert.Raw, Options: &verify.Options{Certificates: [][]byte{key.Cert.Raw}}}
	r := &evidence.Recorder{Verifier: v}
	f := reread(t, ask(t, r, q, nil, ""))
	if by := f.Record.Verdict.Signers[0].Revocation[0].SignedBy; len(by) != 1 || by[0].Path[0] != evidence.HashOf(key.Cert.Raw) {
		t.Errorf("got list signed by %v, want the key for lists", by)
	}
	again := func(change func(*evidence.JudgeConfig)) *evidence.Judgement {
		cfg := evidence.JudgeConfig{Config: policy}
		if change != nil {
			change(&cfg)
		}
		j, err := evidence.NewJudge(cfg)
		if err != nil {
			t.Fatal(err)
		}
		judgement, err := j.Judge(t.Context(), f.Record, nil)
		if err != nil {
			t.Fatal(err)
		}
		return judgement
	}
	if j := again(nil); !j.Same() {
		t.Errorf("got %v", j)
	}
	if j := again(func(cfg *evidence.JudgeConfig) { cfg.Scheme.SeparateCRLKeys = false }); j.Same() || j.Refusal.Reason != verify.ReasonStatusUnavailable {
		t.Errorf("without separate keys: got %v, want status-unavailable", j)
	}

	// The evidence of the result alone does as well.
	res, err := v.Certificate(t.Context(), w.card.Cert.Raw, q.Options)
	if err != nil {
		t.Fatal(err)
	}
	var hints []*x509.Certificate
	for _, e := range res.Evidence {
		if e.Kind == verify.CertificateEvidence && bytes.Equal(e.DER, key.Cert.Raw) {
			hints = append(hints, key.Cert)
		}
	}
	if len(hints) != 1 {
		t.Errorf("the certificate of who signed the list is %d times in Result.Evidence", len(hints))
	}
	if _, err := v.Certificate(t.Context(), w.card.Cert.Raw, &verify.Options{Evidence: res.Evidence}); err != nil {
		t.Errorf("with Result.Evidence for Options.Evidence: %v", err)
	}
	if _, err := v.Certificate(t.Context(), w.card.Cert.Raw, nil); err == nil {
		t.Error("got no error without the certificate of who signed the list")
	}
}

// Under another policy a record may be refused, and the difference is told.
func TestAnotherPolicy(t *testing.T) {
	w := newWorld(t)
	f := ask(t, w.recorder(t), evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", nil)}, nil, "")
	for _, tt := range []struct {
		name   string
		change func(*evidence.JudgeConfig)
		reason verify.Reason // "" if the verdict is the same
		tells  []string
	}{
		{"the same", nil, "", []string{"as recorded: accepted"}},
		{"SP 800-57, before its end", func(cfg *evidence.JudgeConfig) { cfg.Algorithms = verify.SP80057Policy() }, "",
			[]string{"as recorded", "another policy: recorded citizencert-strict 2026.1, now nist-sp800-57 2026.1"}},
		{"another profile", func(cfg *evidence.JudgeConfig) {
			cfg.Scheme.Profile.Name, cfg.Scheme.Profile.KeyUsage = "binding", x509.KeyUsageContentCommitment
		}, verify.ReasonProfile, []string{"verdict: recorded accepted, now refused", "check that refused: recorded none, now profile", "another profile: recorded moica-test, now binding"}},
		{"another PKI", func(cfg *evidence.JudgeConfig) {
			cfg.Scheme.Anchors = []*x509.Certificate{w.G2.Root.Cert}
			cfg.Scheme.Intermediates = []*x509.Certificate{w.G2.MOICA.Cert}
		}, verify.ReasonUntrusted, []string{"reason: recorded none, now untrusted"}},
		{"another environment", func(cfg *evidence.JudgeConfig) { cfg.Scheme.Environment = verify.Custom }, verify.ReasonEnvironment,
			[]string{"reason: recorded none, now environment", "another environment: recorded test, now custom"}},
		{"revocation not asked", func(cfg *evidence.JudgeConfig) { cfg.InsecureSkipRevocation = true }, "",
			[]string{"another question of revocation: recorded asked, now skipped", "statuses: recorded 2, now 0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, err := w.judge(t, tt.change).Judge(t.Context(), f.Record, nil)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case tt.reason == "" && j.Refusal != nil:
				t.Errorf("got %v, want it accepted", j)
			case tt.reason != "" && (j.Refusal == nil || j.Refusal.Reason != tt.reason || j.Same()):
				t.Errorf("got %v, want reason %s", j, tt.reason)
			}
			for _, text := range tt.tells {
				if !strings.Contains(j.String(), text) {
					t.Errorf("got %q, want it to tell %q", j, text)
				}
			}
		})
	}
}

// SHA-1 counts for what is proven to have existed while it did, when it is judged
// again too.
func TestHistoricalPolicy(t *testing.T) {
	w := newWorld(t)
	before := noon().Add(-30 * time.Minute)
	historical := verify.HistoricalPolicy(before)
	der := w.sign(t, "a filing", &pkitest.CMSOptions{Hash: crypto.SHA1})
	r := &evidence.Recorder{Verifier: w.verifier(t, func(cfg *verify.Config) { cfg.Algorithms = historical })}
	judge := w.judge(t, func(cfg *evidence.JudgeConfig) { cfg.Algorithms = historical })
	for _, tt := range []struct {
		received time.Time
		want     verify.Reason
	}{{before.Add(-time.Second), ""}, {before, verify.ReasonAlgorithm}} {
		f := reread(t, ask(t, r, evidence.Question{Method: evidence.SignedData, Signature: der, Options: &verify.Options{ReceivedAt: tt.received}}, nil, tt.want))
		wantSame(t, judge, f, nil)
		strict, err := w.judge(t, nil).Judge(t.Context(), f.Record, nil)
		if err != nil {
			t.Fatal(err)
		}
		if strict.Refusal == nil || strict.Refusal.Reason != verify.ReasonAlgorithm || strict.Same() != (tt.want != "") {
			t.Errorf("received at %v: under the strict policy got %v", tt.received, strict)
		}
	}
}

// What is neither in a record nor in the store is missing, by name.
func TestMissing(t *testing.T) {
	w := newWorld(t)
	r := w.recorder(t)
	r.Store, r.SignaturesApart = new(evidence.Memory), true
	q := evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", nil)}
	f := ask(t, r, q, nil, "")
	for _, tt := range []struct {
		name  string
		store evidence.Store
		given *evidence.Given
		want  evidence.Kind
	}{
		{"signature", r.Store, nil, evidence.KindSignedData},
		{"another signature", r.Store, &evidence.Given{Signature: []byte("another")}, evidence.KindSignedData},
		{"store", nil, &evidence.Given{Signature: q.Signature}, evidence.KindCertificate},
		{"another store", new(evidence.Memory), &evidence.Given{Signature: q.Signature}, evidence.KindCertificate},
		{"nothing", r.Store, &evidence.Given{Signature: q.Signature}, ""},
	} {
		_, err := w.judge(t, func(cfg *evidence.JudgeConfig) { cfg.Store = tt.store }).Judge(t.Context(), f.Record, tt.given)
		if e, ok := errors.AsType[*evidence.MissingError](err); ok != (tt.want != "") || ok && e.Kind != tt.want {
			t.Errorf("%s: got %v, want missing %q", tt.name, err, tt.want)
		}
	}
}

// A verdict that cannot be recorded is none.
func TestNoRecordNoResult(t *testing.T) {
	w := newWorld(t)
	r := w.recorder(t)
	full := errors.New("the disk is full")
	r.Store = failing{full}
	rec, res, err := r.Ask(t.Context(), evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", nil)}, nil)
	if rec != nil || res != nil || !errors.Is(err, full) {
		t.Errorf("got %v, %v, %v, want the error of the store alone", rec, res, err)
	}
	if _, _, err := r.Ask(t.Context(), evidence.Question{}, nil); err == nil {
		t.Error("got no error for a question without a method")
	}
	if _, err := r.Record(t.Context(), evidence.Question{Method: evidence.SignedData}, noon(), nil, nil); err == nil {
		t.Error("got no error without result and refusal")
	}
}

// Evidence holds a person's certificate. Logs do not.
func TestRedacted(t *testing.T) {
	w := newWorld(t)
	q := evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing of 王測試", nil)}
	f := ask(t, w.recorder(t), q, nil, "")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("kept", "file", f, "record", f.Record, "question", &q)
	slog.New(slog.NewTextHandler(&log, nil)).Info("kept", "file", f, "record", f.Record, "question", &q)
	fmt.Fprintf(&log, "%v %+v %#v %v %+v %#v %v", f, f, f, f.Record, f.Record, f.Record, &q)
	if !strings.Contains(log.String(), f.Hash().String()) {
		t.Error("the hash of the record is not in the log")
	}
	testbed.Nameless(t, w.card, log.String())
	for _, personal := range []string{w.card.Cert.SerialNumber.Text(16), "MII", evidence.HashOf(w.card.Cert.Raw).String()} {
		if strings.Contains(log.String(), personal) {
			t.Errorf("%q is in the log: %s", personal, &log)
		}
	}
}

// A Judge has no sources but records.
func TestConfig(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*evidence.JudgeConfig){
		"sources":       func(cfg *evidence.JudgeConfig) { cfg.Status = w.sources(t) },
		"tsa's sources": func(cfg *evidence.JudgeConfig) { cfg.Timestamping.Status = w.sources(t) },
		"clock":         func(cfg *evidence.JudgeConfig) { cfg.Clock = time.Now },
		"no anchors":    func(cfg *evidence.JudgeConfig) { cfg.Scheme.Anchors = nil },
	} {
		cfg := evidence.JudgeConfig{Config: w.policy(t)}
		change(&cfg)
		if _, err := evidence.NewJudge(cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
