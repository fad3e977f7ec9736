package evidence

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// JudgeConfig says by what records are judged again.
type JudgeConfig struct {
	// Config is the policy: that under which the records were made, or another. The
	// anchors are in its Scheme; those in a record are believed as little as anything
	// else in it. Status and Clock are left empty, and so is
	// Timestamping.Status: what a record has is all that is asked, by the clock of the
	// verdict in it.
	verify.Config

	// Profiles are further profiles, of which a record may name one in place of that
	// of the scheme.
	Profiles []verify.Profile

	// Store has the objects that records refer to. It may be nil.
	Store Store

	// InsecureAllowSHA1Status admits revocation lists and OCSP answers that are signed
	// with SHA-1, which is how those about old generations are.
	InsecureAllowSHA1Status bool
}

// A Judge judges records again, from what they hold, without a network. It is safe
// for concurrent use.
type Judge struct {
	cfg     JudgeConfig
	shelves shelves

	mu   sync.Mutex
	idle []*replay
}

// A replay is a Verifier that is used for one record at a time, and takes its clock
// and its sources from that record.
type replay struct {
	verifier *verify.Verifier
	clock    time.Time
	answers  *answers
}

// NewJudge returns a Judge.
func NewJudge(cfg JudgeConfig) (*Judge, error) {
	if len(cfg.Status) > 0 || cfg.Timestamping != nil && len(cfg.Timestamping.Status) > 0 {
		return nil, errors.New("evidence: JudgeConfig has sources of status: a record is judged by what it holds")
	}
	if cfg.Clock != nil {
		return nil, errors.New("evidence: JudgeConfig has a Clock: a record is judged by its own")
	}
	j := &Judge{cfg: cfg, shelves: shelves{allowSHA1: cfg.InsecureAllowSHA1Status}}
	r, err := j.newReplay()
	if err != nil {
		return nil, err
	}
	j.idle = []*replay{r}
	return j, nil
}

func (j *Judge) newReplay() (*replay, error) {
	r := new(replay)
	cfg := j.cfg.Config
	cfg.Clock = r.now
	if !cfg.InsecureSkipRevocation {
		cfg.Status = []verify.StatusSource{r}
	}
	var err error
	if r.verifier, err = verify.New(cfg); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *replay) now() time.Time {
	if r.clock.IsZero() { // while it is made
		return time.Now()
	}
	return r.clock
}

// Status implements [verify.StatusSource].
func (r *replay) Status(ctx context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	return r.answers.Status(ctx, q)
}

func (j *Judge) take() (*replay, error) {
	j.mu.Lock()
	if n := len(j.idle); n > 0 {
		r := j.idle[n-1]
		j.idle = j.idle[:n-1]
		j.mu.Unlock()
		return r, nil
	}
	j.mu.Unlock()
	return j.newReplay()
}

func (j *Judge) put(r *replay) {
	r.answers = nil
	j.mu.Lock()
	j.idle = append(j.idle, r)
	j.mu.Unlock()
}

// Given is what a record may have only the hash of, and the service keeps itself.
type Given struct {
	// Signature is the SignedData, or the bare signature; Signed what a bare one is
	// over.
	Signature, Signed []byte

	// Content is the content that was signed, or the document. Without it, its
	// recorded digests stand for it, and Judgement.ByDigest is set.
	Content io.Reader
}

// ErrContentMissing is the error about a record that does not have the digests of
// its content, since it was refused before that was read, and the content is not
// given either.
var ErrContentMissing = errors.New("evidence: the content is not given, and the record does not have its digest")

