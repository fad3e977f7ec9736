package evidence

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/citizencert/citizencert/internal/digest"
	"github.com/citizencert/citizencert/verify"
)

// A Recorder asks a Verifier and writes down what it answers, and what on. It is
// safe for concurrent use, and must not be modified after first use.
type Recorder struct {
	// Verifier is who is asked. Required.
	Verifier *verify.Verifier

	// Store keeps the certificates, OCSP answers, revocation lists and time-stamp
	// tokens, and records refer to it. If nil, each record has all of them inside.
	Store Store

	// SignaturesApart leaves out what was signed and the signature, of which records
	// then have the digest: the service keeps them itself.
	SignaturesApart bool

	// Software names the program that judges, with its version. May be empty.
	Software string

	shared digest.Shared
}

// Ask asks the question and records the answer. content is what was signed, for
// Detached, or the document, for Statement; it is hashed once more as it is read. A
// refusal is recorded too, and returned as the [*verify.Error] that it is. Any other
// error means that there is no record, and then no result either: a verdict that
// cannot be accounted for is none.
//
// Question.Sums is filled in from content, if that is read to its end: a refusal can
// come before. Then what the caller has filled in stands.
func (r *Recorder) Ask(ctx context.Context, q Question, content io.Reader) (*Record, *verify.Result, error) {
	if err := q.check(); err != nil {
		return nil, nil, err
	}
	clock := r.Verifier.Now()
	var d *Digester
	if q.apart() && content != nil {
		d = q.Digester(content)
		content = d
	}
	res, refusal := q.ask(ctx, r.Verifier, content)
	if d != nil {
		if sums := d.Sums(); sums != nil {
			q.Sums = sums
		}
	}
	rec, err := r.record(ctx, &q, clock, res, refusal)
	if err != nil {
		return nil, nil, err
	}
	return rec, res, refusal
}

// Record records an answer that the Verifier has given to whoever asked it: a result
// or a [*verify.Error]. clock is the time by the Verifier's clock when it was asked;
// of a verdict for now, that is Result.At.
func (r *Recorder) Record(ctx context.Context, q Question, clock time.Time, res *verify.Result, refusal error) (*Record, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	return r.record(ctx, &q, clock, res, refusal)
}

func (r *Recorder) record(ctx context.Context, q *Question, clock time.Time, res *verify.Result, refusal error) (*Record, error) {
	refused, ok := errors.AsType[*verify.Error](refusal)
	switch {
	case refusal != nil && !ok:
		return nil, refusal
	case (res == nil) == (refused == nil):
		return nil, errors.New("evidence: want a result or a refusal")
	case q.Signature == nil && !q.SignatureHash.IsZero() && !r.SignaturesApart:
		return nil, errors.New("evidence: the signature is not at hand: want Recorder.SignaturesApart")
	}
	if res != nil && res.AtKind == verify.InstantNow {
		clock = res.At // of this call, and not a moment before
	}
	b := &builder{ctx: ctx, recorder: r, record: &Record{Basis: r.basis(q, clock)}}
	b.asked(q)
	if res != nil {
		b.result(res)
	} else {
		b.refused(refused)
	}
	if b.err != nil {
		return nil, b.err
	}
	return b.record, nil
}

func (r *Recorder) basis(q *Question, clock time.Time) Basis {
	v := r.Verifier.Basis()
	b := Basis{
		Clock:             instant(clock),
		Scheme:            v.Scheme,
		Environment:       v.Environment.String(),
		Policy:            v.Policy,
		PolicyVersion:     v.PolicyVersion,
		Profile:           v.Profile,
		Tolerated:         v.Tolerated,
		RevocationSkipped: v.RevocationSkipped,
		Software:          r.Software,
	}
	if profile := q.options().Profile; profile != nil {
		b.Profile = profile.Name
	}
	return b
}

// A builder makes a record. It keeps its first error.
type builder struct {
	ctx      context.Context
	recorder *Recorder
	record   *Record
	err      error
}

