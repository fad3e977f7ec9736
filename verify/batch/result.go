package batch

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A Verdict is what became of a filing.
type Verdict string

// The verdicts. A filing is Undecided if a status could not be learned, and Failed
// if it could not be judged at all.
const (
	Valid     Verdict = "valid"
	Refused   Verdict = "refused"
	Undecided Verdict = "undecided"
	Failed    Verdict = "failed"
)

// The reasons that results have beside those of package verify.
const (
	ReasonReceiptMissing verify.Reason = "receipt-missing" // the source does not say when it was received
	ReasonSignerMismatch verify.Reason = "signer-mismatch" // everything is in order, but another than the expected has signed
	ReasonUnreadable     verify.Reason = "unreadable"      // a part of it could not be opened or read
	ReasonDeadline       verify.Reason = "deadline"        // it took longer than Config.ItemTimeout
	ReasonPanic          verify.Reason = "panic"           // the code that judged it gave up
	ReasonShard          verify.Reason = "shard"           // its shard came to no end on other machines
)

// A Result is what came of one filing, and a line of a results file. Digests are
// SHA-256 in hexadecimal.
type Result struct {
	Generation int    `json:"generation"` // 0, and one more with each retry
	Shard      int64  `json:"shard"`      // from 0, in each generation
	Index      int64  `json:"index"`      // place in the source, from 0
	Item       string `json:"item"`       // Item.Name

	Signature string `json:"signature,omitempty"` // digest of the signature as it was read; if it was not, ""
	Content   string `json:"content,omitempty"`   // digest of the content, where it was apart and read to its end

	Verdict   Verdict       `json:"verdict"`
	Reason    verify.Reason `json:"reason,omitempty"`
	Message   string        `json:"message,omitempty"` // for people
	Retryable bool          `json:"retryable,omitempty"`

	// Certificate is the digest of the certificate at fault, if one is.
	Certificate string `json:"certificate,omitempty"`

	Signers []Signer `json:"signers,omitempty"` // of a valid filing

	ReceivedAt time.Time          `json:"receivedAt,omitzero"`
	At         time.Time          `json:"at,omitzero"` // the instant of judgement, of a valid filing
	AtKind     verify.InstantKind `json:"atKind,omitempty"`

	Policy        string `json:"policy"`
	PolicyVersion string `json:"policyVersion"`
	Profile       string `json:"profile"`

	Micros int64 `json:"micros"` // how long it took, in microseconds

	// Evidence is the record of the verdict, as package evidence encodes it: what the
	// verifier was asked, by what it judged, and what its answer rests on. It refers to
	// the signature by its digest, and to all else in the Keeper. Empty without a
	// Keeper, and where a filing was not put to the verifier.
	Evidence json.RawMessage `json:"evidence,omitempty"`
}

// A Signer is one who has signed a valid filing.
type Signer struct {
	// Pseudonym is HMAC-SHA-256 of environment, scheme and holder number under
	// Config.PseudonymKey, or of the certificate where a scheme knows no number.
	Pseudonym string    `json:"pseudonym"`
	Identity  *Identity `json:"identity,omitempty"` // with Config.IncludeIdentity

	Issuer     string             `json:"issuer"` // scheme and generation, or the name of the issuing CA
	Algorithm  string             `json:"algorithm"`
	Path       []string           `json:"path"`       // digests of the certificates, anchor last
	Revocation []Revocation       `json:"revocation"` // of each but the anchor; none if it was skipped
	Timestamps []string           `json:"timestamps,omitempty"`
	Deviations []verify.Deviation `json:"deviations,omitempty"`
}

// An Identity is verify.Identity in a result.
type Identity struct {
	SerialNumber string         `json:"serialNumber"`
	Name         string         `json:"name"`
	LastFour     string         `json:"lastFour,omitempty"`
	Kind         verify.Kind    `json:"kind,omitempty"`
	Carrier      verify.Carrier `json:"carrier,omitempty"`
}

// A Revocation is what was learned of one certificate's status.
type Revocation struct {
	Status             string    `json:"status"` // of verify.Status
	Rung               string    `json:"rung"`   // of verify.Rung
	Source             string    `json:"source"`
	ThisUpdate         time.Time `json:"thisUpdate"`
	NextUpdate         time.Time `json:"nextUpdate,omitzero"`
	RevokedAfter       time.Time `json:"revokedAfter,omitzero"`
	SuspensionExcluded bool      `json:"suspensionExcluded"`
	Evidence           []string  `json:"evidence"` // digests of the answer or list, and of what it rests on
}

