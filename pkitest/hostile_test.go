package pkitest_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"io"
	"math/big"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/citizencert/citizencert/pkitest"
)

func crl(t *testing.T, ca *pkitest.CA, o pkitest.CRLOptions) *x509.RevocationList {
	t.Helper()
	der, err := ca.CRL(o)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// crlExtension returns an extension as hexadecimal, empty if there is none.
func crlExtension(list *x509.RevocationList, oid asn1.ObjectIdentifier) string {
	i := slices.IndexFunc(list.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oid) })
	if i < 0 {
		return ""
	}
	return hex.EncodeToString(list.Extensions[i].Value)
}

func TestCRLOptions(t *testing.T) {
	t.Parallel()
	pki, clock := newPKI(t)
	moica := pki.G3.MOICA
	card, sibling := newCard(t, pki.G3), newCard(t, pki.G3)
	moica.Revoke(card.Cert, clock.Now(), pkitest.ReasonKeyCompromise)
	serial := card.Cert.SerialNumber
	point := hex.EncodeToString([]byte(moica.URLs.Partition))
	idp := pkitest.OIDIssuingDistributionPoint

	for _, tc := range []struct {
		name    string
		options pkitest.CRLOptions
		check   func(l *x509.RevocationList) bool
	}{
		{"complete", pkitest.CRLOptions{}, func(l *x509.RevocationList) bool {
			return crlExtension(l, idp) == "" && l.NextUpdate.Equal(clock.Now().Add(24*time.Hour)) && l.CheckSignatureFrom(moica.Cert) == nil
		}},
		{"partition", pkitest.CRLOptions{Partition: true}, func(l *x509.RevocationList) bool {
			return bytes.Contains([]byte(crlExtension(l, idp)), []byte(point))
		}},
		{"partition without IDP", pkitest.CRLOptions{Partition: true, Omit: []asn1.ObjectIdentifier{idp}}, func(l *x509.RevocationList) bool {
			return crlExtension(l, idp) == ""
		}},
		{"IDP flags", pkitest.CRLOptions{IssuingDistributionPoint: &pkitest.IssuingDistributionPoint{
			OnlyUserCerts: true, OnlyCACerts: true, OnlyAttributeCerts: true, Indirect: true, OnlySomeReasons: 1<<1 | 1<<6,
		}}, func(l *x509.RevocationList) bool {
			return crlExtension(l, idp) == "3010"+"8101ff"+"8201ff"+"83020142"+"8401ff"+"8501ff"
		}},
		{"signed by a sibling", pkitest.CRLOptions{Signer: &pkitest.Signer{Cert: sibling.Cert, Key: sibling.Key}}, func(l *x509.RevocationList) bool {
			return l.CheckSignatureFrom(moica.Cert) != nil && sibling.Cert.CheckSignature(l.SignatureAlgorithm, l.RawTBSRevocationList, l.Signature) == nil
		}},
		{"SHA-1", pkitest.CRLOptions{SignatureAlgorithm: x509.SHA1WithRSA}, func(l *x509.RevocationList) bool { return l.SignatureAlgorithm == x509.SHA1WithRSA }},
		{"broken", pkitest.CRLOptions{BreakSignature: true}, func(l *x509.RevocationList) bool { return l.CheckSignatureFrom(moica.Cert) != nil }},
		{"no nextUpdate", pkitest.CRLOptions{NoNextUpdate: true}, func(l *x509.RevocationList) bool { return l.NextUpdate.IsZero() }},
		{"number", pkitest.CRLOptions{Number: big.NewInt(7)}, func(l *x509.RevocationList) bool { return l.Number.Int64() == 7 }},
		{"delta", pkitest.CRLOptions{DeltaBase: big.NewInt(6)}, func(l *x509.RevocationList) bool {
			return crlExtension(l, pkitest.OIDDeltaCRLIndicator) == "020106"
		}},
		{"keeps the expired", pkitest.CRLOptions{ExpiredCertsOnCRL: start}, func(l *x509.RevocationList) bool {
			return crlExtension(l, pkitest.OIDExpiredCertsOnCRL) == "180f"+hex.EncodeToString([]byte("20260302013000Z"))
		}},
		{"no authority", pkitest.CRLOptions{Omit: []asn1.ObjectIdentifier{pkitest.OIDAuthorityKeyID}}, func(l *x509.RevocationList) bool {
			return len(l.AuthorityKeyId) == 0
		}},
		{"twice", pkitest.CRLOptions{Entries: []pkitest.CRLEntry{{Serial: serial, RevocationDate: start, Reason: pkitest.ReasonRemoveFromCRL, InvalidityDate: start}}}, func(l *x509.RevocationList) bool {
			e := l.RevokedCertificateEntries
			return len(e) == 2 && e[0].ReasonCode == pkitest.ReasonKeyCompromise && e[1].ReasonCode == pkitest.ReasonRemoveFromCRL && len(e[1].Extensions) == 2
		}},
		{"others only", pkitest.CRLOptions{OnlyEntries: true, EmptyList: true}, func(l *x509.RevocationList) bool { return len(l.RevokedCertificateEntries) == 0 }},
		{"filler", pkitest.CRLOptions{Filler: 3000}, func(l *x509.RevocationList) bool {
			e := l.RevokedCertificateEntries
			return len(e) == 3001 && e[3000].SerialNumber.Cmp(pkitest.FillerSerial(2999)) == 0 && l.CheckSignatureFrom(moica.Cert) == nil
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if list := crl(t, moica, tc.options); !tc.check(list) {
				t.Errorf("the list is not what the options ask for: %+v", list)
			}
		})
	}
}

