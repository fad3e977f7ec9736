package crl_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// wantTogether asks a Store that holds lists, for each of which the operator
// vouches. The worst of what it reports counts.
func (w *world) wantTogether(name string, want verify.Status, lists ...pkitest.CRLOptions) {
	w.Helper()
	store := w.store(crl.Config{Offline: true})
	for _, o := range lists {
		if err := store.Add(w.list(o), ""); err != nil {
			w.Fatal(err)
		}
	}
	if got, err := worst(w.TB, store, w.query()); got != want {
		w.Errorf("%s: got %v (%v), want %v", name, got, err, want)
	}
}

// worst returns the worst status that counts.
func worst(t testing.TB, store *crl.Store, q verify.StatusQuery) (verify.Status, error) {
	t.Helper()
	reports, err := store.Status(t.Context(), q)
	found := verify.Unknown
	for i := range reports {
		if status, stale := q.Judge(&reports[i]); stale == nil {
			found = max(found, status)
		}
	}
	return found, err
}

// The reasons of RFC 5280, Section 4.2.1.13 in two halves.
const (
	compromise = 1<<1 | 1<<2
	otherwise  = 0x1fe &^ compromise
)

// reasonsTogether has lists that each cover some reasons.
func reasonsTogether(w *world) {
	some := func(reasons uint16, change func(*pkitest.CRLOptions)) pkitest.CRLOptions {
		o := pkitest.CRLOptions{
			IssuingDistributionPoint: &pkitest.IssuingDistributionPoint{URL: w.ca.URLs.CRL, OnlySomeReasons: reasons},
			ThisUpdate:               noon.Add(-time.Hour),
		}
		if change != nil {
			change(&o)
		}
		return o
	}
	with := func(reason int) func(*pkitest.CRLOptions) {
		return func(o *pkitest.CRLOptions) { o.Entries = []pkitest.CRLEntry{w.entry(reason)} }
	}
	until := func(end time.Time) func(*pkitest.CRLOptions) {
		return func(o *pkitest.CRLOptions) { o.NextUpdate = end }
	}
	first := some(compromise, nil)
	w.wantTogether("all reasons", verify.Good, first, some(otherwise, nil))
	w.wantTogether("all reasons in reverse", verify.Good, some(otherwise, nil), first)
	w.wantTogether("overlapping", verify.Good, first, some(0x1fe&^2, nil))
	w.wantTogether("one list", verify.Unknown, first)
	w.wantTogether("twice the same reasons", verify.Unknown, first, some(compromise, until(noon.Add(time.Hour))))
	w.wantTogether("a reason is left", verify.Unknown, first, some(otherwise&^(1<<4), nil))
	w.wantTogether("one ended", verify.Unknown, first, some(otherwise, until(noon)))
	w.wantTogether("one about to end", verify.Good, first, some(otherwise, until(noon.Add(time.Second))))
	w.wantTogether("one of another point", verify.Unknown, first, some(otherwise, func(o *pkitest.CRLOptions) { o.IssuingDistributionPoint.URL += "0" }))
	w.wantTogether("one by another key", verify.Unknown, first, some(otherwise, func(o *pkitest.CRLOptions) {
		o.Signer = &pkitest.Signer{Cert: w.G2.MOICA.Cert, Key: w.G2.MOICA.Key}
	}))
	w.wantTogether("revoked", verify.Revoked, first, some(otherwise, with(pkitest.ReasonSuperseded)))
	w.wantTogether("suspended", verify.Suspended, first, some(otherwise, with(pkitest.ReasonCertificateHold)))
	delta := some(otherwise, func(o *pkitest.CRLOptions) { o.DeltaBase = big.NewInt(1) })
	w.wantTogether("a delta as one of them", verify.Unknown, first, delta)

	// They are fetched from one point of the certificate after the other.
	at := func(url string, reasons uint16) {
		o := some(reasons, nil)
		o.IssuingDistributionPoint.URL = url
		w.Script(url, w.ca.CRLHandler(o))
	}
	at(w.ca.URLs.Partition, compromise)
	at(w.ca.URLs.CRL, otherwise)
	w.wantAsked("fetched", w.store(crl.Config{}), verify.Good, "")
	at(w.ca.URLs.CRL, compromise)
	if got, err := worst(w.TB, w.store(crl.Config{}), w.query()); got != verify.Unknown {
		w.Errorf("fetched, reasons are left: got %v (%v), want unknown", got, err)
	}

	// What they prove lasts as long as the one that ends first, and is as old as the
	// oldest.
	store := w.store(crl.Config{Offline: true})
	older := some(otherwise, until(noon.Add(time.Minute)))
	older.ThisUpdate = noon.Add(-2 * time.Hour)
	for _, o := range []pkitest.CRLOptions{first, older} {
		if err := store.Add(w.list(o), ""); err != nil {
			w.Fatal(err)
		}
	}
	reports, err := store.Status(w.Context(), w.query())
	if len(reports) != 1 || len(reports[0].With) != 1 {
		w.Fatalf("got reports %v (%v), want one that rests on two lists", reports, err)
	}
	if r := reports[0]; !r.ThisUpdate.Equal(noon.Add(-2*time.Hour)) || !r.NextUpdate.Equal(noon.Add(time.Minute)) {
		w.Errorf("got %v to %v, want the oldest thisUpdate and the first nextUpdate", r.ThisUpdate, r.NextUpdate)
	}
}

