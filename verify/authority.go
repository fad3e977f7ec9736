package verify

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"github.com/citizencert/citizencert/internal/certpath"
)

// An Authority is who signed evidence of a status in place of the issuer of the
// certificate that it is about.
type Authority struct {
	// Path begins with the certificate whose key signed. For the signer of a list
	// it ends at the trust anchor, the same as that of the certificate's path. For
	// a delegated responder it ends at the issuer that certified it.
	Path []*x509.Certificate

	// Revocation has one fact for each certificate of Path but the last, unless
	// NoCheck is set: the CA has waived it for this responder by ocsp-nocheck (RFC
	// 6960, Section 4.2.2.2.1).
	Revocation []RevocationFact
	NoCheck    bool
}

// authorities finds out about who signs evidence, in one call.
type authorities struct {
	listers   map[listerKey]*Authority
	delegates map[delegateKey]delegateStatus
	pending   []learning // each for the one before it
	tried     int        // certificates that came with the message or the options

	room [2]learning // what pending begins with
}

type listerKey struct{ cert, anchor *x509.Certificate }

type delegateKey struct {
	der  string
	at   int64
	held bool
}

type delegateStatus struct {
	authority Authority
	err       error
}

// learn learns the status of a certificate whose path ends at the anchor, which
// vouches for others in one way or another.
func (c *call) learn(ctx context.Context, q StatusQuery, anchor *x509.Certificate) (RevocationFact, error) {
	return c.learnBy(ctx, q, anchor, nil)
}

// learnBy is learn with another rule than Judge, unless that is nil, for what a
// report proves.
func (c *call) learnBy(ctx context.Context, q StatusQuery, anchor *x509.Certificate, rule func(*StatusReport) (Status, error)) (RevocationFact, error) {
	return c.learnOn(ctx, q, anchor, rule, c.v.ladder.of(c.use).forAuthorities())
}

// learnOn is learnBy on given rungs.
func (c *call) learnOn(ctx context.Context, q StatusQuery, anchor *x509.Certificate, rule func(*StatusReport) (Status, error), rungs Rungs) (RevocationFact, error) {
	pending := &c.authorities.pending
	if *pending == nil {
		*pending = c.authorities.room[:0]
	}
	*pending = append(*pending, learning{call: c, query: q, anchor: anchor, rule: rule, rungs: rungs})
	defer func() { *pending = (*pending)[:len(*pending)-1] }()
	l := &(*pending)[len(*pending)-1]
	if q.SeparateCRLKeys = c.v.scheme.SeparateCRLKeys; q.SeparateCRLKeys {
		var refusals []error
		l.listers, refusals = c.listers(ctx, q, anchor)
		for _, lister := range l.listers {
			q.CRLIssuers = append(q.CRLIssuers, lister.Path[0])
		}
		l.refusals = refusals
	}
	return l.complete(c.v.learn(ctx, q, l))
}

// A learning is the climb for one certificate, as far as it is about who signs.
type learning struct {
	*call
	query    StatusQuery
	anchor   *x509.Certificate
	rule     func(*StatusReport) (Status, error) // or nil for Judge
	rungs    Rungs
	listers  []*Authority
	refusals []error // why certificates are not among listers
	seen     seenReports
	climb    climb
}

// vouch returns who signed a report, and the further lists it rests on, where that
// was not the issuer. It is an error if one of them must not be relied on. held
// keeps it from using the network.
func (l *learning) vouch(ctx context.Context, q StatusQuery, report *StatusReport, held bool) ([]Authority, error) {
	var all []Authority
	for i := -1; i < len(report.With); i++ {
		r := report
		if i >= 0 {
			r = &report.With[i]
		}
		// The certificate may be another one for the issuer's key, from an earlier call.
		if r.Signer == nil || sameKey(r.Signer, q.Issuer) {
			continue
		}
		var authority Authority
		var err error
		if r.Kind == CRLEvidence {
			authority, err = l.checkLister(r)
		} else {
			authority, err = l.checkDelegate(ctx, q, r, held)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, authority)
	}
	return all, nil
}

