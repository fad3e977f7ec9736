package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/verify"
)

// A verdict is the report of verify and certificate. As in the SDK, a refused
// message has no signers.
type verdict struct {
	Verdict   string        `json:"verdict"` // valid or refused
	Reason    verify.Reason `json:"reason"`  // empty if valid
	Message   string        `json:"message"`
	Retryable bool          `json:"retryable"`
	Signers   []signer      `json:"signers"`

	// RefusedSigners are what was wrong with each SignerInfo that did not pass, if
	// there are several: with a refused message, and with a valid one if fewer than
	// all had to pass.
	RefusedSigners []refusedSigner `json:"refusedSigners,omitempty"`

	// The verdict in the terms of ETSI EN 319 102-1.
	Indication    verify.Indication    `json:"indication"`
	SubIndication verify.SubIndication `json:"subIndication"` // empty if valid

	Policy            string             `json:"policy"` // the algorithm policy and its version
	Profile           string             `json:"profile"`
	Environment       verify.Environment `json:"environment"`
	At                time.Time          `json:"at,omitzero"`
	AtKind            verify.InstantKind `json:"atKind,omitempty"`
	RevocationSkipped bool               `json:"revocationSkipped"`

	Explanation *explanation `json:"explanation,omitempty"` // with -explain
}

// An explanation is how a verdict came about.
type explanation struct {
	Sentence map[string]string `json:"sentence"` // for the citizen, by language
	Trace    verify.Trace      `json:"trace"`
}

// An explained is what can be explained: a result or an error.
type explained interface {
	Explain() verify.Trace
	Sentence(lang string) string
}

func (t *trust) explanation(of explained) *explanation {
	if !t.explain {
		return nil
	}
	return &explanation{map[string]string{"zh-TW": of.Sentence("zh-TW"), "en": of.Sentence("en")}, of.Explain()}
}

type signer struct {
	Index              int                `json:"index"`   // of the SignerInfo in the message
	Subject            string             `json:"subject"` // RFC 4514, like all names
	Issuer             string             `json:"issuer"`
	Serial             string             `json:"serial"` // hexadecimal
	Path               []string           `json:"path"`   // subjects, anchor last
	DigestAlgorithm    string             `json:"digestAlgorithm,omitempty"`
	SignatureAlgorithm string             `json:"signatureAlgorithm,omitempty"`
	SigningTime        time.Time          `json:"signingTime,omitzero"` // the signer's claim
	Identity           *identity          `json:"identity,omitempty"`
	At                 time.Time          `json:"at,omitzero"`          // as in the verdict, of this signer
	Timestamps         []timestamp        `json:"timestamps,omitempty"` // those beside the SignedData first
	Deviations         []verify.Deviation `json:"deviations,omitempty"` // the rules that were waived
	Revocation         []revocationFact   `json:"revocation"`           // in the order of path, without the anchor
}

// A refusedSigner is a SignerInfo that did not pass.
type refusedSigner struct {
	Index         int                  `json:"index"`
	Check         verify.Check         `json:"check"`
	Reason        verify.Reason        `json:"reason"`
	Message       string               `json:"message"`
	Retryable     bool                 `json:"retryable"`
	Indication    verify.Indication    `json:"indication"`
	SubIndication verify.SubIndication `json:"subIndication"`
}

func newRefusedSigners(errs []*verify.Error) []refusedSigner {
	var all []refusedSigner
	for _, e := range errs {
		s := refusedSigner{Index: e.Signer, Check: e.Check, Reason: e.Reason, Message: e.Error(), Retryable: e.Retryable()}
		s.Indication, s.SubIndication = e.Indication()
		all = append(all, s)
	}
	return all
}

type identity struct {
	Scheme       string         `json:"scheme"`
	SerialNumber string         `json:"serialNumber"`
	Name         string         `json:"name"`
	Kind         verify.Kind    `json:"kind"`
	Carrier      verify.Carrier `json:"carrier"`
	LastFour     string         `json:"lastFour,omitempty"`
	Generation   string         `json:"generation,omitempty"`
}

type revocationFact struct {
	Serial             string        `json:"serial"`
	Status             verify.Status `json:"status"`
	Rung               verify.Rung   `json:"rung"`
	Source             string        `json:"source"`
	ThisUpdate         time.Time     `json:"thisUpdate"`
	NextUpdate         time.Time     `json:"nextUpdate,omitzero"`
	RevokedAfter       time.Time     `json:"revokedAfter,omitzero"`
	SuspensionExcluded bool          `json:"suspensionExcluded"`
	SignedBy           []authority   `json:"signedBy,omitempty"` // if not by the issuer
	Failed             []string      `json:"failed,omitempty"`   // what other sources said
}

// An authority is a delegated responder, or who else signs lists.
type authority struct {
	Subject string `json:"subject"`
	Serial  string `json:"serial"`
	Status  string `json:"status"` // good, or no-check as the CA has waived it
}

// newVerdict makes the report of a call of the SDK. An error that is no verdict is
// returned as it is.
func (t *trust) newVerdict(res *verify.Result, err error) (report, error) {
	v := &verdict{
		Verdict:     "refused",
		Signers:     []signer{},
		Policy:      t.policy.String(),
		Profile:     t.profileName(),
		Environment: t.environment(),
	}
	if err != nil {
		refused, ok := errors.AsType[*verify.Error](err)
		if !ok {
			return nil, err
		}
		v.Reason, v.Message, v.Retryable = refused.Reason, refused.Error(), refused.Retryable()
		v.Indication, v.SubIndication = refused.Indication()
		v.RefusedSigners = newRefusedSigners(refused.Signers)
		v.Explanation = t.explanation(refused)
		return v, nil
	}
	v.Verdict, v.Indication, v.Explanation = "valid", res.Indication(), t.explanation(res)
	v.At, v.AtKind, v.RevocationSkipped = res.At.UTC(), res.AtKind, res.RevocationSkipped
	v.RefusedSigners = newRefusedSigners(res.Refused)
	for i := range res.Signers {
		v.Signers = append(v.Signers, newSigner(&res.Signers[i]))
	}
	return v, nil
}

