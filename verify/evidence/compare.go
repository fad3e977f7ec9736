package evidence

import (
	"fmt"
	"strings"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A Judgement is a record judged again.
type Judgement struct {
	Recorded *Record
	Again    *Record // what the Judge's Verifier has answered, recorded in the same way

	// Result or Refusal is that answer.
	Result  *verify.Result
	Refusal *verify.Error

	// ByDigest is set if the content was not given: what was compared with the
	// signature is the digest that the record has of it.
	ByDigest bool

	// Context is what it was judged by now that differs from then: the policy and its
	// version, the profile, the scheme. Differences is what came out otherwise.
	Context     []Difference
	Differences []Difference
}

// A Difference is one thing that is not as it was recorded.
type Difference struct {
	What     string `json:"what"`
	Recorded string `json:"recorded"`
	Again    string `json:"again"`
}

// String returns the difference in one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s: recorded %s, now %s", d.What, d.Recorded, d.Again)
}

// Same reports whether the verdict is what was recorded.
func (j *Judgement) Same() bool { return len(j.Differences) == 0 }

// String tells the outcome in one line, or what changed in several.
func (j *Judgement) String() string {
	var b strings.Builder
	switch {
	case j.Same():
		fmt.Fprintf(&b, "as recorded: %s\n", outcomeText(&j.Again.Verdict))
	default:
		fmt.Fprintf(&b, "not as recorded: %s\n", outcomeText(&j.Again.Verdict))
	}
	for _, d := range j.Differences {
		fmt.Fprintf(&b, "%v\n", d)
	}
	for _, d := range j.Context {
		fmt.Fprintf(&b, "judged by another %v\n", d)
	}
	if j.ByDigest {
		b.WriteString("the content was not at hand: its recorded digest was compared\n")
	}
	return b.String()
}

func newJudgement(recorded, again *Record, res *verify.Result, refused *verify.Error, byDigest bool) *Judgement {
	j := &Judgement{Recorded: recorded, Again: again, Result: res, Refusal: refused, ByDigest: byDigest}
	then, now := &recorded.Basis, &again.Basis
	context := comparison{&j.Context}
	context.texts("scheme", then.Scheme, now.Scheme)
	context.texts("environment", then.Environment, now.Environment)
	context.texts("policy", then.Policy+" "+then.PolicyVersion, now.Policy+" "+now.PolicyVersion)
	context.texts("profile", then.Profile, now.Profile)
	context.texts("tolerance", fmt.Sprint(then.Tolerated), fmt.Sprint(now.Tolerated))
	context.texts("question of revocation", checked(then), checked(now))
	comparison{&j.Differences}.verdicts(&recorded.Verdict, &again.Verdict)
	return j
}

func checked(b *Basis) string {
	if b.RevocationSkipped {
		return "skipped"
	}
	return "asked"
}

func outcomeText(v *Verdict) string {
	if v.Refusal == nil {
		return string(v.Outcome)
	}
	return fmt.Sprintf("%s at check %s: %s", v.Outcome, v.Refusal.Check, v.Refusal.Message)
}

// A comparison collects differences.
type comparison struct{ found *[]Difference }

func (c comparison) texts(what, recorded, again string) {
	if recorded != again {
		*c.found = append(*c.found, Difference{what, orNone(recorded), orNone(again)})
	}
}

func (c comparison) times(what string, recorded, again time.Time) {
	c.texts(what, timeText(recorded), timeText(again))
}

func (c comparison) verdicts(recorded, again *Verdict) {
	c.texts("verdict", string(recorded.Outcome), string(again.Outcome))
	c.refusals("", recorded.Refusal, again.Refusal)
	if recorded.Outcome != again.Outcome {
		return // the rest follows
	}
	c.times("instant of judgement", recorded.At, again.At)
	c.texts("what the instant is known by", string(recorded.AtKind), string(again.AtKind))
	c.texts("signers refused", refusalsText(recorded.Refusals), refusalsText(again.Refusals))
	c.texts("signers", fmt.Sprint(len(recorded.Signers)), fmt.Sprint(len(again.Signers)))
	for i := range min(len(recorded.Signers), len(again.Signers)) {
		c.signers(&recorded.Signers[i], &again.Signers[i])
	}
}

func (c comparison) refusals(of string, recorded, again *Refusal) {
	if recorded == nil {
		recorded = new(Refusal)
	}
	if again == nil {
		again = new(Refusal)
	}
	c.texts(of+"reason", string(recorded.Reason), string(again.Reason))
	c.texts(of+"check that refused", string(recorded.Check), string(again.Check))
	if recorded.Reason != again.Reason && again.Message != "" {
		c.texts(of+"cause", recorded.Message, again.Message)
	}
}

func refusalsText(all []Refusal) string {
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "%d %s; ", r.Signer, r.Reason)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func (c comparison) signers(recorded, again *Signer) {
	of := fmt.Sprintf("signer %d: ", recorded.Index)
	c.texts(of+"index", fmt.Sprint(recorded.Index), fmt.Sprint(again.Index))
	c.texts(of+"path", fmt.Sprint(recorded.Path), fmt.Sprint(again.Path))
	c.texts(of+"algorithms", recorded.DigestAlgorithm+" "+recorded.SignatureAlgorithm, again.DigestAlgorithm+" "+again.SignatureAlgorithm)
	c.texts(of+"deviations", fmt.Sprint(recorded.Deviations), fmt.Sprint(again.Deviations))
	c.times(of+"claimed signing time", recorded.SigningTime, again.SigningTime)
	c.times(of+"instant of judgement", recorded.At, again.At)
	c.texts(of+"what the instant is known by", string(recorded.AtKind), string(again.AtKind))
	c.facts(of, recorded.Revocation, again.Revocation)
	c.texts(of+"time-stamps", timestampsText(recorded.Timestamps), timestampsText(again.Timestamps))
	for i := range min(len(recorded.Timestamps), len(again.Timestamps)) {
		c.facts(fmt.Sprintf("%stime-stamp %d: ", of, i), recorded.Timestamps[i].Revocation, again.Timestamps[i].Revocation)
	}
}

func timestampsText(all []Timestamp) string {
	var b strings.Builder
	for _, t := range all {
		if t.Reason != "" {
			fmt.Fprintf(&b, "%s; ", t.Reason)
			continue
		}
		fmt.Fprintf(&b, "%s by %v; ", timeText(t.Latest), t.Path)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func (c comparison) facts(of string, recorded, again []Fact) {
	c.texts(of+"statuses", fmt.Sprint(len(recorded)), fmt.Sprint(len(again)))
	for i := range min(len(recorded), len(again)) {
		then, now := &recorded[i], &again[i]
		about := fmt.Sprintf("%sstatus of certificate %d: ", of, i)
		c.texts(about+"certificate", then.Certificate.String(), now.Certificate.String())
		c.texts(about+"status", then.Status, now.Status)
		if then.Evidence == now.Evidence { // of two that prove the same, either may come first
			c.times(about+"thisUpdate", then.ThisUpdate, now.ThisUpdate)
			c.times(about+"nextUpdate", then.NextUpdate, now.NextUpdate)
		}
		c.texts(about+"suspension excluded", fmt.Sprint(then.SuspensionExcluded), fmt.Sprint(now.SuspensionExcluded))
		c.times(about+"revoked after", then.RevokedAfter, now.RevokedAfter)
	}
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
