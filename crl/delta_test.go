package crl_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/http"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// freshestCRL leads to a delta CRL.
func freshestCRL(url string) []pkix.Extension {
	var b cryptobyte.Builder
	sequence, explicit := cbasn1.SEQUENCE, cbasn1.Tag(0).ContextSpecific().Constructed()
	b.AddASN1(sequence, func(b *cryptobyte.Builder) {
		b.AddASN1(sequence, func(b *cryptobyte.Builder) {
			b.AddASN1(explicit, func(b *cryptobyte.Builder) {
				b.AddASN1(explicit, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.Tag(6).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(url)) })
				})
			})
		})
	})
	return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 46}, Value: b.BytesOrPanic()}}
}

// A delta CRL is fetched from where the list says that it is, whether or not the list
// settles the question, and without it the list counts alone.
func TestFreshest(t *testing.T) {
	w := newWorld(t)
	url := w.URL() + "/delta.crl"
	list := func(partition bool, o pkitest.CRLOptions, number int64, reasons ...int) pkitest.CRLOptions {
		o.Number, o.ThisUpdate, o.Partition, o.OnlyEntries = big.NewInt(number), noon.Add(-time.Hour), partition, true
		for _, reason := range reasons {
			o.Entries = append(o.Entries, w.entry(reason))
		}
		return o
	}
	base, delta := pkitest.CRLOptions{Extensions: freshestCRL(url)}, pkitest.CRLOptions{DeltaBase: big.NewInt(10)}
	const hold = pkitest.ReasonCertificateHold
	for _, c := range []struct {
		name    string
		base    []int
		delta   http.Handler
		want    verify.Status
		partial bool // the lists are those of the partition
	}{
		{"nothing since", nil, w.ca.CRLHandler(list(false, delta, 12)), verify.Good, false},
		{"revoked since", nil, w.ca.CRLHandler(list(false, delta, 12, pkitest.ReasonKeyCompromise)), verify.Revoked, false},
		{"revoked since, in the partition", nil, w.ca.CRLHandler(list(true, delta, 12, pkitest.ReasonKeyCompromise)), verify.Revoked, true},
		{"suspended since", nil, w.ca.CRLHandler(list(false, delta, 12, hold)), verify.Suspended, false},
		{"hold removed", []int{hold}, w.ca.CRLHandler(list(false, delta, 12, pkitest.ReasonRemoveFromCRL)), verify.Good, false},
		{"hold not removed", []int{hold}, w.ca.CRLHandler(list(false, delta, 12)), verify.Suspended, false},
		{"hold removed by another generation", []int{hold}, w.G2.MOICA.CRLHandler(list(false, delta, 12, pkitest.ReasonRemoveFromCRL)), verify.Suspended, false},
		{"no delta there", nil, status(http.StatusNotFound), verify.Good, false},
	} {
		w.serve(list(c.partial, base, 10, c.base...))
		w.Script(url, c.delta)
		store := w.store(crl.Config{})
		for range 2 {
			if got, err := w.ask(store, w.query()); got != c.want {
				t.Errorf("%s: got %v (%v), want %v", c.name, got, err, c.want)
			}
		}
		before := w.Requests(url)
		q := w.query()
		q.HeldOnly = true
		if got, err := w.ask(store, q); got != c.want || w.Requests(url) != before {
			t.Errorf("%s, held: got %v (%v), want %v without a question", c.name, got, err, c.want)
		}
	}
	// No other host, whatever a list says.
	w.serve(list(false, pkitest.CRLOptions{Extensions: freshestCRL("http://169.254.169.254/delta.crl")}, 10))
	reports, err := w.store(crl.Config{}).Status(w.Context(), w.query())
	if len(reports) != 1 || reasonOf(err) != verify.ReasonStatusUnavailable {
		t.Errorf("another host: got %d reports, %v, want the list alone", len(reports), err)
	}
	// An extension that cannot be read keeps nothing from being told.
	freshest := freshestCRL("")
	freshest[0].Value = []byte{0x30, 0}
	w.serve(list(false, pkitest.CRLOptions{}, 10))
	reports, err = w.store(crl.Config{}).Status(w.Context(), w.about(w.issue(pkitest.Template{Extensions: freshest})).query())
	if len(reports) != 1 || reasonOf(err) != verify.ReasonMalformed {
		t.Errorf("malformed: got %d reports, %v, want the list and %s", len(reports), err, verify.ReasonMalformed)
	}
}

// deltaInPlace has whoever controls the network serve a delta CRL where the certificate
// says that its list is: what the list says must not be forgotten for it.
func deltaInPlace(w *world) {
	for _, partition := range []bool{false, true} {
		list := func(number int64, reasons ...int) pkitest.CRLOptions {
			o := numbered(number, time.Duration(20-number)*time.Second)
			o.Partition, o.OnlyEntries = partition, true
			for _, reason := range reasons {
				o.Entries = append(o.Entries, w.entry(reason))
			}
			return o
		}
		delta := list(12)
		delta.DeltaBase = big.NewInt(10)
		store := w.store(crl.Config{Dir: w.TempDir()})
		w.serve(delta)
		w.wantAsked("the delta first", store, verify.Unknown, verify.ReasonStatusUnavailable)
		w.serve(list(10, pkitest.ReasonKeyCompromise))
		w.wantAsked("revoked", store, verify.Revoked, "")
		w.serve(delta)
		q := w.query()
		q.At, q.Fresh.CRL = noon.Add(-2*time.Hour), time.Nanosecond // fetch again
		if _, err := store.Status(w.Context(), q); reasonOf(err) != verify.ReasonStatusUnavailable {
			w.Errorf("delta in place of the list: got %v, want %s", err, verify.ReasonStatusUnavailable)
		}
		w.wantAsked("still revoked", store, verify.Revoked, "")
		w.serve(list(13))
		if _, err := store.Status(w.Context(), q); err != nil {
			w.Errorf("next list: got %v", err)
		}
		w.wantAsked("next list", store, verify.Good, "")
	}
}