// newResult begins the result of an item.
func (r *Runner) newResult(item *Item) *Result {
	return &Result{
		Index: item.index, Item: item.Name, ReceivedAt: item.ReceivedAt.UTC(),
		Policy: r.policy.Name, PolicyVersion: r.policy.Version, Profile: r.policy.Profile,
	}
}

func (res *Result) refuse(verdict Verdict, reason verify.Reason, err error) {
	res.Verdict, res.Reason, res.Message = verdict, reason, err.Error()
	res.Retryable = verdict == Undecided || reason == ReasonUnreadable
}

// unreadable says that a part could not be read, or was larger than accepted.
func (res *Result) unreadable(err error) {
	if large, ok := errors.AsType[tooLarge](err); ok {
		res.refuse(Refused, verify.ReasonLimit, large)
		return
	}
	res.refuse(Failed, ReasonUnreadable, err)
}

// fill completes the result by what the verifier has said.
func (r *Runner) fill(res *Result, item *Item, verdict *verify.Result, err error) {
	if err != nil {
		r.fillRefusal(res, err)
		return
	}
	res.At, res.AtKind = verdict.At.UTC(), verdict.AtKind
	if !signedBy(verdict, item.Signer) {
		res.refuse(Refused, ReasonSignerMismatch, errors.New("batch: the expected holder is not among the signers"))
		return
	}
	res.Signers = make([]Signer, len(verdict.Signers))
	for i := range verdict.Signers {
		res.Signers[i] = r.newSigner(&verdict.Signers[i])
	}
	res.Verdict = Valid
}

func signedBy(verdict *verify.Result, expected string) bool {
	for i := range verdict.Signers {
		if expected == "" || verdict.Signers[i].Identity.SerialNumber == expected {
			return true
		}
	}
	return false
}

func (r *Runner) fillRefusal(res *Result, err error) {
	e, ok := errors.AsType[*verify.Error](err)
	if !ok {
		res.refuse(Failed, ReasonUnreadable, err)
		return
	}
	switch {
	case e.Reason == verify.ReasonCanceled:
		res.unreadable(e) // the deadline is noticed by who has set it
	case e.Retryable():
		res.refuse(Undecided, e.Reason, e)
	default:
		res.refuse(Refused, e.Reason, e)
	}
	if e.Cert != nil {
		res.Certificate = nameOf(e.Cert.Raw)
	}
}

func (r *Runner) newSigner(s *verify.Signer) Signer {
	out := Signer{
		Pseudonym: r.pseudonym(s), Issuer: issuerName(s), Algorithm: s.SignatureAlgorithm, Path: r.pathReference(s.Path),
		Revocation: make([]Revocation, len(s.Revocation)), Deviations: s.Deviations,
	}
	if r.cfg.IncludeIdentity {
		id := s.Identity
		out.Identity = &Identity{id.SerialNumber, id.Name, id.LastFour, id.Kind, id.Carrier}
	}
	for i := range s.Revocation {
		out.Revocation[i] = r.newRevocation(&s.Revocation[i])
	}
	for i := range s.Timestamps {
		if s.Timestamps[i].Err == nil {
			out.Timestamps = append(out.Timestamps, nameOf(s.Timestamps[i].DER))
		}
	}
	return out
}

func (r *Runner) newRevocation(f *verify.RevocationFact) Revocation {
	out := Revocation{
		Status: f.Status.String(), Rung: f.Report.Rung.String(), Source: f.Report.Source,
		ThisUpdate: f.Report.ThisUpdate.UTC(), NextUpdate: f.Report.NextUpdate.UTC(),
		RevokedAfter: f.RevokedAfter.UTC(), SuspensionExcluded: f.SuspensionExcluded,
		Evidence: make([]string, 0, 1+len(f.Report.With)),
	}
	out.Evidence = append(out.Evidence, r.reportReference(&f.Report))
	for i := range f.Report.With {
		out.Evidence = append(out.Evidence, r.reportReference(&f.Report.With[i]))
	}
	return out
}