// Judge asks the question of a record again, of the policy of the Judge, and compares
// the answers. given may be nil.
//
// An error means that the question could not be asked: an object is missing
// ([*MissingError]) or damaged ([*DamageError]), a store could not be read. That the
// record is refused now, or was then, is not an error.
func (j *Judge) Judge(ctx context.Context, rec *Record, given *Given) (*Judgement, error) {
	if given == nil {
		given = new(Given)
	}
	m := &material{ctx: ctx, store: j.cfg.Store, objects: make(map[Hash]*Object, len(rec.Objects))}
	for i := range rec.Objects {
		m.objects[rec.Objects[i].SHA256] = &rec.Objects[i]
	}
	m.give(given)
	q, err := j.question(rec, m)
	if err != nil {
		return nil, err
	}
	byDigest := q.apart() && given.Content == nil
	if byDigest && len(q.Sums) == 0 {
		return nil, ErrContentMissing
	}
	answers, err := j.answers(rec, m)
	if err != nil {
		return nil, err
	}
	if rec.Basis.Environment != j.cfg.Scheme.Environment.String() {
		return j.otherEnvironment(rec), nil
	}
	r, err := j.take()
	if err != nil {
		return nil, err
	}
	defer j.put(r)
	r.clock, r.answers = rec.Basis.Clock, answers
	recorder := &Recorder{Verifier: r.verifier, Software: rec.Basis.Software}
	again, res, err := recorder.Ask(ctx, *q, given.Content)
	refused, ok := errors.AsType[*verify.Error](err)
	switch {
	case err != nil && !ok:
		return nil, err
	case ok && refused.Reason == verify.ReasonCanceled && ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return newJudgement(rec, again, res, refused, byDigest), nil
}

// otherEnvironment refuses what was judged in another environment: test and
// production do not mix, in what is kept either.
func (j *Judge) otherEnvironment(rec *Record) *Judgement {
	refused := &verify.Error{
		Reason: verify.ReasonEnvironment, Signer: -1, Check: verify.CheckPath,
		Err: fmt.Errorf("the record is of environment %.20q, and the policy for %v", rec.Basis.Environment, j.cfg.Scheme.Environment),
	}
	again := &Record{Asked: rec.Asked, Basis: rec.Basis, Verdict: Verdict{
		Outcome: Refused,
		Refusal: &Refusal{Reason: refused.Reason, Check: refused.Check, Signer: -1, Message: refused.Error()},
	}}
	again.Basis.Environment = j.cfg.Scheme.Environment.String()
	return newJudgement(rec, again, nil, refused, false)
}

// question makes the question of a record.
func (j *Judge) question(rec *Record, m *material) (*Question, error) {
	a := &rec.Asked
	opts := &verify.Options{
		ReceivedAt:         a.ReceivedAt,
		Line:               a.Line,
		ContentTypes:       a.ContentTypes,
		InsecureMinSigners: a.MinSigners,
	}
	for use, name := range useNames {
		if name == a.Use {
			opts.Use = use
		}
	}
	if opts.Use == verify.UseDefault {
		return nil, &DamageError{Part: "record", Err: fmt.Errorf("use %.20q is not one", a.Use)}
	}
	if name := rec.Basis.Profile; name != j.cfg.Scheme.Profile.Name {
		for i := range j.cfg.Profiles {
			if j.cfg.Profiles[i].Name == name {
				opts.Profile = &j.cfg.Profiles[i]
			}
		}
	}
	q := &Question{Method: a.Method, Host: a.Host, Service: a.Service, Options: opts}
	if err := q.check(); err != nil {
		return nil, err
	}
	var err error
	if q.Sums, err = sumsOf(a.Content); err != nil {
		return nil, err
	}
	if q.Signature, err = m.optional(a.Signature); err != nil {
		return nil, err
	}
	if q.Certificate, err = m.optional(a.Certificate); err != nil {
		return nil, err
	}
	if q.Signed, err = m.optional(a.Signed); err != nil {
		return nil, err
	}
	if q.Method == Signature && a.Signed.IsZero() {
		q.Signed = []byte(a.Line)
	}
	if q.bare() {
		if q.Algorithm, err = algorithmNamed(a.Algorithm); err != nil {
			return nil, err
		}
	}
	if opts.Certificates, err = m.all(a.Certificates); err != nil {
		return nil, err
	}
	if opts.Timestamps, err = m.all(a.Timestamps); err != nil {
		return nil, err
	}
	return q, j.addPaths(rec, m, opts)
}

// addPaths adds the certificates that the verdict rests on, as the hints that they
// are: intermediates, and those who signed lists.
func (j *Judge) addPaths(rec *Record, m *material, opts *verify.Options) error {
	for i := range rec.Objects {
		if rec.Objects[i].Kind != KindCertificate {
			continue
		}
		der, err := m.get(rec.Objects[i].SHA256)
		if err != nil {
			return err
		}
		known := false
		for _, other := range opts.Certificates {
			known = known || bytes.Equal(der, other)
		}
		if !known {
			opts.Certificates = append(opts.Certificates, der)
		}
	}
	return nil
}

// answers makes a source of status of a record.
func (j *Judge) answers(rec *Record, m *material) (*answers, error) {
	a := &answers{allowSHA1: j.cfg.InsecureAllowSHA1Status}
	var lists []listed
	for i := range rec.Objects {
		o := &rec.Objects[i]
		if o.Kind != KindOCSP && o.Kind != KindCRL {
			continue
		}
		der, err := m.get(o.SHA256)
		if err != nil {
			return nil, err
		}
		if o.Kind == KindOCSP {
			a.ocsp = append(a.ocsp, sourced{der, firstOf(o.Sources)})
			continue
		}
		lists = append(lists, listed{o.SHA256, der, o.Sources})
		for _, source := range o.Sources {
			if source == verify.SourceSupplied {
				a.supplied = append(a.supplied, verify.Evidence{Kind: verify.CRLEvidence, DER: der})
			}
		}
	}
	var err error
	a.lists, err = j.shelves.open(lists)
	return a, err
}

func firstOf(sources []string) string {
	if len(sources) == 0 {
		return "recorded"
	}
	return sources[0]
}

// algorithmNamed is the inverse of x509.SignatureAlgorithm.String.
func algorithmNamed(name string) (x509.SignatureAlgorithm, error) {
	for alg := x509.MD2WithRSA; alg <= x509.PureEd25519; alg++ {
		if alg.String() == name {
			return alg, nil
		}
	}
	return 0, &DamageError{Part: "record", Err: fmt.Errorf("signature algorithm %.20q is not one", name)}
}
