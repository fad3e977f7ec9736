package verify

import (
	"crypto/x509"
	"log/slog"
	"time"
)

// A Result exists only if every check passed.
type Result struct {
	// Signers has an entry for each SignerInfo, in the order of the message; one
	// for Signature and Certificate. All of them have passed.
	Signers []Signer

	// Content is what was signed, if the message had it inside. It aliases the
	// message unless that was in pieces.
	Content []byte

	At          time.Time   // the instant of judgement
	AtKind      InstantKind // where it comes from
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
}

// A Signer is one who has signed, or the holder of a certificate.
type Signer struct {
	Identity Identity

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

	// Revocation has one fact for each certificate of Path but the anchor.
	Revocation []RevocationFact
}

// A RevocationFact is what was learned of one certificate's status.
type RevocationFact struct {
	Cert   *x509.Certificate
	Status Status // Good in a Result
	Report StatusReport
	Age    time.Duration // from thisUpdate to the instant of judgement; negative if the evidence is later

	// SuspensionExcluded is set if the evidence was current at the instant of
	// judgement. Later evidence does not tell of a suspension that had ended.
	SuspensionExcluded bool

	// RevokedAfter is when the certificate was revoked or suspended after the
	// instant of judgement. Zero if no evidence says so.
	RevokedAfter time.Time

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
