package verify

import (
	"time"
)

// Options are the particulars of one call. A nil *Options is the zero value.
type Options struct {
	// Use sets how fresh the status of the signer must be. If zero, UseFiling
	// for SignedData, Detached and Digest, UseSignIn for Signature and
	// Certificate.
	Use Use

	// ReceivedAt is the instant at which the signature is judged: when the
	// relying party received it, as its own records say. Never take it from the
	// message or from a file's modification time. If zero, now. A time-stamp token
	// that proves an earlier instant has precedence, and a later one has not.
	ReceivedAt time.Time

	// Timestamps are time-stamp tokens (RFC 3161, TimeStampToken in DER or BER)
	// that are kept beside the signature. Like those inside it, in the unsigned
	// attribute signature-time-stamp, their messageImprint is a digest of the
	// signature value: of the SignerInfo, or what Signature is given. They count
	// for UseFiling and UseHistorical alone, with [Config].Timestamping, not for Certificate, and can
	// only move the instant of judgement back. One that fails proves nothing and refuses
	// nothing: see [Signer].Timestamps.
	Timestamps [][]byte

	// Profile, if not nil, replaces the profile of the scheme.
	Profile *Profile

	// Certificates are further certificates in DER: of the signer, where the
	// message carries none, and untrusted intermediates.
	Certificates [][]byte

	// Evidence are OCSP responses and revocation lists that were kept with the
	// signature, time-stamp tokens, which are as in Timestamps, and certificates,
	// which are as in Certificates: those of separate signers of lists among them.
	// The sources judge responses and lists like what they fetch.
	Evidence []Evidence

	// Line is the statement line that the signed content must be, byte for byte
	// (see package signin). Without it, content that begins like a statement line
	// is refused with ReasonPurpose, so that neither passes for the other.
	Line string

	// ContentTypes are the eContentTypes that are accepted, in dotted notation.
	// If empty, id-data alone: what is signed is a file or a text, and a
	// time-stamp or another SignedData cannot pass for one.
	ContentTypes []string

	// InsecureMinSigners is how many holders of certificates must have signed
	// with everything in order, whatever becomes of the other SignerInfos. A
	// holder who has signed twice counts once. If zero, every SignerInfo must
	// pass.
	InsecureMinSigners int
}

// A Use is what a verdict is for.
type Use uint8

// The uses. UseSignIn accepts an OCSP answer for SignInOCSPAge and a revocation
// list for SignInCRLAge after its thisUpdate, and never after its nextUpdate.
// UseFiling accepts both until nextUpdate, and so does UseHistorical, which is for
// documents that are judged long after they were signed. [Config].Ladder can set
// more for each.
const (
	UseDefault Use = iota
	UseSignIn
	UseFiling
	UseHistorical
)

// The maximum ages of UseSignIn: a session is checked again when it is renewed,
// after 15 minutes at the most, and national lists are issued twice a day.
const (
	SignInOCSPAge = 10 * time.Minute
	SignInCRLAge  = 24 * time.Hour
)

func (u Use) freshness() Freshness {
	if u == UseFiling || u == UseHistorical {
		return Freshness{}
	}
	return Freshness{OCSP: SignInOCSPAge, CRL: SignInCRLAge}
}

// An InstantKind says where the instant of judgement comes from.
type InstantKind string

// Now is the clock of the verifier, Receipt the caller's ReceivedAt, Timestamp
// the latest instant that a good time-stamp token can mean.
const (
	InstantNow       InstantKind = "now"
	InstantReceipt   InstantKind = "receipt"
	InstantTimestamp InstantKind = "timestamp"
)