func newSigner(s *verify.Signer) signer {
	cert := s.Path[0]
	out := signer{
		Index:              s.Index,
		Deviations:         s.Deviations,
		Subject:            nameText(cert.RawSubject),
		Issuer:             nameText(cert.RawIssuer),
		Serial:             fmt.Sprintf("%x", cert.SerialNumber),
		DigestAlgorithm:    s.DigestAlgorithm,
		SignatureAlgorithm: s.SignatureAlgorithm,
		SigningTime:        s.SigningTime.UTC(),
		At:                 s.At.UTC(),
		Revocation:         []revocationFact{},
	}
	for _, c := range s.Path {
		out.Path = append(out.Path, nameText(c.RawSubject))
	}
	if id := s.Identity; id.SerialNumber != "" {
		out.Identity = &identity{id.Scheme, id.SerialNumber, id.Name, id.Kind, id.Carrier, id.LastFour, id.Generation}
	}
	for i := range s.Timestamps {
		out.Timestamps = append(out.Timestamps, newTimestamp(&s.Timestamps[i]))
	}
	for i := range s.Revocation {
		out.Revocation = append(out.Revocation, newRevocation(&s.Revocation[i]))
	}
	return out
}

func newRevocation(f *verify.RevocationFact) revocationFact {
	out := revocationFact{
		Serial:             fmt.Sprintf("%x", f.Cert.SerialNumber),
		Status:             f.Status,
		Rung:               f.Report.Rung,
		Source:             f.Report.Source,
		ThisUpdate:         f.Report.ThisUpdate.UTC(),
		NextUpdate:         f.Report.NextUpdate.UTC(),
		RevokedAfter:       f.RevokedAfter.UTC(),
		SuspensionExcluded: f.SuspensionExcluded,
	}
	for _, a := range f.Authorities {
		by := authority{nameText(a.Path[0].RawSubject), fmt.Sprintf("%x", a.Path[0].SerialNumber), verify.Good.String()}
		if a.NoCheck {
			by.Status = string(ocspclient.ResponderNoCheck)
		}
		out.SignedBy = append(out.SignedBy, by)
	}
	for _, err := range f.Failed {
		out.Failed = append(out.Failed, err.Error())
	}
	return out
}

func (v *verdict) exitCode() int {
	if v.Verdict == "valid" {
		return exitGood
	}
	return exitRefused
}

func (v *verdict) writeText(w *textWriter) {
	if v.Verdict != "valid" {
		w.title("refused: %s", v.Reason)
		w.line("because", "%s", v.Message)
		if v.Retryable {
			w.line("", "trying again later, or with more evidence, may help")
		}
	} else {
		w.title("valid")
	}
	for i := range v.Signers {
		v.Signers[i].writeText(w)
	}
	for _, s := range v.RefusedSigners {
		w.line(fmt.Sprintf("signer %d refused", s.Index), "%s: %s", s.Reason, s.Message)
	}
	w.line("policy", "%s, profile %s, %v", v.Policy, v.Profile, v.Environment)
	if v.AtKind != "" {
		w.line("judged at", "%s (%s)", timeText(v.At), v.AtKind)
	}
	if v.RevocationSkipped {
		w.line("revocation", "NOT CHECKED, as -insecure-skip-revocation asks")
	}
	if v.Explanation != nil {
		v.Explanation.writeText(w)
	}
}

func (e *explanation) writeText(w *textWriter) {
	w.line("for the citizen", "%s", e.Sentence["zh-TW"])
	w.line("", "%s", e.Sentence["en"])
	w.title("checks")
	w.nested(func() {
		for _, step := range e.Trace {
			w.title("%s", step)
		}
	})
}

func (s *signer) writeText(w *textWriter) {
	w.line("subject", "%s", s.Subject)
	w.nested(func() {
		w.line("serial", "%s", s.Serial)
		if id := s.Identity; id != nil {
			w.line("holder", "%s, %s, %s, number %s", id.Name, id.Kind, id.Carrier, id.SerialNumber)
		}
		w.line("signature", "%s", s.SignatureAlgorithm)
		if !s.SigningTime.IsZero() {
			w.line("signing time", "%s (claimed)", timeText(s.SigningTime))
		}
		for i := range s.Timestamps {
			w.line("time-stamp", "%s", s.Timestamps[i].text())
		}
		for _, d := range s.Deviations {
			w.line("waived", "%s", d)
		}
		w.lines("path", s.Path[1:])
		for _, r := range s.Revocation {
			w.line("revocation", "%s: %s", r.Serial, r.text())
		}
	})
}

func (r *revocationFact) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v (%v: %s), %s", r.Status, r.Rung, r.Source, period(r.ThisUpdate, r.NextUpdate))
	for _, by := range r.SignedBy {
		fmt.Fprintf(&b, "; signed by %s, %s", by.Subject, by.Status)
	}
	if !r.RevokedAfter.IsZero() {
		fmt.Fprintf(&b, "; revoked or suspended since %s", timeText(r.RevokedAfter))
	}
	if !r.SuspensionExcluded {
		b.WriteString("; an earlier suspension that has ended is not excluded")
	}
	return b.String()
}
