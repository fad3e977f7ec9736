package signin_test

import (
	"bytes"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
)

// S02: a service that has a citizen sign the encoding of signed attributes has got
// the signature of another message. What a card is asked to sign is a line, and
// only a line can be written: it begins with a letter that begins no SET.
func attackAttributesAsLine(t *testing.T) {
	w := newWorld(t)
	if tbs := []byte(w.browser(t).begin().Request.TBS); !bytes.HasPrefix(tbs, []byte("citizencert:")) {
		t.Errorf("got %q to sign, want a line", tbs)
	}
	attributes := string(pkitest.EncodeAttributes([]pkitest.Attribute{pkitest.MessageDigest(make([]byte, 32))}))
	for _, l := range vectors() {
		for name, change := range map[string]func(*signin.Line){
			"purpose": func(l *signin.Line) { l.Purpose = signin.Purpose(attributes) },
			"host":    func(l *signin.Line) { l.Host = attributes },
			"service": func(l *signin.Line) { l.Service = attributes },
		} {
			l := l
			change(&l)
			if text, err := l.Encode(); err == nil {
				t.Errorf("attributes for %s: got %q to sign, want an error", name, text)
			}
		}
	}
	if _, err := signin.ParseLine(attributes); err == nil {
		t.Error("got attributes for a line")
	}
}
