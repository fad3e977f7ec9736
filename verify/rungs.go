package verify

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"time"
)

// A Ladder says how the status of certificates is learned, by what for. The zero
// value is the strict one. For every certificate of a path but the anchor:
//
//   - What any source holds, or Options.Evidence has, is looked at first, and then
//     each source in turn with the network, until one knows. Evidence inside the
//     message counts where the source of its kind learns nothing.
//   - Evidence counts if it was current at the instant of judgement and not older
//     than the ages below, or is later and still speaks of the certificate (see
//     [StatusQuery.Judge]).
//   - Revoked, said by any of them, is final, whatever others say. Then suspended,
//     then unknown to the authority. A source that fails is passed over.
//   - If nobody knows, the signature is refused, with what each had to say.
//
// [RevocationFact] tells which rung it was, and what the others said.
type Ladder struct {
	SignIn     Rungs // for UseSignIn
	Filing     Rungs // for UseFiling
	Historical Rungs // for UseHistorical

	// NoCheckLife is the longest life, from notBefore to notAfter, of a responder's
	// certificate whose ocsp-nocheck (RFC 6960, Section 4.2.2.2.1) is honoured. The
	// status of one that lives longer is learned from lists like that of one without
	// the extension. If zero, any life: the RFC leaves it to the CA, and MOICA does
	// not publish how long its responders live.
	NoCheckLife time.Duration
}

// Rungs are the settings for one use.
type Rungs struct {
	// Order is the order in which sources are asked. If zero, that of Config.Status.
	Order RungOrder

	// RequireBoth accepts a certificate only if an OCSP answer and a revocation list
	// both say that it is good. It does not apply to those who sign evidence.
	RequireBoth bool

	// Ages bound the age of the evidence about end entities at the instant of
	// judgement. If zero, SignInOCSPAge and SignInCRLAge for UseSignIn, and until
	// nextUpdate for the others. CAAges bound that about the CAs of the path, whose
	// lists live longer than a day; if zero, until nextUpdate. With an age, evidence
	// without nextUpdate counts too.
	Ages, CAAges Freshness

	// InsecureLongAges accepts Ages above those of UseSignIn for it.
	InsecureLongAges bool

	// InsecureLastKnownGood accepts a certificate of whom nothing can be learned if the
	// newest evidence that is still at hand says that it is good and is not older than
	// this at the instant of judgement: what has happened since is not known. It is for
	// uses of low risk while an authority is out of reach. Sources must still hold such
	// evidence. The fact has RungLastKnownGood.
	InsecureLastKnownGood time.Duration
}

// A RungOrder is an order of sources.
type RungOrder uint8

// The orders. A source whose method EvidenceKind() EvidenceKind returns OCSPEvidence
// counts as a responder, and every other one as a store of lists. Among themselves
// they keep the order of Config.Status.
const (
	AsConfigured RungOrder = iota
	OCSPFirst
	CRLFirst
)

// complete fills in the defaults, and refuses what is contradictory or weaker than
// its name says.
func (l Ladder) complete() (Ladder, error) {
	for _, use := range []struct {
		name     string
		rungs    *Rungs
		defaults Freshness
	}{
		{"SignIn", &l.SignIn, UseSignIn.freshness()},
		{"Filing", &l.Filing, UseFiling.freshness()},
		{"Historical", &l.Historical, UseHistorical.freshness()},
	} {
		if err := use.rungs.complete(use.defaults); err != nil {
			return l, fmt.Errorf("verify: Config.Ladder.%s: %w", use.name, err)
		}
	}
	if l.NoCheckLife < 0 {
		return l, fmt.Errorf("verify: Config.Ladder.NoCheckLife %v is negative", l.NoCheckLife)
	}
	return l, nil
}

func (r *Rungs) complete(defaults Freshness) error {
	ages := []time.Duration{r.Ages.OCSP, r.Ages.CRL, r.CAAges.OCSP, r.CAAges.CRL, r.InsecureLastKnownGood}
	for _, age := range ages {
		if age < 0 {
			return fmt.Errorf("age %v is negative", age)
		}
	}
	r.Ages.OCSP, r.Ages.CRL = cmp.Or(r.Ages.OCSP, defaults.OCSP), cmp.Or(r.Ages.CRL, defaults.CRL)
	longer := defaults.OCSP != 0 && r.Ages.OCSP > defaults.OCSP || defaults.CRL != 0 && r.Ages.CRL > defaults.CRL
	switch {
	case r.Order > CRLFirst:
		return fmt.Errorf("order %d is not a RungOrder", r.Order)
	case longer && !r.InsecureLongAges:
		return fmt.Errorf("ages %v and %v are above %v and %v: shorten them, or set InsecureLongAges",
			r.Ages.OCSP, r.Ages.CRL, defaults.OCSP, defaults.CRL)
	case r.RequireBoth && r.InsecureLastKnownGood != 0:
		return fmt.Errorf("RequireBoth and InsecureLastKnownGood contradict each other")
	}
	return nil
}

// of returns the settings for a use.
func (l *Ladder) of(use Use) Rungs {
	switch use {
	case UseFiling:
		return l.Filing
	case UseHistorical:
		return l.Historical
	}
	return l.SignIn
}

// forAuthorities returns the settings for those who sign evidence.
func (r Rungs) forAuthorities() Rungs { return Rungs{Order: r.Order} }

// arrange returns the sources in the order in which they are asked.
func (r Rungs) arrange(sources []StatusSource) []StatusSource {
	if r.Order == AsConfigured {
		return sources
	}
	var first, second []StatusSource
	for _, source := range sources {
		if isResponder(source) == (r.Order == OCSPFirst) {
			first = append(first, source)
		} else {
			second = append(second, source)
		}
	}
	return append(first, second...)
}

func isResponder(source StatusSource) bool {
	s, ok := source.(interface{ EvidenceKind() EvidenceKind })
	return ok && s.EvidenceKind() == OCSPEvidence
}

// honoursNoCheck reports whether a responder's ocsp-nocheck counts.
func (l *Ladder) honoursNoCheck(responder *x509.Certificate) bool {
	return hasExtension(responder, oidOCSPNoCheck) &&
		(l.NoCheckLife == 0 || responder.NotAfter.Sub(responder.NotBefore) <= l.NoCheckLife)
}