// object adds an object, unless it is there, and returns its hash.
func (b *builder) object(kind Kind, data []byte) Hash {
	hash := HashOf(data)
	b.hashed(kind, hash, data)
	return hash
}

// hashed adds an object whose hash is known, unless it is there, and returns its entry.
func (b *builder) hashed(kind Kind, hash Hash, data []byte) *Object {
	o, added := b.place(kind, hash, int64(len(data)))
	if added {
		b.keep(o, data)
	}
	return o
}

// place returns the entry of an object, which is added unless it is there. There are
// few: looking through them costs less than an index would.
func (b *builder) place(kind Kind, hash Hash, size int64) (o *Object, added bool) {
	all := b.record.Objects
	for i := range all {
		if all[i].SHA256 == hash {
			return &all[i], false
		}
	}
	if all == nil {
		all = make([]Object, 0, 8) // a signature, a path of three, two statements of status
	}
	b.record.Objects = append(all, Object{Kind: kind, SHA256: hash, Size: size})
	return &b.record.Objects[len(all)], true
}

// signature adds what the question is about.
func (b *builder) signature(kind Kind, q *Question) Hash {
	if q.SignatureHash.IsZero() || !b.recorder.SignaturesApart {
		return b.object(kind, q.Signature)
	}
	b.place(kind, q.SignatureHash, q.SignatureSize)
	return q.SignatureHash
}

// keep puts the bytes where the recorder wants them.
func (b *builder) keep(o *Object, data []byte) {
	switch o.Kind {
	case KindSignedData, KindSignature, KindSigned:
		if !b.recorder.SignaturesApart {
			o.Data = data
		}
	default:
		if b.recorder.Store == nil {
			o.Data = data
			return
		}
		if err := b.recorder.Store.Put(b.ctx, o.SHA256, data); err != nil && b.err == nil {
			b.err = err
		}
	}
}

func (b *builder) certificate(cert *x509.Certificate) Hash {
	if cert == nil {
		return Hash{}
	}
	hash := Hash(b.recorder.shared.OfCertificate(cert))
	b.hashed(KindCertificate, hash, cert.Raw)
	return hash
}

func (b *builder) path(path []*x509.Certificate) []Hash {
	if len(path) == 0 {
		return nil
	}
	hashes := make([]Hash, len(path))
	for i, cert := range path {
		hashes[i] = b.certificate(cert)
	}
	return hashes
}

var useNames = map[verify.Use]string{
	verify.UseFiling: "filing", verify.UseSignIn: "sign-in", verify.UseHistorical: "historical",
}

func (b *builder) asked(q *Question) {
	opts := q.options()
	a := &b.record.Asked
	*a = Asked{
		Method:       q.Method,
		Use:          useNames[q.use()],
		Line:         text(opts.Line),
		Host:         text(q.Host),
		Service:      text(q.Service),
		Content:      digestsOf(q.Sums),
		ReceivedAt:   instant(opts.ReceivedAt),
		ContentTypes: opts.ContentTypes,
		MinSigners:   opts.InsecureMinSigners,
	}
	switch {
	case q.bare():
		a.Signature = b.signature(KindSignature, q)
		a.Algorithm = q.algorithm().String()
	case q.Method != Certificate:
		a.Signature = b.signature(KindSignedData, q)
	}
	if q.Certificate != nil {
		a.Certificate = b.object(KindCertificate, q.Certificate)
	}
	if q.Method == Signature && string(q.Signed) != opts.Line {
		a.Signed = b.object(KindSigned, q.Signed)
	}
	for _, der := range opts.Certificates {
		a.Certificates = append(a.Certificates, b.object(KindCertificate, der))
	}
	for _, der := range opts.Timestamps {
		a.Timestamps = append(a.Timestamps, b.object(KindTimestamp, der))
	}
	for _, e := range opts.Evidence {
		switch e.Kind {
		case verify.CertificateEvidence:
			a.Certificates = append(a.Certificates, b.object(KindCertificate, e.DER))
		case verify.TimestampEvidence:
			a.Timestamps = append(a.Timestamps, b.object(KindTimestamp, e.DER))
		}
	}
}