// checkLister checks that a list was signed by one of q.CRLIssuers before anything
// happened to it: with a key that was revoked later a list can be made later too.
func (l *learning) checkLister(r *StatusReport) (Authority, error) {
	i := slices.IndexFunc(l.listers, func(a *Authority) bool { return a.Path[0].Equal(r.Signer) })
	if i < 0 {
		return Authority{}, refuse(ReasonUntrusted, "the list was signed by nobody who may")
	}
	lister := l.listers[i]
	for i, fact := range lister.Revocation {
		cert := lister.Path[i]
		if r.ThisUpdate.After(cert.NotAfter) {
			return Authority{}, refuse(ReasonUntrusted, "certificate %s of the signer of the list expired before the list was made", serialOf(cert))
		}
		if !fact.RevokedAfter.IsZero() && !r.ThisUpdate.Before(fact.RevokedAfter) {
			return Authority{}, refuse(ReasonUntrusted, "certificate %s of the signer of the list was revoked before the list was made", serialOf(cert))
		}
	}
	return *lister, nil
}

var oidOCSPNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

// checkDelegate checks that a delegated responder has not been revoked, by lists
// alone: a responder that vouches for a responder would go round in circles (RFC
// 6960, Section 4.2.2.2.1). The key must be good when it signed and at the instant
// of judgement, whichever is later.
func (l *learning) checkDelegate(ctx context.Context, q StatusQuery, r *StatusReport, held bool) (Authority, error) {
	authority := Authority{Path: []*x509.Certificate{r.Signer, q.Issuer}}
	if q.ListsOnly {
		return authority, refuse(ReasonUntrusted, "a responder does not vouch for a responder")
	}
	if l.v.ladder.honoursNoCheck(r.Signer) {
		authority.NoCheck = true
		return authority, nil
	}
	at := q.At
	if r.ProducedAt.After(at) {
		at = r.ProducedAt
	}
	key := delegateKey{string(r.Signer.Raw), at.UnixNano(), held}
	if known, ok := l.authorities.delegates[key]; ok {
		return known.authority, known.err
	}
	fact, err := l.learn(ctx, StatusQuery{
		Cert: r.Signer, Issuer: q.Issuer, At: at, Now: q.Now, Supplied: q.Supplied, ListsOnly: true, HeldOnly: held,
	}, l.anchor)
	if err != nil {
		err = fmt.Errorf("status of the responder: %w", err)
	}
	authority.Revocation = []RevocationFact{fact}
	if l.authorities.delegates == nil {
		l.authorities.delegates = map[delegateKey]delegateStatus{}
	}
	l.authorities.delegates[key] = delegateStatus{authority, err}
	return authority, err
}

// discards reports whether evidence with a status must be left aside because of an
// error about its signer. A signer that is known to be bad says nothing. One of whom
// nothing could be learned is not believed if it accepts, but a refusal by it stands.
func discards(status Status, err error) bool {
	if err == nil {
		return false
	}
	e, ok := errors.AsType[*Error](err)
	final := ok && (e.Reason == ReasonRevoked || e.Reason == ReasonSuspended || e.Reason == ReasonUntrusted)
	return final || status == Good
}

// The bounds on looking for signers of lists. A CA has one key for its lists, and
// another while it changes from one to the next.
const (
	maxListersTried = 8 // certificates of a message and its options, in one call
	maxPending      = 4 // certificates whose status hangs on one another's
)

