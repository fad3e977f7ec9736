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

// TestAttacks makes the attempts on revocation lists that are known from the
// field, each with a neighbour that must pass. Those that take a server or time
// are in live_test.go, those on a directory in dir_test.go.
func TestAttacks(t *testing.T) {
	for _, attack := range []struct {
		name string
		run  []func(*world)
	}{
		{"C01 key of another generation", []func(*world){foreignKey, signers}},
		{"C02 another scope", []func(*world){foreignScope, reasonsTogether}},
		{"C03 partition without scope", []func(*world){noScope, noScopeFetched}},
		{"C04 nextUpdate", []func(*world){expired}},
		{"C05 rollback", []func(*world){rollback, rollbackAfterMakingRoom, rollbackOnDisk}},
		{"C06 not to be used", []func(*world){unusable, indirectEntries}},
		{"C07 serial number twice", []func(*world){duplicates}},
		{"C08 removeFromCRL", []func(*world){removed, deltas, deltaInPlace}},
		{"C09 damaged file", []func(*world){damaged}},
		{"C10 size and serial numbers", []func(*world){sizes, serials}},
		{"C11 directory that is of no use", []func(*world){unusableDir}},
		{"C12 the same list after nextUpdate", []func(*world){replayed}},
	} {
		t.Run(attack.name, func(t *testing.T) {
			t.Parallel()
			for _, run := range attack.run {
				run(newWorld(t))
			}
		})
	}
}

func foreignKey(w *world) {
	other := w.G2.MOICA
	signer := &pkitest.Signer{Cert: other.Cert, Key: other.Key}
	w.want("other generation", pkitest.CRLOptions{Signer: signer}, verify.Unknown, verify.ReasonBadSignature)
	w.want("other generation, own key identifier", pkitest.CRLOptions{Signer: signer, AuthorityKeyID: other.Cert.SubjectKeyId},
		verify.Unknown, verify.ReasonUntrusted)
	w.want("other generation, no key identifier", pkitest.CRLOptions{Signer: signer, Omit: []asn1.ObjectIdentifier{pkitest.OIDAuthorityKeyID}},
		verify.Unknown, verify.ReasonBadSignature)
	w.want("right key, other key identifier", pkitest.CRLOptions{AuthorityKeyID: other.Cert.SubjectKeyId}, verify.Unknown, verify.ReasonUntrusted)
	w.want("right key, other name", pkitest.CRLOptions{RawIssuer: w.G3.Root.Cert.RawSubject}, verify.Unknown, verify.ReasonUntrusted)
	w.want("broken signature", pkitest.CRLOptions{BreakSignature: true}, verify.Unknown, verify.ReasonBadSignature)
	w.want("right key", pkitest.CRLOptions{}, verify.Good, "")
	w.want("right key, no key identifier", pkitest.CRLOptions{Omit: []asn1.ObjectIdentifier{pkitest.OIDAuthorityKeyID}}, verify.Good, "")
}

func foreignScope(w *world) {
	const unavailable = verify.ReasonStatusUnavailable
	own := w.ca.URLs.Partition
	ca, err := w.ca.IssueCA(pkitest.Template{})
	if err != nil {
		w.Fatal(err)
	}
	authority := w.about(ca.Cert)
	for _, c := range []struct {
		name         string
		scope        pkitest.IssuingDistributionPoint
		user, caCert verify.Reason // why not, for either kind of certificate
	}{
		{"another point", pkitest.IssuingDistributionPoint{URL: own + "0"}, unavailable, unavailable},
		{"its point", pkitest.IssuingDistributionPoint{URL: own}, "", ""},
		{"its other point", pkitest.IssuingDistributionPoint{URL: w.ca.URLs.CRL}, "", ""},
		{"its point, not critical", pkitest.IssuingDistributionPoint{URL: own, NotCritical: true}, "", ""},
		{"another point, not critical", pkitest.IssuingDistributionPoint{URL: own + "0", NotCritical: true}, unavailable, unavailable},
		{"CA certificates", pkitest.IssuingDistributionPoint{OnlyCACerts: true}, unavailable, ""},
		{"end-entity certificates", pkitest.IssuingDistributionPoint{OnlyUserCerts: true}, "", unavailable},
		{"attribute certificates", pkitest.IssuingDistributionPoint{OnlyAttributeCerts: true}, unavailable, unavailable},
		{"some reasons", pkitest.IssuingDistributionPoint{OnlySomeReasons: 1 << 1}, unavailable, unavailable},
		{"indirect", pkitest.IssuingDistributionPoint{Indirect: true}, unavailable, unavailable},
		{"two kinds", pkitest.IssuingDistributionPoint{OnlyUserCerts: true, OnlyCACerts: true}, verify.ReasonMalformed, verify.ReasonMalformed},
	} {
		o := pkitest.CRLOptions{IssuingDistributionPoint: &c.scope}
		w.want(c.name, o, goodUnless(c.user), c.user)
		authority.want(c.name+", for a CA", o, goodUnless(c.caCert), c.caCert)
	}
	listed := pkitest.CRLOptions{
		IssuingDistributionPoint: &pkitest.IssuingDistributionPoint{OnlySomeReasons: 1 << 1},
		Entries:                  []pkitest.CRLEntry{w.entry(pkitest.ReasonKeyCompromise)},
	}
	w.want("some reasons, listed", listed, verify.Revoked, "")
}

