package verify

import (
	"crypto/x509"
	"log/slog"
	"slices"
	"time"
)

// A Result exists only if every check passed.
type Result struct {
	// Signers has an entry for each SignerInfo that has passed, in the order of the
	// message; one for Signature, Certificate and a Statement with a certificate.
	// Those are all, unless Options.InsecureMinSigners allowed some to fail.
	Signers []Signer

	// Refused says what was wrong with the SignerInfos that are not among Signers.
	Refused []*Error

	// Content is what was signed, if the message had it inside. It aliases the
	// message unless that was in pieces.
	Content []byte

	// At is the instant of judgement and AtKind where it comes from; of several
	// signers that were judged at different instants, the latest.
	At          time.Time
	AtKind      InstantKind
	Scheme      string
	Environment Environment

	// Policy and PolicyVersion name the algorithm policy, Profile the profile.
	Policy        string
	PolicyVersion string
	Profile       string

	// RevocationSkipped is set if InsecureSkipRevocation was.
	RevocationSkipped bool

	// Evidence is everything the verdict rests on: the certificates of the paths
	// with their anchors, and the signed statements of their status, each once.
	Evidence []Evidence

	setting setting // what was asked, for Explain
}

// A Signer is one who has signed, or the holder of a certificate.
type Signer struct {
	Identity Identity

	// Index is the place of the SignerInfo in the message, from 0.
	Index int

	// Path is the certification path: end entity first, anchor last. The
	// certificates are shared with other results and must not be modified.
	Path []*x509.Certificate

	// DigestAlgorithm and SignatureAlgorithm are names such as "SHA-256" and
	// "RSA-SHA-256". They are empty for Certificate.
	DigestAlgorithm    string
	SignatureAlgorithm string

	// SigningTime is the signer's claim of when it signed. It is not proven and
	// has decided nothing. Zero if there is none.
	SigningTime time.Time

	// At is the instant at which this signer was judged: the earliest of now, the
	// caller's ReceivedAt, and what the good ones of Timestamps prove.
	At     time.Time
	AtKind InstantKind

	// Timestamps are the time-stamp tokens over the signature, those of the
	// options first, each with its verdict.
	Timestamps []Timestamp

	// Deviations are what the signature was accepted in spite of, because the
	// policy names it. It is empty under the strict policy.
	Deviations []Deviation

	// CounterSignatures are what others have signed over this signature, each
	// with a verdict of its own. They have decided nothing.
	CounterSignatures []CounterSignature

	// Revocation has one fact for each certificate of Path but the anchor.
	Revocation []RevocationFact

	proof *proof // until conclude
}

// A RevocationFact is what was learned of one certificate's status.
type RevocationFact struct {
	Cert   *x509.Certificate
	Status Status // Good in a Result
	Report StatusReport

	// Authorities are those who signed Report, and what it rests on With, in place
	// of the issuer of Cert.
	Authorities []Authority

	Age time.Duration // from thisUpdate to the instant of judgement; negative if the evidence is later

	// SuspensionExcluded is set if the evidence was current at the instant of
	// judgement. Later evidence does not tell of a suspension that had ended.
	SuspensionExcluded bool

	// RevokedAfter is when the certificate was revoked or suspended after the
	// instant of judgement. Zero if no evidence says so.
	RevokedAfter time.Time

	// Other is what evidence of the other kind says, if [Rungs].RequireBoth asked for
	// both.
	Other *RevocationFact

	// Later is the evidence that says RevokedAfter, if that is not Report.
	Later *StatusReport

	// Failed says, for each rung that gave no answer, why.
	Failed []error
}

// LogValue returns what names nobody.
func (r *Result) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Int("signers", len(r.Signers)),
		slog.Time("at", r.At),
		slog.String("environment", r.Environment.String()),
		slog.String("policy", r.Policy),
	)
}

// A verdict is a Result, and what it takes for one signer whose CA hangs from an
// anchor, in one allocation.
type verdict struct {
	Result
	room struct {
		signers    [1]Signer
		path       [4]*x509.Certificate
		revocation [2]RevocationFact
		evidence   [6]Evidence
	}
	taken bool // room.revocation is
}

func (c *call) takeVerdict() *verdict {
	if c.verdict == nil {
		c.verdict = new(verdict)
	}
	return c.verdict
}

// path returns a copy of the path of a signer.
func (c *call) path(known []*x509.Certificate) []*x509.Certificate {
	room := c.takeVerdict().room.path[:]
	if len(known) > len(room) || room[0] != nil { // another signer's
		return slices.Clone(known)
	}
	return append(room[:0:len(known)], known...)
}

// facts returns memory for n facts about a signer.
func (c *call) facts(n int) []RevocationFact {
	v := c.takeVerdict()
	if room := v.room.revocation[:]; n <= len(room) && !v.taken {
		v.taken = true
		return room[:n:n]
	}
	return make([]RevocationFact, n)
}
