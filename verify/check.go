package verify

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

// A Check is one of the checks that a verdict is made of. The texts are stable.
type Check string

// The checks, in the order in which a signer goes through them.
const (
	CheckSyntax     Check = "syntax"            // bounds, BER and DER, certificates
	CheckPurpose    Check = "purpose"           // the content is at hand, and is or is not a statement line
	CheckMessage    Check = "message"           // there are signers, and the type of content is accepted
	CheckAlgorithms Check = "algorithms"        // what the SignerInfo names is acceptable and consistent
	CheckAttributes Check = "signed-attributes" // what is signed about the content
	CheckSigner     Check = "signer"            // the certificate that is meant is at hand
	CheckSignature  Check = "signature"         // its key has signed
	CheckPath       Check = "path"              // a certification path leads to a trust anchor
	CheckProfile    Check = "profile"           // the certificate is one for this use
	CheckContent    Check = "content"           // the content is what was signed
	CheckStatus     Check = "status"            // no certificate of the path is revoked or suspended
)

// A question is a method of Verifier, which decides what is checked.
type question uint8

const (
	askedSignedData question = iota + 1
	askedDetached
	askedDigest
	askedSignature
	askedCertificate
	askedStatement       // with a bare signature
	askedSignedStatement // with a SignedData
	askedCopy
)

// checksOf are the checks of each method in their order.
var checksOf = map[question][]Check{
	askedSignedData: {CheckSyntax, CheckPurpose, CheckMessage, CheckAlgorithms, CheckAttributes, CheckSigner,
		CheckSignature, CheckPath, CheckProfile, CheckContent, CheckStatus},
	// Content from elsewhere is looked at after all that does not need it.
	askedDetached: {CheckSyntax, CheckMessage, CheckAlgorithms, CheckAttributes, CheckSigner,
		CheckSignature, CheckPath, CheckProfile, CheckPurpose, CheckContent, CheckStatus},
	askedDigest: {CheckSyntax, CheckMessage, CheckAlgorithms, CheckAttributes, CheckSigner,
		CheckSignature, CheckPath, CheckProfile, CheckContent, CheckStatus},
	askedSignature:   {CheckPurpose, CheckSyntax, CheckAlgorithms, CheckSignature, CheckPath, CheckProfile, CheckStatus},
	askedCertificate: {CheckSyntax, CheckPath, CheckProfile, CheckStatus},
	askedStatement: {CheckPurpose, CheckSyntax, CheckAlgorithms, CheckSignature, CheckPath, CheckProfile,
		CheckContent, CheckStatus},
	askedSignedStatement: {CheckPurpose, CheckSyntax, CheckMessage, CheckAlgorithms, CheckAttributes, CheckSigner,
		CheckSignature, CheckPath, CheckProfile, CheckContent, CheckStatus},
	askedCopy: {CheckSyntax, CheckPurpose, CheckMessage, CheckAlgorithms, CheckAttributes, CheckSigner,
		CheckSignature, CheckPath, CheckProfile, CheckContent, CheckStatus},
}

// usualCheck is the check that gives a reason, where the error does not say
// another.
var usualCheck = map[Reason]Check{
	ReasonLimit:             CheckSyntax,
	ReasonMalformed:         CheckSyntax,
	ReasonNotDER:            CheckSyntax,
	ReasonNoSigner:          CheckMessage,
	ReasonContentType:       CheckMessage,
	ReasonContentMissing:    CheckPurpose,
	ReasonSignedAttributes:  CheckAttributes,
	ReasonDigestMismatch:    CheckContent,
	ReasonAlgorithm:         CheckAlgorithms,
	ReasonBadSignature:      CheckSignature,
	ReasonUntrusted:         CheckPath,
	ReasonExpired:           CheckPath,
	ReasonNotYetValid:       CheckPath,
	ReasonConstraints:       CheckPath,
	ReasonProfile:           CheckProfile,
	ReasonPolicy:            CheckProfile,
	ReasonEnvironment:       CheckPath,
	ReasonPurpose:           CheckPurpose,
	ReasonRevoked:           CheckStatus,
	ReasonSuspended:         CheckStatus,
	ReasonStatusUnknown:     CheckStatus,
	ReasonStatusUnavailable: CheckStatus,
	ReasonStatusStale:       CheckStatus,
	ReasonCanceled:          CheckSyntax,
}

// atCheck notes which check an error comes from, unless that is known already,
// and the path as far as it had been established.
func atCheck(err error, check Check, path ...*x509.Certificate) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	about := *e
	if about.Check == "" {
		about.Check = check
	}
	if about.path == nil {
		about.path = path
	}
	return &about
}

// A setting is what a verdict was asked for, as far as traces tell it.
type setting struct {
	question   question
	size       int // of the message or certificate, in bytes
	policy     string
	profile    string
	receivedAt time.Time
}

// describe completes what a method of Verifier returns: an error says which check
// refused, and both can be explained.
func (v *Verifier) describe(asked question, given []byte, opts *Options, res *Result, err error) (*Result, error) {
	s := setting{
		question: asked,
		size:     len(given),
		policy:   v.algorithms.Name(),
		profile:  v.scheme.Profile.Name,
	}
	if opts != nil {
		s.receivedAt = opts.ReceivedAt
		if opts.Profile != nil {
			s.profile = opts.Profile.Name
		}
	}
	if res != nil {
		res.setting = s
		return res, nil
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return nil, err
	}
	about := *e
	if about.Check == "" {
		about.Check = usualCheck[about.Reason]
	}
	if !slices.Contains(checksOf[asked], about.Check) {
		about.Check = checksOf[asked][0] // nothing is claimed to have passed
	}
	about.setting = s
	return nil, &about
}