func (b *builder) result(res *verify.Result) {
	v := &b.record.Verdict
	v.Outcome, v.At, v.AtKind = Accepted, instant(res.At), res.AtKind
	for i := range res.Signers {
		v.Signers = append(v.Signers, b.signer(&res.Signers[i]))
	}
	for _, e := range res.Refused {
		v.Refusals = append(v.Refusals, b.refusal(e))
	}
}

func (b *builder) refused(e *verify.Error) {
	refusal := b.refusal(e)
	v := &b.record.Verdict
	v.Outcome, v.Refusal = Refused, &refusal
	for _, other := range e.Signers {
		v.Refusals = append(v.Refusals, b.refusal(other))
	}
}

func (b *builder) refusal(e *verify.Error) Refusal {
	for i := range e.Reports {
		b.report(&e.Reports[i])
		for j := range e.Reports[i].With {
			b.report(&e.Reports[i].With[j])
		}
	}
	b.path(e.Path())
	return Refusal{
		Reason: e.Reason, Check: e.Check, Signer: e.Signer, Certificate: b.certificate(e.Cert),
		Retryable: e.Retryable(), Message: text(e.Error()),
	}
}

func (b *builder) signer(s *verify.Signer) Signer {
	out := Signer{
		Index:              s.Index,
		Path:               b.path(s.Path),
		DigestAlgorithm:    s.DigestAlgorithm,
		SignatureAlgorithm: s.SignatureAlgorithm,
		SigningTime:        instant(s.SigningTime),
		At:                 instant(s.At),
		AtKind:             s.AtKind,
		Deviations:         s.Deviations,
		Revocation:         b.facts(s.Revocation),
	}
	for i := range s.Timestamps {
		out.Timestamps = append(out.Timestamps, b.timestamp(&s.Timestamps[i]))
	}
	return out
}

func (b *builder) timestamp(t *verify.Timestamp) Timestamp {
	out := Timestamp{Token: b.object(KindTimestamp, t.DER)}
	if t.Err != nil {
		if e, ok := errors.AsType[*verify.Error](t.Err); ok {
			out.Reason = e.Reason
		}
		return out
	}
	out.Time, out.Latest = instant(t.Time), instant(t.Latest())
	out.Path, out.Revocation = b.path(t.Path), b.facts(t.Revocation)
	return out
}

func (b *builder) facts(facts []verify.RevocationFact) []Fact {
	var all []Fact
	for i := range facts {
		all = append(all, b.fact(&facts[i]))
	}
	return all
}

func (b *builder) fact(f *verify.RevocationFact) Fact {
	r := &f.Report
	out := Fact{
		Certificate:        b.certificate(f.Cert),
		Status:             f.Status.String(),
		Evidence:           b.report(r),
		ThisUpdate:         instant(r.ThisUpdate),
		NextUpdate:         instant(r.NextUpdate),
		ProducedAt:         instant(r.ProducedAt),
		SuspensionExcluded: f.SuspensionExcluded,
		RevokedAfter:       instant(f.RevokedAfter),
	}
	for i := range r.With {
		out.With = append(out.With, b.report(&r.With[i]))
	}
	if f.Later != nil {
		out.Later = b.report(f.Later)
	}
	if f.Other != nil {
		other := b.fact(f.Other)
		out.Other = &other
	}
	for _, a := range f.Authorities {
		out.SignedBy = append(out.SignedBy, Authority{b.path(a.Path), a.NoCheck, b.facts(a.Revocation)})
	}
	return out
}

func (b *builder) report(r *verify.StatusReport) Hash {
	hash := Hash(b.recorder.shared.OfReport(r))
	o := b.hashed(Kind(r.Kind), hash, r.DER)
	if source := text(r.Source); source != "" && !slices.Contains(o.Sources, source) {
		o.Sources = append(o.Sources, source)
	}
	return hash
}

// instant returns a time as records have it: in UTC, and equal if it is the same.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Round(0)
}

// text returns a text as JSON can hold it.
func text(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
