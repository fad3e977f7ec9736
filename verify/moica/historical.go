package moica

import (
	"io/fs"
	"slices"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// HistoricalPins returns the pins of the first generation. MOICA G1 was signed
// and signed with SHA-1, and ended on 2023-04-21.
func HistoricalPins() []Pin {
	return []Pin{
		{Name: nameGRCAG1, Root: true, SHA256: "7600295eefe85b9e1fd624db76062aaaae59818a54d2774cd4c0b2c01131e1b3"},
		{Name: "MOICA-G1", SHA256: "45111450fb31ef5137e4b7cff9ee2bef23e8bbfd165086dfbd93df2f329b785e"},
	}
}

const nameGRCAG1 = "GRCA-G1"

// endOfG1 is notAfter of MOICA G1, the last second at which it could issue
// anything.
func endOfG1() time.Time { return time.Date(2023, 4, 21, 7, 56, 7, 0, time.UTC) }

// HistoricalAnchors are the pinned CA certificates of production, with those of
// the first generation. They are a type of their own so that they cannot be given
// to [Production].
type HistoricalAnchors struct{ set anchorSet }

// Found returns the pinned certificates, in the order of the files.
func (a *HistoricalAnchors) Found() []Found { return slices.Clone(a.set.found) }

// Skipped returns the files that were passed over, with the reason.
func (a *HistoricalAnchors) Skipped() []Skipped { return slices.Clone(a.set.skipped) }

// LoadHistoricalAnchors is [LoadAnchors] with [HistoricalPins].
func LoadHistoricalAnchors(fsys fs.FS, more ...Pin) (*HistoricalAnchors, error) {
	set, err := load(fsys, slices.Concat(Pins(), HistoricalPins(), more))
	if err != nil {
		return nil, err
	}
	return &HistoricalAnchors{set}, nil
}

// Historical returns the scheme for documents that are proven to have existed
// while the first generation issued certificates. It is for archives: services
// that receive documents use [Production].
//
//	anchors, err := moica.LoadHistoricalAnchors(os.DirFS("/etc/moica"))
//	...
//	v, err := verify.New(verify.Config{
//		Scheme:     moica.Historical(anchors),
//		Algorithms: moica.HistoricalPolicy(),
//		Status:     sources,
//	})
//	res, err := v.SignedData(ctx, document, &verify.Options{ReceivedAt: proven})
//
// The root of that generation is trusted until MOICA G1 ended. Its lists and
// answers are signed with SHA-1 too, which the sources of status admit by their
// own options.
func Historical(anchors *HistoricalAnchors) verify.Scheme {
	s := production(anchors.set)
	for _, f := range anchors.set.found {
		if f.Pin.Name == nameGRCAG1 {
			s.AnchorPeriods = []verify.AnchorPeriod{{Anchor: f.Cert, NotAfter: endOfG1()}}
		}
	}
	return s
}

// HistoricalPolicy is [verify.HistoricalPolicy] for as long as MOICA G1 issued
// certificates.
func HistoricalPolicy() verify.AlgorithmPolicy {
	return verify.HistoricalPolicy(endOfG1().Add(time.Second)) // notAfter includes its second
}
