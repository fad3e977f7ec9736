package main

import (
	"context"
	"crypto/x509"
	"flag"
	"fmt"
	"strings"

	"github.com/citizencert/citizencert/verify/evidence"
)

// setupEvidenceShow is the command evidence show.
func setupEvidenceShow(*flag.FlagSet) action {
	return func(_ context.Context, in *files, name string) (report, error) {
		lines, err := in.evidence(name)
		if err != nil {
			return nil, err
		}
		out := &shown{Records: []shownRecord{}}
		for _, l := range lines {
			out.Records = append(out.Records, newShown(l))
		}
		return out, nil
	}
}

// shown is the report of evidence show.
type shown struct {
	Records []shownRecord `json:"records"`
}

// A shownRecord is a record without the bytes of its objects, or what is damaged.
type shownRecord struct {
	Name   string           `json:"name"`
	SHA256 string           `json:"sha256,omitempty"`
	Damage string           `json:"damage,omitempty"`
	Record *evidence.Record `json:"record,omitempty"`
	Seals  []string         `json:"seals,omitempty"` // their kinds; evidence verify says what they are worth

	subjects map[evidence.Hash]string // of the certificates inside
	inside   map[evidence.Hash]bool
}

func newShown(l recordLine) shownRecord {
	if l.damage != nil {
		return shownRecord{Name: l.name, Damage: l.damage.Error()}
	}
	r := *l.file.Record
	s := shownRecord{Name: l.name, SHA256: l.file.Hash().String(), Record: &r,
		subjects: map[evidence.Hash]string{}, inside: map[evidence.Hash]bool{}}
	for _, seal := range l.file.Seals {
		s.Seals = append(s.Seals, string(seal.Kind))
	}
	r.Objects = nil
	for _, o := range l.file.Record.Objects {
		s.inside[o.SHA256] = o.Data != nil
		if cert, err := x509.ParseCertificate(o.Data); o.Kind == evidence.KindCertificate && err == nil {
			s.subjects[o.SHA256] = nameText(cert.RawSubject)
		}
		o.Data = nil
		r.Objects = append(r.Objects, o)
	}
	return s
}

func (s *shown) exitCode() int {
	for _, r := range s.Records {
		if r.Damage != "" {
			return exitRefused
		}
	}
	return exitGood
}

func (s *shown) writeText(w *textWriter) {
	for i := range s.Records {
		s.Records[i].writeText(w)
	}
}

func (s *shownRecord) writeText(w *textWriter) {
	if s.Damage != "" {
		w.title("%s: damaged", s.Name)
		w.line("because", "%s", s.Damage)
		return
	}
	a, b, v := &s.Record.Asked, &s.Record.Basis, &s.Record.Verdict
	w.title("%s: %s", s.Name, v.Outcome)
	w.line("SHA-256", "%s", s.SHA256)
	w.lines("sealed by", s.Seals)
	w.line("asked", "%s, for %s", a.Method, a.Use)
	w.line("line", "%s", a.Line)
	w.line("received", "%s", timeText(a.ReceivedAt))
	for _, d := range a.Content {
		w.line("content", "%s %s", d.Algorithm, d.Value)
	}
	w.line("policy", "%s %s, profile %s, %s, %s", b.Policy, b.PolicyVersion, b.Profile, b.Scheme, b.Environment)
	w.line("clock", "%s", timeText(b.Clock))
	w.line("software", "%s", b.Software)
	if b.RevocationSkipped {
		w.line("revocation", "NOT CHECKED")
	}
	if v.Refusal != nil {
		w.line("refused", "%s at check %s: %s", v.Refusal.Reason, v.Refusal.Check, v.Refusal.Message)
	}
	if v.AtKind != "" {
		w.line("judged at", "%s (%s)", timeText(v.At), v.AtKind)
	}
	for i := range v.Signers {
		s.writeSigner(w, &v.Signers[i])
	}
	w.title("rests on")
	w.nested(func() {
		for _, o := range s.Record.Objects {
			where := "kept elsewhere"
			if s.inside[o.SHA256] {
				where = "inside"
			}
			w.line(string(o.Kind), "%v, %d bytes, %s%s", o.SHA256, o.Size, where, sourcesText(o.Sources))
		}
	})
}

func (s *shownRecord) writeSigner(w *textWriter, signer *evidence.Signer) {
	w.line("signer", "%s", s.nameOf(signer.Path[0]))
	w.nested(func() {
		var above []string
		for _, hash := range signer.Path[1:] {
			above = append(above, s.nameOf(hash))
		}
		w.lines("path", above)
		w.line("signature", "%s", signer.SignatureAlgorithm)
		if !signer.SigningTime.IsZero() {
			w.line("signing time", "%s (claimed)", timeText(signer.SigningTime))
		}
		for _, t := range signer.Timestamps {
			if t.Reason != "" {
				w.line("time-stamp", "refused: %s", t.Reason)
				continue
			}
			w.line("time-stamp", "%s, by %s", timeText(t.Latest), s.nameOf(t.Path[0]))
		}
		for _, f := range signer.Revocation {
			w.line("revocation", "%s: %s, %s", s.nameOf(f.Certificate), f.Status, period(f.ThisUpdate, f.NextUpdate))
			if !f.RevokedAfter.IsZero() {
				w.line("", "revoked or suspended later, at %s", timeText(f.RevokedAfter))
			}
		}
	})
}

// nameOf names a certificate by its subject, if it is inside.
func (s *shownRecord) nameOf(hash evidence.Hash) string {
	if subject := s.subjects[hash]; subject != "" {
		return subject
	}
	return "certificate " + hash.String()
}

func sourcesText(sources []string) string {
	if len(sources) == 0 {
		return ""
	}
	return fmt.Sprintf(", from %s", strings.Join(sources, ", "))
}
