package evidence

import (
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A Record is a verdict with the question that it answers and what it rests on. Its
// fields are those of the JSON, in their order. It holds personal data: the
// certificate of the signer, and what was signed if that is inside the message.
type Record struct {
	Asked   Asked    `json:"asked"`
	Basis   Basis    `json:"basis"`
	Verdict Verdict  `json:"verdict"`
	Objects []Object `json:"objects"`
}

// Asked is what a Verifier was asked: a method, and its arguments. Hashes are those
// of Objects.
type Asked struct {
	Method Method `json:"method"`
	Use    string `json:"use"` // "filing", "sign-in" or "historical"

	// Signature is the SignedData, or a bare signature; Certificate goes with that;
	// Signed is what a bare signature is over, unless that is Line.
	Signature   Hash `json:"signature,omitzero"`
	Certificate Hash `json:"certificate,omitzero"`
	Signed      Hash `json:"signed,omitzero"`

	// Algorithm is that of a bare signature, as package x509 names it.
	Algorithm string `json:"algorithm,omitempty"`

	// Line is the statement line that was expected, Host and Service whose.
	Line    string `json:"line,omitempty"`
	Host    string `json:"host,omitempty"`
	Service string `json:"service,omitempty"`

	// Content has the digests of content or document that was given apart, if it was
	// read to its end.
	Content []Digest `json:"content,omitempty"`

	ReceivedAt   time.Time `json:"receivedAt,omitzero"`
	ContentTypes []string  `json:"contentTypes,omitempty"`
	MinSigners   int       `json:"minSigners,omitempty"`
	Certificates []Hash    `json:"certificates,omitempty"` // further ones, that came with the signature
	Timestamps   []Hash    `json:"timestamps,omitempty"`   // beside the signature
}

// A Digest is a hash of content, in hexadecimal digits.
type Digest struct {
	Algorithm string `json:"algorithm"` // "SHA-256"
	Value     string `json:"value"`
}

// A Basis is by what was judged.
type Basis struct {
	Clock             time.Time          `json:"clock"` // of the verifier, when it was asked
	Scheme            string             `json:"scheme"`
	Environment       string             `json:"environment"`
	Policy            string             `json:"policy"`
	PolicyVersion     string             `json:"policyVersion"`
	Profile           string             `json:"profile"`
	Tolerated         []verify.Deviation `json:"tolerated,omitempty"`
	RevocationSkipped bool               `json:"revocationSkipped,omitempty"`
	Software          string             `json:"software,omitempty"` // that judged, with its version
}

// An Outcome is what a verdict comes to.
type Outcome string

// The outcomes.
const (
	Accepted Outcome = "accepted"
	Refused  Outcome = "refused"
)

// A Verdict is what came out.
type Verdict struct {
	Outcome Outcome `json:"outcome"`

	// At is the instant of judgement T, and AtKind what it is known by. A refusal has
	// none: it is the receipt if that was stated, otherwise the clock, or what a
	// time-stamp token proves.
	At     time.Time          `json:"at,omitzero"`
	AtKind verify.InstantKind `json:"atKind,omitempty"`

	Signers  []Signer  `json:"signers,omitempty"`  // that have passed
	Refusal  *Refusal  `json:"refusal,omitempty"`  // that decided
	Refusals []Refusal `json:"refusals,omitempty"` // of each signer that was refused, where there are several
}

// A Refusal says which check refused, and why.
type Refusal struct {
	Reason      verify.Reason `json:"reason"`
	Check       verify.Check  `json:"check,omitempty"`
	Signer      int           `json:"signer"`               // index of the SignerInfo, or -1
	Certificate Hash          `json:"certificate,omitzero"` // at fault
	Retryable   bool          `json:"retryable,omitempty"`
	Message     string        `json:"message"`
}

// A Signer is one whose signature has passed.
type Signer struct {
	Index              int                `json:"index"`
	Path               []Hash             `json:"path"` // end entity first, anchor last
	DigestAlgorithm    string             `json:"digestAlgorithm,omitempty"`
	SignatureAlgorithm string             `json:"signatureAlgorithm,omitempty"`
	SigningTime        time.Time          `json:"claimedSigningTime,omitzero"`
	At                 time.Time          `json:"at"`
	AtKind             verify.InstantKind `json:"atKind"`
	Deviations         []verify.Deviation `json:"deviations,omitempty"`
	Timestamps         []Timestamp        `json:"timestamps,omitempty"`
	Revocation         []Fact             `json:"revocation,omitempty"` // one for each certificate of Path but the anchor
}

// A Timestamp is a time-stamp token over a signature, with its verdict.
type Timestamp struct {
	Token      Hash          `json:"token"`
	Reason     verify.Reason `json:"reason,omitempty"` // why it proves nothing
	Time       time.Time     `json:"time,omitzero"`
	Latest     time.Time     `json:"latest,omitzero"` // with its accuracy
	Path       []Hash        `json:"path,omitempty"`
	Revocation []Fact        `json:"revocation,omitempty"`
}

// A Fact is what was learned of the status of a certificate.
type Fact struct {
	Certificate Hash   `json:"certificate"`
	Status      string `json:"status"`
	Evidence    Hash   `json:"evidence"`
	With        []Hash `json:"with,omitempty"` // further lists that it proves this with

	ThisUpdate time.Time `json:"thisUpdate"`
	NextUpdate time.Time `json:"nextUpdate,omitzero"`
	ProducedAt time.Time `json:"producedAt,omitzero"`

	SuspensionExcluded bool      `json:"suspensionExcluded,omitempty"`
	RevokedAfter       time.Time `json:"revokedAfter,omitzero"` // later than T
	Later              Hash      `json:"later,omitzero"`        // the evidence that says so

	SignedBy []Authority `json:"signedBy,omitempty"` // where that is not the issuer

	// Other is what evidence of the other kind says, where both were asked for.
	Other *Fact `json:"other,omitempty"`
}

// An Authority is who signed evidence in place of the issuer.
type Authority struct {
	Path       []Hash `json:"path"`
	NoCheck    bool   `json:"noCheck,omitempty"` // its CA has waived revocation
	Revocation []Fact `json:"revocation,omitempty"`
}

// An Object is something that a verdict rests on, or was asked about. Without Data
// it is in a [Store], or in other hands.
type Object struct {
	Kind   Kind   `json:"kind"`
	SHA256 Hash   `json:"sha256"`
	Size   int64  `json:"size"` // in bytes
	Data   []byte `json:"data,omitempty"`

	// Sources are where a revocation list or an OCSP answer was had from: URLs, and
	// "supplied" or "added". A list without scope covers the certificates that name
	// the URL it comes from, so that without this nobody could judge it again.
	Sources []string `json:"sources,omitempty"`
}

// A Kind says what an Object is.
type Kind string

// The kinds. Those of evidence are spelled as in package verify.
const (
	KindSignedData  Kind = "signed-data" // a SignedData (RFC 5652)
	KindSignature   Kind = "signature"   // a bare signature
	KindSigned      Kind = "signed"      // what a bare signature is over
	KindCertificate Kind = Kind(verify.CertificateEvidence)
	KindOCSP        Kind = Kind(verify.OCSPEvidence)
	KindCRL         Kind = Kind(verify.CRLEvidence)
	KindTimestamp   Kind = Kind(verify.TimestampEvidence)
)