// deltas has a list and a delta CRL to it (RFC 5280, Section 5.2.4).
func deltas(w *world) {
	list := func(number, base int64, thisUpdate time.Duration, reasons ...int) pkitest.CRLOptions {
		o := pkitest.CRLOptions{Number: big.NewInt(number), ThisUpdate: noon.Add(thisUpdate)}
		if base != 0 {
			o.DeltaBase = big.NewInt(base)
		}
		for _, reason := range reasons {
			o.Entries = append(o.Entries, w.entry(reason))
		}
		return o
	}
	const (
		hold, final, removal = pkitest.ReasonCertificateHold, pkitest.ReasonKeyCompromise, pkitest.ReasonRemoveFromCRL
		hour                 = time.Hour
	)
	held := list(10, 0, -2*hour, hold)
	released := list(12, 10, -hour, removal)
	partition, otherKey, ended := released, released, released
	partition.Partition = true
	otherKey.Signer = &pkitest.Signer{Cert: w.G2.MOICA.Cert, Key: w.G2.MOICA.Key}
	ended.NextUpdate = noon
	endedBase := list(10, 0, -2*hour, hold)
	endedBase.NextUpdate = noon
	for _, c := range []struct {
		name        string
		base, delta pkitest.CRLOptions
		want        verify.Status
	}{
		{"hold removed", held, released, verify.Good},
		{"hold not removed", held, list(12, 10, -hour), verify.Suspended},
		{"hold removed, base of the delta is older", held, list(12, 9, -hour, removal), verify.Good},
		{"hold removed, base of the delta is newer", held, list(12, 11, -hour, removal), verify.Suspended},
		{"hold removed by an older delta", held, list(10, 9, -hour, removal), verify.Suspended},
		{"hold removed by a delta from before", held, list(12, 10, -3*hour, removal), verify.Suspended},
		{"hold removed by a partition's delta", held, partition, verify.Suspended},
		{"hold removed by another key", held, otherKey, verify.Suspended},
		{"hold removed by an ended delta", held, ended, verify.Suspended},
		{"hold of an ended list removed", endedBase, released, verify.Unknown},
		{"hold removed and set again", held, list(12, 10, -hour, removal, hold), verify.Suspended},
		{"hold became a revocation", held, list(12, 10, -hour, final), verify.Revoked},
		{"revocation removed", list(10, 0, -2*hour, final), released, verify.Revoked},
		{"removal of what was not listed", list(10, 0, -2*hour), released, verify.Good},
		{"revoked since", list(10, 0, -2*hour), list(12, 10, -hour, final), verify.Revoked},
		{"suspended since", list(10, 0, -2*hour), list(12, 10, -hour, hold), verify.Suspended},
		{"nothing since", list(10, 0, -2*hour), list(12, 10, -hour), verify.Good},
		{"removal of a removal", list(10, 0, -2*hour, removal), released, verify.Unknown},
		{"two deltas", list(11, 10, -2*hour), released, verify.Unknown},
	} {
		w.wantTogether(c.name, c.want, c.base, c.delta)
		w.wantTogether(c.name+", in reverse", c.want, c.delta, c.base)
	}

	// Of several deltas to one list the newest counts.
	for _, c := range []struct {
		name   string
		newest pkitest.CRLOptions
		want   verify.Status
	}{
		{"hold removed, and again", list(14, 10, -hour/2, removal), verify.Good},
		{"hold removed, and not any more", list(14, 10, -hour/2), verify.Suspended},
		{"hold removed, and set again", list(14, 10, -hour/2, hold), verify.Suspended},
	} {
		w.wantTogether(c.name, c.want, held, released, c.newest)
		w.wantTogether(c.name+", in reverse", c.want, c.newest, released, held)
	}
	w.wantTogether("hold not removed, and then", verify.Good, held, list(11, 10, -hour*3/2), released)

	// With the delta the state is as new as the delta.
	q := w.query()
	q.Fresh.CRL = hour
	for _, c := range []struct {
		lists []pkitest.CRLOptions
		want  verify.Status
	}{
		{[]pkitest.CRLOptions{list(10, 0, -hour), list(12, 10, -time.Minute)}, verify.Good},
		{[]pkitest.CRLOptions{list(10, 0, -2*hour)}, verify.Unknown},
	} {
		store := w.store(crl.Config{Offline: true})
		for _, o := range c.lists {
			if err := store.Add(w.list(o), ""); err != nil {
				w.Fatal(err)
			}
		}
		if got, err := worst(w.TB, store, q); got != c.want {
			w.Errorf("%d lists: got %v (%v), want %v", len(c.lists), got, err, c.want)
		}
	}
}