func goodUnless(reason verify.Reason) verify.Status {
	if reason == "" {
		return verify.Good
	}
	return verify.Unknown
}

// noScope has a list that may be any partition's: what is not on it proves
// something only by where it comes from.
func noScope(w *world) {
	revoked := pkitest.CRLOptions{Entries: []pkitest.CRLEntry{w.entry(pkitest.ReasonKeyCompromise)}}
	for _, c := range []struct {
		name string
		opts crl.JudgeOptions
		want verify.Reason
	}{
		{"origin unknown", crl.JudgeOptions{}, verify.ReasonStatusUnavailable},
		{"from elsewhere", crl.JudgeOptions{From: w.ca.URLs.CRL + "0"}, verify.ReasonStatusUnavailable},
		{"from its partition", crl.JudgeOptions{From: w.ca.URLs.Partition}, ""},
		{"from its complete list", crl.JudgeOptions{From: w.ca.URLs.CRL}, ""},
		{"vouched for", crl.JudgeOptions{Complete: true}, ""},
	} {
		w.wantDER(c.name, w.list(pkitest.CRLOptions{}), c.opts, goodUnless(c.want), c.want)
		w.wantDER(c.name+", listed", w.list(revoked), c.opts, verify.Revoked, "")
	}
	pointless := w.about(w.issue(pkitest.Template{CRLDistributionPoints: []string{}}))
	pointless.wantDER("certificate without points, origin unknown", w.list(pkitest.CRLOptions{}), crl.JudgeOptions{}, verify.Good, "")
	w.wantDER("with its scope, origin unknown", w.list(pkitest.CRLOptions{Partition: true}), crl.JudgeOptions{}, verify.Good, "")
}

func expired(w *world) {
	list := func(next time.Time, entries ...pkitest.CRLEntry) pkitest.CRLOptions {
		return pkitest.CRLOptions{ThisUpdate: noon.Add(-time.Hour), NextUpdate: next, Entries: entries}
	}
	final, hold := w.entry(pkitest.ReasonKeyCompromise), w.entry(pkitest.ReasonCertificateHold)
	w.want("not listed", list(noon), verify.Unknown, verify.ReasonStatusStale)
	w.want("not listed, a second before", list(noon.Add(time.Second)), verify.Good, "")
	w.want("hold", list(noon, hold), verify.Unknown, verify.ReasonStatusStale)
	w.want("hold, a second before", list(noon.Add(time.Second), hold), verify.Suspended, "")
	w.want("final reason", list(noon, final), verify.Revoked, "")
	w.want("nextUpdate before thisUpdate", list(noon.Add(-2*time.Hour)), verify.Unknown, verify.ReasonMalformed)
	w.want("no nextUpdate", pkitest.CRLOptions{ThisUpdate: noon.Add(-time.Second), NoNextUpdate: true}, verify.Unknown, verify.ReasonStatusStale)
	q := w.query()
	q.Fresh.CRL = time.Hour
	for age, want := range map[time.Duration]verify.Status{time.Hour: verify.Good, time.Hour + time.Second: verify.Unknown} {
		der := w.list(pkitest.CRLOptions{ThisUpdate: noon.Add(-age), NoNextUpdate: true})
		if got, err := judge(q, der, crl.JudgeOptions{Complete: true}); got != want {
			w.Errorf("no nextUpdate, age %v: got %v (%v), want %v", age, got, err, want)
		}
	}
}

