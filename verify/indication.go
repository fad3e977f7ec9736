package verify

// An Indication is the main status of ETSI EN 319 102-1, Section 5.1.3, for
// readers of validation reports. A building block that judges a certificate
// alone says PASSED.
type Indication string

// The indications.
const (
	TotalPassed   Indication = "TOTAL-PASSED"
	TotalFailed   Indication = "TOTAL-FAILED"
	Indeterminate Indication = "INDETERMINATE"
	BlockPassed   Indication = "PASSED"
)

// A SubIndication is the reason as ETSI EN 319 102-1, Section 5.1.3 has it.
type SubIndication string

// The sub-indications that are used.
const (
	subFormatFailure      SubIndication = "FORMAT_FAILURE"
	subHashFailure        SubIndication = "HASH_FAILURE"
	subCryptoFailure      SubIndication = "SIG_CRYPTO_FAILURE"
	subSigConstraints     SubIndication = "SIG_CONSTRAINTS_FAILURE"
	subChainConstraints   SubIndication = "CHAIN_CONSTRAINTS_FAILURE"
	subNoCertificate      SubIndication = "NO_SIGNING_CERTIFICATE_FOUND"
	subNoChain            SubIndication = "NO_CERTIFICATE_CHAIN_FOUND"
	subChainGeneral       SubIndication = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
	subCryptoConstraints  SubIndication = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
	subOutOfBounds        SubIndication = "OUT_OF_BOUNDS_NO_POE"
	subRevoked            SubIndication = "REVOKED_NO_POE"
	subRevokedCA          SubIndication = "REVOKED_CA_NO_POE"
	subTryLater           SubIndication = "TRY_LATER"
	subSignedDataNotFound SubIndication = "SIGNED_DATA_NOT_FOUND"
)

// An etsi is an indication with its sub-indication.
type etsi struct {
	main Indication
	sub  SubIndication
}

// indications has what comes nearest to each reason. TOTAL-FAILED is for what no
// further evidence can repair; where the standard would want to know whether the
// signature existed earlier (a proof of existence, POE), the answer is the
// sub-indication that leaves it open.
var indications = map[Reason]etsi{
	ReasonLimit:             {Indeterminate, subSigConstraints}, // the bounds are ours: the signature itself has not been judged
	ReasonMalformed:         {TotalFailed, subFormatFailure},
	ReasonNotDER:            {TotalFailed, subFormatFailure},
	ReasonNoSigner:          {Indeterminate, subNoCertificate},
	ReasonContentType:       {Indeterminate, subSigConstraints}, // which types are accepted is a constraint
	ReasonContentMissing:    {Indeterminate, subSignedDataNotFound},
	ReasonSignedAttributes:  {Indeterminate, subSigConstraints},
	ReasonDigestMismatch:    {TotalFailed, subHashFailure},
	ReasonAlgorithm:         {Indeterminate, subCryptoConstraints}, // a historical policy may accept what is proven to be old
	ReasonBadSignature:      {TotalFailed, subCryptoFailure},
	ReasonUntrusted:         {Indeterminate, subNoChain},
	ReasonExpired:           {Indeterminate, subOutOfBounds},
	ReasonNotYetValid:       {Indeterminate, subOutOfBounds}, // outside of the validity at the instant of judgement, on the other side
	ReasonConstraints:       {Indeterminate, subChainConstraints},
	ReasonProfile:           {Indeterminate, subChainConstraints}, // of the constraints on the signing certificate
	ReasonPolicy:            {Indeterminate, subChainConstraints},
	ReasonEnvironment:       {Indeterminate, subNoChain}, // the anchors are those of the other environment
	ReasonPurpose:           {Indeterminate, subSigConstraints},
	ReasonRevoked:           {Indeterminate, subRevoked},      // of the signer; see Error.Indication for a CA
	ReasonSuspended:         {Indeterminate, subTryLater},     // Section 5.2.6.4: a hold may end
	ReasonStatusUnknown:     {Indeterminate, subChainGeneral}, // asking again does not help
	ReasonStatusUnavailable: {Indeterminate, subTryLater},
	ReasonStatusStale:       {Indeterminate, subTryLater}, // Section 5.2.6.4: until fresh information is there
	ReasonCanceled:          {Indeterminate, subTryLater}, // nothing has been judged
}

// Indication returns the main status and the sub-indication of ETSI EN 319 102-1
// that come nearest to a refusal.
func (e *Error) Indication() (Indication, SubIndication) {
	if e.Reason == ReasonRevoked && e.Cert != nil && e.Cert.IsCA {
		return Indeterminate, subRevokedCA
	}
	return e.Reason.Indication()
}

// Indication returns what comes nearest to a reason, where no more is known.
func (r Reason) Indication() (Indication, SubIndication) {
	if i, ok := indications[r]; ok {
		return i.main, i.sub
	}
	return Indeterminate, subChainGeneral
}

// Indication returns TOTAL-PASSED, or PASSED for a certificate alone.
func (r *Result) Indication() Indication {
	if r.setting.question == askedCertificate {
		return BlockPassed
	}
	return TotalPassed
}