// indirectEntries has entries of several issuers on one list (RFC 5280, Section
// 5.3.3).
func indirectEntries(w *world) {
	other := w.G3.Root.Cert.RawSubject
	names := func(name ...[]byte) []pkix.Extension {
		var general [][]byte
		for _, n := range name {
			general = append(general, dertest.TLV(0xa4, n))
		}
		return []pkix.Extension{{Id: pkitest.OIDCertificateIssuer, Critical: true, Value: dertest.TLV(0x30, general...)}}
	}
	entry := func(serial *big.Int, extensions []pkix.Extension) pkitest.CRLEntry {
		return pkitest.CRLEntry{Serial: serial, RevocationDate: noon.Add(-time.Hour), Reason: pkitest.ReasonKeyCompromise, Extensions: extensions}
	}
	own, another := w.cert.SerialNumber, big.NewInt(1)
	for _, c := range []struct {
		name    string
		entries []pkitest.CRLEntry
		want    verify.Status
	}{
		{"no entry", nil, verify.Good},
		{"under nobody", []pkitest.CRLEntry{entry(own, nil)}, verify.Revoked},
		{"under another", []pkitest.CRLEntry{entry(own, names(other))}, verify.Good},
		{"carried on from another", []pkitest.CRLEntry{entry(another, names(other)), entry(own, nil)}, verify.Good},
		{"back under its own", []pkitest.CRLEntry{entry(another, names(other)), entry(own, names(w.ca.Cert.RawSubject))}, verify.Revoked},
		{"carried on from its own", []pkitest.CRLEntry{entry(another, names(w.ca.Cert.RawSubject)), entry(own, nil)}, verify.Revoked},
		{"under both", []pkitest.CRLEntry{entry(own, names(other, w.ca.Cert.RawSubject))}, verify.Revoked},
		{"under another, and before", []pkitest.CRLEntry{entry(own, nil), entry(own, names(other))}, verify.Revoked},
	} {
		list, err := crl.Parse(w.list(pkitest.CRLOptions{IssuingDistributionPoint: &pkitest.IssuingDistributionPoint{Indirect: true}, Entries: c.entries}))
		if err != nil {
			w.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, admitted := range []bool{true, false} {
			want, says := c.want, verify.Unknown
			if !admitted {
				want = verify.Unknown
			}
			report, err := crl.Judge(list, w.cert, w.ca.Cert, crl.JudgeOptions{Complete: true, SeparateCRLKeys: admitted})
			if err == nil {
				says = report.Says
			}
			if says != want {
				w.Errorf("%s, admitted %t: got %v (%v), want %v", c.name, admitted, says, err, want)
			}
		}
	}
}

// signers has lists signed with another key than the certificate.
func signers(w *world) {
	key, err := w.G3.Root.IssueCA(pkitest.Template{RawSubject: w.ca.Cert.RawSubject, KeyUsage: x509.KeyUsageCRLSign})
	if err != nil {
		w.Fatal(err)
	}
	list := w.list(pkitest.CRLOptions{Signer: &pkitest.Signer{Cert: key.Cert, Key: key.Key}, AuthorityKeyID: key.Cert.SubjectKeyId})
	g2 := w.list(pkitest.CRLOptions{Signer: &pkitest.Signer{Cert: w.G2.MOICA.Cert, Key: w.G2.MOICA.Key}, AuthorityKeyID: w.G2.MOICA.Cert.SubjectKeyId})
	own := []*x509.Certificate{key.Cert}
	noUsage, err := w.G3.Root.IssueCA(pkitest.Template{RawSubject: w.ca.Cert.RawSubject, Omit: []asn1.ObjectIdentifier{pkitest.OIDKeyUsage}})
	if err != nil {
		w.Fatal(err)
	}
	unmarked := w.list(pkitest.CRLOptions{Signer: &pkitest.Signer{Cert: noUsage.Cert, Key: noUsage.Key}, AuthorityKeyID: noUsage.Cert.SubjectKeyId})
	for _, c := range []struct {
		name string
		list []byte
		opts crl.JudgeOptions
		want verify.Reason
	}{
		{"named", list, crl.JudgeOptions{SeparateCRLKeys: true, CRLIssuers: own}, ""},
		{"not admitted", list, crl.JudgeOptions{CRLIssuers: own}, verify.ReasonUntrusted},
		{"not named", list, crl.JudgeOptions{SeparateCRLKeys: true}, verify.ReasonUntrusted},
		{"named, without keyUsage", unmarked, crl.JudgeOptions{SeparateCRLKeys: true, CRLIssuers: []*x509.Certificate{noUsage.Cert}}, verify.ReasonUntrusted},
		{"another generation beside it", g2, crl.JudgeOptions{SeparateCRLKeys: true, CRLIssuers: own}, verify.ReasonUntrusted},
		{"the CA's own list", w.list(pkitest.CRLOptions{}), crl.JudgeOptions{SeparateCRLKeys: true, CRLIssuers: own}, ""},
	} {
		c.opts.Complete = true
		w.wantDER(c.name, c.list, c.opts, goodUnless(c.want), c.want)
	}
}
