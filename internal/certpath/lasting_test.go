package certpath

import (
	"crypto/x509"
	"testing"
	"time"
)

// An answer lasts if it is the first path through known CAs, whatever the
// instant.
func TestFindLasting(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	key := newKey(t)
	until := func(date time.Time) func(*x509.Certificate) {
		return both(isCA, func(c *x509.Certificate) { c.NotAfter = date; c.SubjectKeyId = []byte{1} })
	}
	early := certify(t, root, "CA", key, until(now.Add(-time.Hour)))
	late := certify(t, root, "CA", key, until(notAfter))
	leaf := issue(t, late, "Citizen", nil).Certificate
	accept := func([]*x509.Certificate) error { return nil }
	for _, tt := range []struct {
		name         string
		known, hints []*x509.Certificate
		in           Inputs
		want         bool
	}{
		{"one path", certs(late), nil, Inputs{At: now}, true},
		{"one path, hints beside it", certs(late), certs(late, early), Inputs{At: now}, true},
		{"the first of two", certs(late, early), nil, Inputs{At: now}, true},
		{"the second of two", certs(early, late), nil, Inputs{At: now}, false},
		{"the first of two, while it was valid", certs(early, late), nil, Inputs{At: now.Add(-2 * time.Hour)}, true},
		{"by a hint", nil, certs(late), Inputs{At: now}, false},
		{"by a hint, the known one expired", certs(early), certs(late), Inputs{At: now}, false},
		{"accepted by the caller", certs(late), nil, Inputs{At: now, Accept: accept}, false},
		{"none", certs(early), nil, Inputs{At: now}, false},
	} {
		path, lasting, err := newTestSet(t, certs(root), tt.known).FindLasting(leaf, tt.hints, tt.in)
		if lasting != tt.want {
			t.Errorf("%s: got lasting %v (error %v), want %v", tt.name, lasting, err, tt.want)
		}
		if err == nil && !InForce(path, tt.in.At) {
			t.Errorf("%s: the path is not in force", tt.name)
		}
	}
	set := newTestSet(t, certs(root), certs(late))
	if _, lasting, err := set.FindLasting(root.Certificate, nil, Inputs{At: now, AllowAnchorAsEndEntity: true}); err != nil || !lasting {
		t.Errorf("an anchor: got lasting %v and error %v, want true", lasting, err)
	}
	if set.Known(late.Raw) != late.Certificate || set.Known(root.Raw) != root.Certificate || set.Known(leaf.Raw) != nil {
		t.Error("Known is not true of the CAs alone")
	}
}

// InForce and Find judge dates alike, to the second.
func TestInForce(t *testing.T) {
	root := issue(t, nil, "Root", isCA)
	leaf := issue(t, root, "Citizen", nil)
	set := newTestSet(t, certs(root), nil)
	for _, at := range []time.Time{
		notBefore.Add(-time.Nanosecond), notBefore, now, notAfter, notAfter.Add(time.Second - 1), notAfter.Add(time.Second),
	} {
		_, err := set.Find(leaf.Certificate, nil, Inputs{At: at})
		if got := InForce(certs(leaf, root), at); got != (err == nil) {
			t.Errorf("at %v: got %v, Find says %v", at, got, err)
		}
	}
}
