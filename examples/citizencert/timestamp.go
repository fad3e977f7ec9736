package main

import (
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A stamping is what verify is told about time-stamp tokens.
type stamping struct {
	anchors, tokens stringList
}

func (s *stamping) register(fs *flag.FlagSet) {
	fs.Var(&s.anchors, "tsa-anchors", "`FILE` of trust anchors of time-stamp authorities, whose tokens otherwise prove nothing;\n"+
		"with -online, their hosts are named by -host (repeatable)")
	fs.Var(&s.tokens, "timestamp", "`FILE` with a time-stamp token over the signature, besides those inside the SignedData (repeatable)")
}

func (s *stamping) check() error {
	if len(s.tokens) > 0 && len(s.anchors) == 0 {
		return errors.New("-timestamp is for -tsa-anchors")
	}
	return nil
}

var timestampFormat = format{"time-stamp token", []string{"CMS", "PKCS7"}}

// apply adds what the flags say to a call.
func (s *stamping) apply(in *files, cfg *verify.Config, opts *verify.Options) error {
	if len(s.anchors) == 0 {
		return nil
	}
	anchors, err := in.anchors(s.anchors)
	if err != nil {
		return err
	}
	cfg.Timestamping = &verify.TimestampAuthority{Anchors: anchors}
	opts.Timestamps, err = in.allObjects(s.tokens, timestampFormat)
	return err
}

// timestamp is a token in a verdict. A refused one has a reason and nothing of
// what it says.
type timestamp struct {
	Verdict    string           `json:"verdict"` // valid or refused
	Reason     verify.Reason    `json:"reason"`  // empty if valid
	Message    string           `json:"message"`
	Time       time.Time        `json:"time,omitzero"`
	Accuracy   float64          `json:"accuracy,omitempty"` // seconds to either side
	Policy     string           `json:"policy,omitempty"`
	Serial     string           `json:"serial,omitempty"` // hexadecimal, of the token
	Path       []string         `json:"path,omitempty"`   // subjects, anchor last
	Revocation []revocationFact `json:"revocation,omitempty"`
}

func newTimestamp(t *verify.Timestamp) timestamp {
	if t.Err != nil {
		out := timestamp{Verdict: "refused", Message: t.Err.Error()}
		if e, ok := errors.AsType[*verify.Error](t.Err); ok {
			out.Reason = e.Reason
		}
		return out
	}
	out := timestamp{
		Verdict:  "valid",
		Time:     t.Time.UTC(),
		Accuracy: t.Accuracy.Seconds(),
		Policy:   t.Policy,
		Serial:   fmt.Sprintf("%x", t.SerialNumber),
	}
	for _, c := range t.Path {
		out.Path = append(out.Path, nameText(c.RawSubject))
	}
	for i := range t.Revocation {
		out.Revocation = append(out.Revocation, newRevocation(&t.Revocation[i]))
	}
	return out
}

func (t *timestamp) text() string {
	if t.Verdict != "valid" {
		return "refused: " + string(t.Reason) + ", " + t.Message
	}
	return fmt.Sprintf("%s within %g s, by %s", timeText(t.Time), t.Accuracy, t.Path[0])
}