func unusable(w *world) {
	const unavailable = verify.ReasonStatusUnavailable
	odd := asn1.ObjectIdentifier{1, 2, 3, 4}
	critical := []pkix.Extension{{Id: odd, Critical: true, Value: []byte{5, 0}}}
	harmless := []pkix.Extension{{Id: odd, Value: []byte{5, 0}}}
	entry := func(extensions []pkix.Extension) []pkitest.CRLEntry {
		e := w.entry(pkitest.ReasonKeyCompromise)
		e.Extensions = extensions
		return []pkitest.CRLEntry{e}
	}
	foreign := entry(critical)
	foreign[0].Serial = big.NewInt(1)
	names := func(of ...[]byte) []byte { return dertest.TLV(0x30, of...) }
	another := func(value []byte) []pkitest.CRLEntry {
		return entry([]pkix.Extension{{Id: pkitest.OIDCertificateIssuer, Critical: true, Value: value}})
	}
	indirect := another(names(dertest.TLV(0xa4, w.G3.Root.Cert.RawSubject)))
	noNumber := []asn1.ObjectIdentifier{pkitest.OIDCRLNumber}
	criticalNumber := []pkix.Extension{{Id: pkitest.OIDCRLNumber, Critical: true, Value: []byte{2, 1, 1}}}
	for _, c := range []struct {
		name   string
		o      pkitest.CRLOptions
		status verify.Status
		reason verify.Reason
	}{
		{"critical extension", pkitest.CRLOptions{Extensions: critical}, verify.Unknown, unavailable},
		{"extension", pkitest.CRLOptions{Extensions: harmless}, verify.Good, ""},
		{"extension twice", pkitest.CRLOptions{Extensions: append(harmless, harmless...)}, verify.Unknown, verify.ReasonMalformed},
		{"critical entry extension", pkitest.CRLOptions{Entries: entry(critical)}, verify.Unknown, unavailable},
		{"critical entry extension of another's", pkitest.CRLOptions{Entries: foreign}, verify.Unknown, unavailable},
		{"entry extension", pkitest.CRLOptions{Entries: entry(harmless)}, verify.Revoked, ""},
		{"entry of another issuer's", pkitest.CRLOptions{Entries: indirect}, verify.Unknown, unavailable},
		{"entry of nobody's", pkitest.CRLOptions{Entries: another(names())}, verify.Unknown, verify.ReasonMalformed},
		{"delta as base", pkitest.CRLOptions{DeltaBase: big.NewInt(1)}, verify.Unknown, unavailable},
		{"delta, listed", pkitest.CRLOptions{DeltaBase: big.NewInt(1), Entries: entry(nil)}, verify.Revoked, ""},
		{"empty list", pkitest.CRLOptions{EmptyList: true, OnlyEntries: true}, verify.Unknown, verify.ReasonMalformed},
		{"no list", pkitest.CRLOptions{OnlyEntries: true}, verify.Good, ""},
		{"version 1", pkitest.CRLOptions{Version: 1}, verify.Unknown, verify.ReasonMalformed},
		{"trailing bytes", pkitest.CRLOptions{Trailing: []byte{0}}, verify.Unknown, verify.ReasonMalformed},
		{"no number", pkitest.CRLOptions{Omit: noNumber}, verify.Unknown, verify.ReasonMalformed},
		{"critical number", pkitest.CRLOptions{Omit: noNumber, Extensions: criticalNumber}, verify.Unknown, verify.ReasonMalformed},
		{"negative number", pkitest.CRLOptions{Number: big.NewInt(-1)}, verify.Unknown, verify.ReasonMalformed},
		{"number of 21 octets", pkitest.CRLOptions{Number: new(big.Int).Lsh(big.NewInt(1), 160)}, verify.Unknown, verify.ReasonMalformed},
		{"undefined reason", pkitest.CRLOptions{Entries: []pkitest.CRLEntry{w.entry(7)}}, verify.Unknown, verify.ReasonMalformed},
	} {
		w.want(c.name, c.o, c.status, c.reason)
	}
	w.wantDER("no number, allowed", w.list(pkitest.CRLOptions{Omit: noNumber}),
		crl.JudgeOptions{Complete: true, InsecureAllowNoNumber: true}, verify.Good, "")

	for usage, want := range map[x509.KeyUsage]verify.Reason{
		x509.KeyUsageCertSign:                        verify.ReasonUntrusted,
		x509.KeyUsageCertSign | x509.KeyUsageCRLSign: "",
	} {
		ca, err := w.G3.Root.IssueCA(pkitest.Template{KeyUsage: usage})
		if err != nil {
			w.Fatal(err)
		}
		other := *w
		other.ca = ca
		other.cert = other.issue(pkitest.Template{})
		other.want("keyUsage of the issuer", pkitest.CRLOptions{}, goodUnless(want), want)
	}
}

