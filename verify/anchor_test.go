package verify_test

import (
	"testing"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// An anchor is trusted from the first to the last second of its period, and the
// other anchors of the scheme all the time.
func TestAnchorPeriods(t *testing.T) {
	w := newWorld(t)
	from, to := noon().Add(-time.Minute), noon().Add(time.Minute)
	scheme := w.scheme(t)
	scheme.AnchorPeriods = []verify.AnchorPeriod{{Anchor: w.G3.Root.Cert, NotBefore: from, NotAfter: to}}
	v, err := verify.New(verify.Config{Scheme: scheme, InsecureSkipRevocation: true, Clock: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	g2, g3 := w.issue(t, w.G2), w.card
	for _, tt := range []struct {
		name string
		cert []byte
		at   time.Time
		want verify.Reason
	}{
		{"a second before", g3.Cert.Raw, from.Add(-time.Second), verify.ReasonUntrusted},
		{"the first second", g3.Cert.Raw, from, ""},
		{"the last second", g3.Cert.Raw, to, ""},
		{"a second after", g3.Cert.Raw, to.Add(time.Second), verify.ReasonUntrusted},
		{"a CA, a second after", w.G3.MOICA.Cert.Raw, to.Add(time.Second), verify.ReasonUntrusted},
		{"the anchor, a second after", w.G3.Root.Cert.Raw, to.Add(time.Second), verify.ReasonUntrusted},
		{"another anchor, a second after", g2.Cert.Raw, to.Add(time.Second), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := v.Certificate(t.Context(), tt.cert, &verify.Options{ReceivedAt: tt.at})
			wantReason(t, res, err, tt.want)
		})
	}
}

func TestNewRefusesAnchorPeriods(t *testing.T) {
	w := newWorld(t)
	root, now := w.G3.Root.Cert, noon()
	for name, periods := range map[string][]verify.AnchorPeriod{
		"of nothing":            {{}},
		"of another":            {{Anchor: w.G3.MOICA.Cert}},
		"twice":                 {{Anchor: root, NotAfter: now}, {Anchor: root}},
		"ends before it begins": {{Anchor: root, NotBefore: now, NotAfter: now.Add(-time.Second)}},
	} {
		t.Run(name, func(t *testing.T) {
			scheme := w.scheme(t)
			scheme.AnchorPeriods = periods
			if _, err := verify.New(verify.Config{Scheme: scheme, Status: w.sources(t)}); err == nil {
				t.Error("got no error")
			}
		})
	}
}
