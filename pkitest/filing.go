package pkitest

import "time"

// A Filing is what a citizen has filed, and what a verifier has to say of it.
type Filing struct {
	Name      string // "filing-0000042"
	Kind      FilingKind
	Fault     Fault // empty if there is none
	Signature []byte
	Content   []byte // nil of an attached filing

	Line        string // of a statement
	Certificate []byte // likewise, DER

	ReceivedAt time.Time // zero with FaultNoReceipt
	Holder     string    // the number of who is expected to have signed
}

// Expect is the reason for which a filing must be refused, or empty if it must not.
func (f *Filing) Expect() string { return string(f.Fault) }

// A Fault is what is wrong with a filing.
type Fault string

// The faults. Each is refused for the reason of the same text, as package verify and
// verify/batch spell it.
const (
	FaultTampered   Fault = "digest-mismatch" // the content was changed after it was signed
	FaultSignature  Fault = "bad-signature"   // a bit of the signature is flipped
	FaultRevoked    Fault = "revoked"         // the certificate had been revoked when it was received
	FaultSuspended  Fault = "suspended"       // likewise suspended
	FaultExpired    Fault = "expired"         // likewise expired
	FaultStranger   Fault = "untrusted"       // the CA has MOICA's name and not its key
	FaultEncryption Fault = "profile"         // signed with the key for encryption
	FaultSHA1       Fault = "algorithm"       // the digest algorithm is SHA-1
	FaultGarbage    Fault = "malformed"       // cut off in the middle
	FaultNoReceipt  Fault = "receipt-missing" // nobody knows when it was received
	FaultOther      Fault = "signer-mismatch" // somebody else has signed
	FaultService    Fault = "purpose"         // the signed line is for another service
)

// FilingKind is how a filing is signed.
type FilingKind string

// The kinds: a SignedData beside the content or with the content inside, and a line
// about the content with a bare signature, as a phone makes it.
const (
	DetachedFiling  FilingKind = "detached"
	AttachedFiling  FilingKind = "attached"
	StatementFiling FilingKind = "statement"
)

var allFaults = []Fault{
	FaultTampered, FaultSignature, FaultRevoked, FaultSuspended, FaultExpired, FaultStranger,
	FaultEncryption, FaultSHA1, FaultGarbage, FaultNoReceipt, FaultOther, FaultService,
}
