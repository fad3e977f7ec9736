package pkitest

import "time"

// A Filing is what a citizen has filed, and what a verifier has to say of it.
type Filing struct {
	Name      string // "filing-0000042"
	Kind      FilingKind
	Defect    Defect // empty if there is none
	Signature []byte
	Content   []byte // nil of an attached filing

	Line        string // of a statement
	Certificate []byte // likewise, DER

	ReceivedAt time.Time // zero with DefectNoReceipt
	Holder     string    // the number of who is expected to have signed
}

// Expect is the reason for which a filing must be refused, or empty if it must not.
func (f *Filing) Expect() string { return string(f.Defect) }

// A Defect is what is wrong with a filing.
type Defect string

// The defects. Each is refused for the reason of the same text, as package verify and
// verify/batch spell it.
const (
	DefectTampered   Defect = "digest-mismatch" // the content was changed after it was signed
	DefectSignature  Defect = "bad-signature"   // a bit of the signature is flipped
	DefectRevoked    Defect = "revoked"         // the certificate had been revoked when it was received
	DefectSuspended  Defect = "suspended"       // likewise suspended
	DefectExpired    Defect = "expired"         // likewise expired
	DefectStranger   Defect = "untrusted"       // the CA has MOICA's name and not its key
	DefectEncryption Defect = "profile"         // signed with the key for encryption
	DefectSHA1       Defect = "algorithm"       // the digest algorithm is SHA-1
	DefectGarbage    Defect = "malformed"       // cut off in the middle
	DefectNoReceipt  Defect = "receipt-missing" // nobody knows when it was received
	DefectOther      Defect = "signer-mismatch" // somebody else has signed
	DefectService    Defect = "purpose"         // the signed line is for another service
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

var allDefects = []Defect{
	DefectTampered, DefectSignature, DefectRevoked, DefectSuspended, DefectExpired, DefectStranger,
	DefectEncryption, DefectSHA1, DefectGarbage, DefectNoReceipt, DefectOther, DefectService,
}
