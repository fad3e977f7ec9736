package verify

import "time"

// Config is a relying party's policy.
type Config struct {
	// Scheme is the national PKI whose certificates are accepted, as
	// moica.Production and its like return it. Required.
	Scheme Scheme

	// Status are the sources of revocation status, in the order in which they
	// are asked: responders before lists. Required, unless
	// InsecureSkipRevocation is set. A good answer of a delegated responder
	// without ocsp-nocheck counts only if a source of lists says that its
	// certificate is good (RFC 6960, Section 4.2.2.2.1).
	Status []StatusSource

	// PathInputs are inputs to policy processing. The zero value accepts any
	// certificate policy, and leaves that to the profile.
	PathInputs PathInputs

	// Ladder says how the status of certificates is learned: in which order, how old
	// evidence may be, whether one kind of it is enough. The zero value is strict.
	Ladder Ladder

	// Observer is told how statuses are learned.
	Observer Observer

	// Timestamping says whose time-stamp tokens prove when a signature existed. If
	// nil, tokens are not used, and reported as not used.
	Timestamping *TimestampAuthority

	// Algorithms says which algorithms and key sizes are accepted until when.
	// The zero value is StrictPolicy.
	Algorithms AlgorithmPolicy

	// Clock returns the present time. If nil, time.Now.
	Clock func() time.Time

	// InsecureSkipRevocation accepts certificates without asking for their
	// status. It is meant for replaying archived vectors.
	InsecureSkipRevocation bool

	// InsecureAllowSHA1 accepts SHA-1 digests and signatures, and RSA keys of
	// 1024 bits. It is meant for replaying archived vectors.
	InsecureAllowSHA1 bool

	// InsecureAllowMixedHashes accepts a SignerInfo whose signatureAlgorithm names
	// another hash than its digestAlgorithm, and whose signature has been made with
	// either. Each must be acceptable on its own. Signers that pass through it have
	// DeviationMixedHashes.
	InsecureAllowMixedHashes bool

	// InsecureAllowUnsortedAttributes accepts signedAttrs that are not in the
	// order of DER (X.690, Section 11.6) and were signed as they were sent. A
	// signature that fits the sorted attributes alone is still refused. Signers
	// that pass through it have DeviationUnsortedAttributes.
	InsecureAllowUnsortedAttributes bool

	// InsecureAllowNoSignedAttributes accepts a SignerInfo without signedAttrs,
	// whose signature covers the content itself (RFC 5652, Section 5.4), as old
	// desktop components make them. Content that is itself a set of signed
	// attributes is still refused. Signers that pass through it have
	// DeviationNoSignedAttributes.
	InsecureAllowNoSignedAttributes bool

	// InsecureAllowUTF16Line accepts a statement line (Options.Line) that was
	// signed in UTF-16LE, with or without byte order mark, as old desktop
	// components sign text. Signers that pass through it have DeviationUTF16Line.
	InsecureAllowUTF16Line bool
}
