package verify

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/citizencert/citizencert/internal/certpath"
)

// An AnchorPeriod is from when until when an anchor is trusted, which may be
// less than its certificate says: a root begins to be relied on, and is given up,
// by decision of the relying party.
type AnchorPeriod struct {
	Anchor    *x509.Certificate // one of Scheme.Anchors
	NotBefore time.Time         // zero: as long ago as the certificate says
	NotAfter  time.Time         // the last instant; zero: as long as the certificate says
}

// anchorPeriods are the periods by the DER of the anchor.
type anchorPeriods map[string]AnchorPeriod

func (s *Scheme) anchorPeriods() (anchorPeriods, error) {
	periods := make(anchorPeriods, len(s.AnchorPeriods))
	for i, p := range s.AnchorPeriods {
		fail := func(msg string) (anchorPeriods, error) {
			return nil, fmt.Errorf("verify: Config.Scheme.AnchorPeriods[%d] %s", i, msg)
		}
		if p.Anchor == nil || !slices.ContainsFunc(s.Anchors, p.Anchor.Equal) {
			return fail("is not about an anchor of the scheme")
		}
		if _, twice := periods[string(p.Anchor.Raw)]; twice {
			return fail("is about the same anchor as another")
		}
		if !p.NotAfter.IsZero() && p.NotAfter.Before(p.NotBefore) {
			return fail("ends before it begins")
		}
		periods[string(p.Anchor.Raw)] = p
	}
	return periods, nil
}

// accept returns what refuses paths to anchors that are not trusted at an
// instant, and leaves the others to be found.
func (periods anchorPeriods) accept(at time.Time) func([]*x509.Certificate) error {
	if len(periods) == 0 {
		return nil
	}
	return func(path []*x509.Certificate) error {
		anchor := path[len(path)-1]
		period, ok := periods[string(anchor.Raw)]
		refuse := func(format string, instant time.Time) error {
			return &certpath.Error{Kind: certpath.Untrusted, Cert: anchor, Err: fmt.Errorf(format, instant.UTC().Format(timeLayout))}
		}
		switch {
		case !ok:
			return nil
		case at.Before(period.NotBefore):
			return refuse("the anchor is not trusted before %s", period.NotBefore)
		case !period.NotAfter.IsZero() && at.After(period.NotAfter):
			return refuse("the anchor is not trusted after %s", period.NotAfter)
		}
		return nil
	}
}