// listers returns the certificates besides the issuer's whose keys may sign lists
// about q.Cert (RFC 5280, Section 6.3.3 (f)): named as the issuer, or as a point of
// q.Cert names the issuer of an indirect list; with cRLSign, which is asked for
// explicitly here; with a valid path to the same anchor; and not revoked.
func (c *call) listers(ctx context.Context, q StatusQuery, anchor *x509.Certificate) (found []*Authority, refusals []error) {
	names, err := listIssuers(q.Cert)
	if err != nil {
		return nil, []error{syntaxError(err)}
	}
	known := slices.Concat(c.v.scheme.Anchors, c.v.scheme.Intermediates)
	var seen []*x509.Certificate
	for i, cert := range slices.Concat(known, c.hints) {
		named := slices.ContainsFunc(names, func(name []byte) bool { return certpath.SameName(name, cert.RawSubject) })
		if !named || cert.KeyUsage&x509.KeyUsageCRLSign == 0 || sameKey(cert, q.Issuer) || c.isPending(cert) || slices.ContainsFunc(seen, cert.Equal) {
			continue
		}
		seen = append(seen, cert)
		if i >= len(known) {
			if c.authorities.tried++; c.authorities.tried > maxListersTried {
				return found, append(refusals, refuse(ReasonLimit, "more than %d certificates may have signed lists", maxListersTried))
			}
		}
		lister, err := c.lister(ctx, cert, anchor)
		if err != nil {
			refusals = append(refusals, fmt.Errorf("signer of lists: %w", err))
			continue
		}
		found = append(found, lister)
	}
	return found, refusals
}

// isPending reports whether the status of a certificate, or of its key, is being
// learned: nobody vouches for itself, be it through others.
func (c *call) isPending(cert *x509.Certificate) bool {
	return slices.ContainsFunc(c.authorities.pending, func(l learning) bool { return sameKey(l.query.Cert, cert) })
}

func sameKey(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo)
}

// lister finds the path of a signer of lists to the anchor, and the status of its
// certificates.
func (c *call) lister(ctx context.Context, cert, anchor *x509.Certificate) (*Authority, error) {
	key := listerKey{cert, anchor}
	if known := c.authorities.listers[key]; known != nil {
		return known, nil
	}
	if len(c.authorities.pending) >= maxPending {
		return nil, refuse(ReasonLimit, "status of certificate %s hangs on those of more than %d others", serialOf(cert), maxPending)
	}
	path, err := c.v.paths.Find(cert, c.hints, certpath.Inputs{
		At:                     c.at,
		AllowAnchorAsEndEntity: true,
		Accept: func(path []*x509.Certificate) error {
			if !path[len(path)-1].Equal(anchor) {
				return &certpath.Error{Kind: certpath.Untrusted, Cert: cert, Err: errors.New("path ends at another trust anchor than the certificate's")}
			}
			return nil
		},
	})
	if err != nil {
		return nil, pathError(err)
	}
	lister := &Authority{Path: path, Revocation: make([]RevocationFact, len(path)-1)}
	for i := len(path) - 2; i >= 0; i-- {
		q := StatusQuery{Cert: path[i], Issuer: path[i+1], At: c.at, Now: c.now, Supplied: c.evidence}
		if lister.Revocation[i], err = c.learn(ctx, q, anchor); err != nil {
			return nil, err
		}
	}
	if c.authorities.listers == nil {
		c.authorities.listers = map[listerKey]*Authority{}
	}
	c.authorities.listers[key] = lister
	return lister, nil
}

// collect hands what a fact rests on to add.
func (f *RevocationFact) collect(add func(EvidenceKind, []byte)) {
	add(f.Report.Kind, f.Report.DER)
	for _, r := range f.Report.With {
		add(r.Kind, r.DER)
	}
	if f.Later != nil {
		add(f.Later.Kind, f.Later.DER)
	}
	for _, a := range f.Authorities {
		if f.Report.Kind == CRLEvidence { // a responder's certificate is in its answer
			for _, cert := range a.Path {
				add(CertificateEvidence, cert.Raw)
			}
		}
		for i := range a.Revocation {
			a.Revocation[i].collect(add)
		}
	}
	if f.Other != nil {
		f.Other.collect(add)
	}
}