// A list of a million entries is written without being held.
func TestWriteCRLInBoundedMemory(t *testing.T) {
	pki, _ := newPKI(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := &counter{}
	if err := pki.G2.MOICA.WriteCRL(n, pkitest.CRLOptions{Filler: 1_000_000}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n.bytes < 45_000_000 {
		t.Errorf("got %d bytes, want the size of a national list", n.bytes)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
		t.Errorf("allocated %d bytes", got)
	}
}

type counter struct{ bytes int }

var _ io.Writer = (*counter)(nil)

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return len(p), nil
}

func answer(t *testing.T, ca *pkitest.CA, cert *x509.Certificate, o pkitest.OCSPOptions) []byte {
	t.Helper()
	der, err := ca.OCSP(cert, o)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestOCSPOptions(t *testing.T) {
	t.Parallel()
	pki, clock := newPKI(t)
	moica := pki.G3.MOICA
	card, sibling := newCard(t, pki.G3), newCard(t, pki.G3)
	expired, err := moica.IssueResponder(func(tt *pkitest.Template) { tt.NotAfter = clock.Now().Add(-time.Second) })
	if err != nil {
		t.Fatal(err)
	}
	single := func(r pkitest.SingleResponse) pkitest.OCSPOptions {
		return pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{r}}
	}
	yearAgo := clock.Now().AddDate(-1, 0, 0)

	for _, tc := range []struct {
		name    string
		options pkitest.OCSPOptions
		check   func(r *ocsp.Response) bool
	}{
		{"truth", pkitest.OCSPOptions{}, func(r *ocsp.Response) bool { return r.Status == ocsp.Good && len(r.ResponderKeyHash) == 20 }},
		{"by the CA", pkitest.OCSPOptions{SignByCA: true}, func(r *ocsp.Response) bool { return r.Certificate == nil }},
		{"by name", pkitest.OCSPOptions{ResponderByName: true}, func(r *ocsp.Response) bool { return bytes.Equal(r.RawResponderName, r.Certificate.RawSubject) }},
		{"by a sibling", pkitest.OCSPOptions{Signer: &pkitest.Signer{Cert: sibling.Cert, Key: sibling.Key}}, func(r *ocsp.Response) bool {
			return r.Certificate.Equal(sibling.Cert)
		}},
		{"expired responder", pkitest.OCSPOptions{Signer: &pkitest.Signer{Cert: expired.Cert, Key: expired.Key}}, func(r *ocsp.Response) bool {
			return r.Certificate.NotAfter.Before(clock.Now())
		}},
		{"SHA-1", pkitest.OCSPOptions{SignatureAlgorithm: x509.SHA1WithRSA}, func(r *ocsp.Response) bool { return r.SignatureAlgorithm == x509.SHA1WithRSA }},
		{"unknown", single(pkitest.SingleResponse{Status: pkitest.OCSPUnknown}), func(r *ocsp.Response) bool { return r.Status == ocsp.Unknown }},
		{"never issued", single(pkitest.SingleResponse{Serial: big.NewInt(1)}), func(r *ocsp.Response) bool {
			return r.Status == ocsp.Unknown && r.SerialNumber.Int64() == 1
		}},
		{"revoked", single(pkitest.SingleResponse{Status: pkitest.OCSPRevoked, RevokedAt: yearAgo, Reason: pkitest.ReasonSuperseded}), func(r *ocsp.Response) bool {
			return r.Status == ocsp.Revoked && r.RevokedAt.Equal(yearAgo) && r.RevocationReason == ocsp.Superseded
		}},
		{"stale", single(pkitest.SingleResponse{ThisUpdate: yearAgo}), func(r *ocsp.Response) bool { return r.NextUpdate.Equal(yearAgo.Add(12 * time.Hour)) }},
		{"no nextUpdate", single(pkitest.SingleResponse{NoNextUpdate: true}), func(r *ocsp.Response) bool { return r.NextUpdate.IsZero() }},
		{"SHA-256 CertID", single(pkitest.SingleResponse{Hash: crypto.SHA256}), func(r *ocsp.Response) bool { return r.IssuerHash == crypto.SHA256 }},
		{"archive cutoff", single(pkitest.SingleResponse{ArchiveCutoff: start}), func(r *ocsp.Response) bool { return len(r.Extensions) == 1 }},
		{"produced later", pkitest.OCSPOptions{ProducedAt: start.Add(time.Hour)}, func(r *ocsp.Response) bool { return r.ProducedAt.Equal(start.Add(time.Hour)) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			response, err := ocsp.ParseResponse(answer(t, moica, card.Cert, tc.options), moica.Cert)
			if err != nil {
				t.Fatal(err)
			}
			if !tc.check(response) {
				t.Errorf("the response is not what the options ask for: %+v", response)
			}
		})
	}
}

// What x/crypto/ocsp refuses, or does not show.
func TestOCSPBytes(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	moica := pki.G3.MOICA
	card := newCard(t, pki.G3)
	name, key := pkitest.CertIDHashes(pki.G2.MOICA.Cert, crypto.SHA1)
	serial := card.Cert.SerialNumber.Bytes()
	for _, tc := range []struct {
		name    string
		options pkitest.OCSPOptions
		want    []byte
	}{
		{"try later", pkitest.OCSPOptions{ResponseStatus: pkitest.OCSPTryLater}, []byte{0x30, 3, 0x0a, 1, 3}},
		{"malformed request", pkitest.OCSPOptions{Request: []byte{0x30, 0}}, []byte{0x30, 3, 0x0a, 1, 1}},
		{"key of another generation", pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{{KeyHash: key}}}, slices.Concat(name, []byte{4, 20}, key)},
		{"empty nonce", pkitest.OCSPOptions{Nonce: []byte{}}, []byte{0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2, 4, 2, 4, 0}},
		{"two answers", pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{{Status: pkitest.OCSPGood}, {Status: pkitest.OCSPUnknown}}}, append(serial, 0x80, 0)},
		{"no status", pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{{Status: pkitest.OCSPNoStatus}}}, append(serial, 0x18, 15)},
		{"other type", pkitest.OCSPOptions{ResponseType: asn1.ObjectIdentifier{1, 2, 3}}, []byte{6, 2, 0x2a, 3}},
		{"nobody", pkitest.OCSPOptions{RawResponderID: []byte{0xa2, 2, 4, 0}}, []byte{0xa2, 2, 4, 0}},
		{"critical extension", pkitest.OCSPOptions{Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true}}}, []byte{6, 2, 0x2a, 3, 1, 1, 0xff, 4, 0}},
		{"trailing bytes", pkitest.OCSPOptions{Trailing: []byte("after the end")}, []byte("after the end")},
	} {
		if der := answer(t, moica, card.Cert, tc.options); !bytes.Contains(der, tc.want) {
			t.Errorf("%s: no %x in %x", tc.name, tc.want, der)
		}
	}
	if _, err := moica.OCSP(nil, pkitest.OCSPOptions{}); err == nil {
		t.Error("a response about nothing")
	}
	good := answer(t, moica, card.Cert, pkitest.OCSPOptions{})
	if broken := answer(t, moica, card.Cert, pkitest.OCSPOptions{BreakSignature: true}); len(broken) != len(good) || bytes.Equal(broken, good) {
		t.Error("the broken response is not the good one with another signature")
	}
}