func duplicates(w *world) {
	final, hold, removal := w.entry(pkitest.ReasonKeyCompromise), w.entry(pkitest.ReasonCertificateHold), w.entry(pkitest.ReasonRemoveFromCRL)
	for _, c := range []struct {
		name string
		a, b pkitest.CRLEntry
		want verify.Status
	}{
		{"hold and keyCompromise", hold, final, verify.Revoked},
		{"removal and keyCompromise", removal, final, verify.Revoked},
		{"removal and hold", removal, hold, verify.Suspended},
		{"hold twice", hold, hold, verify.Suspended},
	} {
		w.want(c.name, pkitest.CRLOptions{Entries: []pkitest.CRLEntry{c.a, c.b}}, c.want, "")
		w.want(c.name+" in reverse", pkitest.CRLOptions{Entries: []pkitest.CRLEntry{c.b, c.a}}, c.want, "")
	}
	w.want("hold alone", pkitest.CRLOptions{Entries: []pkitest.CRLEntry{hold}}, verify.Suspended, "")

	// Of two revocations the one that takes effect first counts, of a signature of noon.
	q := w.query()
	q.Now = noon.Add(time.Minute)
	want := func(name string, status verify.Status, entries ...pkitest.CRLEntry) {
		w.Helper()
		if got, err := judge(q, w.list(pkitest.CRLOptions{Entries: entries}), crl.JudgeOptions{Complete: true}); got != status || err != nil {
			w.Errorf("%s: got %v (%v), want %v", name, got, err, status)
		}
	}
	late, early := final, final
	late.RevocationDate = noon.Add(time.Second)
	want("from the next second on", verify.Good, late)
	want("twice, also before", verify.Revoked, late, early)
	held := hold
	want("a hold that becomes a revocation in the next second", verify.Revoked, held, late)
	held.RevocationDate = late.RevocationDate
	want("a hold and a revocation from the next second on", verify.Good, held, late)
	invalid := late
	invalid.InvalidityDate = noon
	want("invalid before revoked", verify.Revoked, late, invalid)
}

func removed(w *world) {
	entries := []pkitest.CRLEntry{w.entry(pkitest.ReasonRemoveFromCRL)}
	w.want("in a complete list", pkitest.CRLOptions{Entries: entries}, verify.Unknown, verify.ReasonStatusUnavailable)
	w.want("in a delta", pkitest.CRLOptions{Entries: entries, DeltaBase: big.NewInt(1)}, verify.Unknown, verify.ReasonStatusUnavailable)
	w.want("not at all", pkitest.CRLOptions{}, verify.Good, "")
}

// serials has serial numbers in unusual shapes, which are numbers all the same.
func serials(w *world) {
	high := append([]byte{0x80}, make([]byte, 15)...)
	number := new(big.Int).SetBytes(high)
	twenty := new(big.Int).Lsh(big.NewInt(1), 158)
	for _, c := range []struct {
		name   string
		serial *big.Int
		raw    []byte // as the list has it, or nil for DER
		other  []byte // another number
	}{
		{"16 octets and a leading zero", number, append([]byte{0}, high...), high},
		{"superfluous zeros", number, append([]byte{0, 0, 0}, high...), high},
		{"20 octets", twenty, nil, twenty.Bytes()[:19]},
		{"small", big.NewInt(128), []byte{0, 128}, []byte{128}},
	} {
		about := w.about(w.issue(pkitest.Template{Serial: c.serial}))
		revocation := about.entry(pkitest.ReasonKeyCompromise)
		if revocation.RawSerial = c.raw; c.raw == nil {
			revocation.Serial = c.serial
		}
		about.want(c.name, pkitest.CRLOptions{Entries: []pkitest.CRLEntry{revocation}}, verify.Revoked, "")
		revocation.RawSerial = c.other
		about.want(c.name+", another number", pkitest.CRLOptions{Entries: []pkitest.CRLEntry{revocation}}, verify.Good, "")
	}
	long := w.entry(0)
	long.RawSerial = append([]byte{1}, make([]byte, 64)...)
	w.want("65 octets", pkitest.CRLOptions{Entries: []pkitest.CRLEntry{long}}, verify.Unknown, verify.ReasonMalformed)
	long.RawSerial = long.RawSerial[:64]
	w.want("64 octets", pkitest.CRLOptions{Entries: []pkitest.CRLEntry{long}}, verify.Good, "")
}
