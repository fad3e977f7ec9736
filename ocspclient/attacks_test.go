package ocspclient_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// TestAttacks makes the attempts on OCSP that are known from the field, each with
// a neighbour that must pass. Those that take a responder, a network or time are
// in live_test.go.
func TestAttacks(t *testing.T) {
	for _, attack := range []struct {
		name string
		run  []func(*world)
	}{
		{"O01 sibling citizen signs", []func(*world){siblingSigns}},
		{"O02 responder of another CA", []func(*world){foreignResponder}},
		{"O03 delegate unfit", []func(*world){unfitDelegate}},
		{"O04 CertID of another CA", []func(*world){foreignCertID}},
		{"O05 stale", []func(*world){stale}},
		{"O06 impossible times", []func(*world){impossibleTimes}},
		{"O07 no nextUpdate", []func(*world){noNextUpdate, noNextUpdateCached}},
		{"O08 contradiction", []func(*world){contradiction}},
		{"O09 body too large", []func(*world){largeBodies}},
		{"O10 redirect", []func(*world){redirects}},
		{"O11 address in the certificate", []func(*world){addresses}},
		{"O12 rollback", []func(*world){rollback, invalidityTakenBack, holdTakenBack}},
		{"O13 nonce", []func(*world){nonces, replayedNonce}},
		{"O14 error status", []func(*world){errorStatuses, retries}},
		{"O15 primary and fallback disagree", []func(*world){disagreement}},
		{"O16 not what it seems", []func(*world){notWhatItSeems}},
		{"O17 signed by the issuer", []func(*world){signedByIssuer}},
		{"O18 SHA-1", []func(*world){sha1}},
		{"O19 sick responder", []func(*world){sickResponders}},
		{"O20 one key, two names", []func(*world){oneKeyTwoNames}},
		{"O21 responder that has expired", []func(*world){expiredResponder}},
	} {
		t.Run(attack.name, func(t *testing.T) {
			t.Parallel()
			for _, run := range attack.run {
				run(newWorld(t))
			}
		})
	}
}

func siblingSigns(w *world) {
	for name, template := range map[string]pkitest.Template{
		"as issued":        {},
		"without keyUsage": {Omit: []asn1.ObjectIdentifier{pkitest.OIDKeyUsage}},
		"EKU any":          {ExtKeyUsage: []asn1.ObjectIdentifier{pkitest.OIDAnyExtKeyUsage}},
		"EKU clientAuth":   {ExtKeyUsage: []asn1.ObjectIdentifier{pkitest.OIDClientAuth}},
	} {
		sibling := w.issue(template)
		signer := &pkitest.Signer{Cert: sibling.Cert, Key: sibling.Key}
		w.want(name, pkitest.OCSPOptions{Signer: signer}, verify.Unknown, verify.ReasonUntrusted)
		w.want(name+", by name", pkitest.OCSPOptions{Signer: signer, ResponderByName: true}, verify.Unknown, verify.ReasonUntrusted)
	}
	w.want("the CA's responder", pkitest.OCSPOptions{}, verify.Good, "")
	w.want("the CA's responder by name", pkitest.OCSPOptions{ResponderByName: true}, verify.Good, "")
}

func foreignResponder(w *world) {
	other, err := w.G3.Root.IssueCA(pkitest.Template{})
	if err != nil {
		w.Fatal(err)
	}
	w.want("other CA", pkitest.OCSPOptions{Signer: w.responder(other, nil)}, verify.Unknown, verify.ReasonUntrusted)
	w.want("other generation", pkitest.OCSPOptions{Signer: w.responder(w.G2.MOICA, nil)}, verify.Unknown, verify.ReasonUntrusted)
	lying := w.responder(w.G2.MOICA, func(t *pkitest.Template) {
		t.AuthorityKeyID = &pkitest.AuthorityKeyID{KeyID: w.ca.Cert.SubjectKeyId}
	})
	w.want("other generation with our key identifier", pkitest.OCSPOptions{Signer: lying}, verify.Unknown, verify.ReasonUntrusted)
	w.want("the CA itself, other generation", pkitest.OCSPOptions{Signer: &pkitest.Signer{Cert: w.G2.MOICA.Cert, Key: w.G2.MOICA.Key}, ResponderByName: true},
		verify.Unknown, verify.ReasonUntrusted)
	w.want("another delegate of the CA", pkitest.OCSPOptions{Signer: w.responder(w.ca, nil)}, verify.Good, "")
}

func unfitDelegate(w *world) {
	by := func(change func(*pkitest.Template)) pkitest.OCSPOptions {
		return pkitest.OCSPOptions{Signer: w.responder(w.ca, change)}
	}
	until := func(end time.Time) pkitest.OCSPOptions {
		o := by(func(t *pkitest.Template) { t.NotAfter = end })
		o.ProducedAt = noon.Add(-time.Minute)
		return o
	}
	w.want("expired", until(noon.Add(-time.Second)), verify.Unknown, verify.ReasonExpired)
	w.want("about to expire", until(noon), verify.Good, "")
	from := func(begin time.Time) pkitest.OCSPOptions {
		return by(func(t *pkitest.Template) { t.NotBefore = begin })
	}
	w.want("not yet valid", from(noon.Add(time.Second)), verify.Unknown, verify.ReasonNotYetValid)
	w.want("just valid", from(noon), verify.Good, "")
	w.want("keyUsage nonRepudiation", by(func(t *pkitest.Template) { t.KeyUsage = x509.KeyUsageContentCommitment }),
		verify.Unknown, verify.ReasonUntrusted)
	w.want("no keyUsage", by(func(t *pkitest.Template) { t.Omit = []asn1.ObjectIdentifier{pkitest.OIDKeyUsage} }), verify.Good, "")
	w.want("a CA", by(func(t *pkitest.Template) {
		t.BasicConstraints = &pkitest.BasicConstraints{CA: true}
		t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign
	}), verify.Unknown, verify.ReasonUntrusted)
	w.want("basicConstraints without cA", by(func(t *pkitest.Template) { t.BasicConstraints = &pkitest.BasicConstraints{} }), verify.Good, "")
	unknown := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}
	w.want("unknown critical extension", by(func(t *pkitest.Template) { t.Extensions = append(t.Extensions, unknown) }),
		verify.Unknown, verify.ReasonUntrusted)

	// Whether a delegate without nocheck has been revoked is not looked up, and
	// the answer says so.
	for want, change := range map[ocspclient.ResponderStatus]func(*pkitest.Template){
		ocspclient.ResponderNoCheck:    nil,
		ocspclient.ResponderNotChecked: func(t *pkitest.Template) { t.Extensions = nil },
	} {
		answer, err := ocspclient.Judge(w.answer(by(change)), w.cert, w.ca.Cert, ocspclient.JudgeOptions{Now: noon})
		if err != nil || answer.Responder != want {
			w.Errorf("got responder %v (%v), want %v", answer, err, want)
		}
	}
}

func foreignCertID(w *world) {
	name, key := pkitest.CertIDHashes(w.ca.Cert, crypto.SHA1)
	_, otherKey := pkitest.CertIDHashes(w.G2.MOICA.Cert, crypto.SHA1)
	otherName, _ := pkitest.CertIDHashes(w.G3.Root.Cert, crypto.SHA1)
	for _, c := range []struct {
		what   string
		single pkitest.SingleResponse
		status verify.Status
		reason verify.Reason
	}{
		{"key of the other generation", pkitest.SingleResponse{KeyHash: otherKey}, verify.Unknown, verify.ReasonStatusUnavailable},
		{"name of another CA", pkitest.SingleResponse{NameHash: otherName}, verify.Unknown, verify.ReasonStatusUnavailable},
		{"another serial number", pkitest.SingleResponse{Serial: big.NewInt(1)}, verify.Unknown, verify.ReasonStatusUnavailable},
		{"SHA-256", pkitest.SingleResponse{Hash: crypto.SHA256}, verify.Good, ""},
		{"SHA-256 over hashes of SHA-1", pkitest.SingleResponse{Hash: crypto.SHA256, NameHash: name, KeyHash: key}, verify.Unknown, verify.ReasonStatusUnavailable},
		{"all three", pkitest.SingleResponse{NameHash: name, KeyHash: key, Serial: w.cert.SerialNumber}, verify.Good, ""},
	} {
		c.single.Status = pkitest.OCSPGood
		w.want(c.what, singles(c.single), c.status, c.reason)
	}
}

func singles(list ...pkitest.SingleResponse) pkitest.OCSPOptions {
	return pkitest.OCSPOptions{Responses: list}
}

func stale(w *world) {
	until := func(next time.Time) pkitest.OCSPOptions {
		return singles(pkitest.SingleResponse{ThisUpdate: noon.Add(-time.Hour), NextUpdate: next})
	}
	w.want("nextUpdate", until(noon), verify.Unknown, verify.ReasonStatusStale)
	w.want("one second before nextUpdate", until(noon.Add(time.Second)), verify.Good, "")

	q := w.query()
	q.Fresh.OCSP = 10 * time.Minute
	for age, want := range map[time.Duration]verify.Status{
		10*time.Minute - time.Second: verify.Good,
		10*time.Minute + time.Second: verify.Unknown,
		365 * 24 * time.Hour:         verify.Unknown,
	} {
		o := singles(pkitest.SingleResponse{ThisUpdate: noon.Add(-age), NextUpdate: noon.Add(time.Hour)})
		if got, err := judge(q, w.answer(o), ocspclient.JudgeOptions{}); got != want {
			w.Errorf("age %v: got %v (%v), want %v", age, got, err, want)
		}
	}
}

func impossibleTimes(w *world) {
	skew := verify.DefaultSkew
	this := func(at time.Time) pkitest.OCSPOptions { return singles(pkitest.SingleResponse{ThisUpdate: at}) }
	w.want("thisUpdate beyond skew", this(noon.Add(skew+time.Second)), verify.Unknown, verify.ReasonStatusStale)
	w.want("thisUpdate within skew", this(noon.Add(skew)), verify.Good, "")
	produced := func(at time.Time) pkitest.OCSPOptions { return pkitest.OCSPOptions{ProducedAt: at} }
	w.want("producedAt beyond skew", produced(noon.Add(skew+time.Second)), verify.Unknown, verify.ReasonStatusStale)
	w.want("producedAt within skew", produced(noon.Add(skew)), verify.Good, "")
	w.want("producedAt before the delegate", produced(noon.Add(-time.Hour-time.Second)), verify.Unknown, verify.ReasonStatusUnavailable)

	old := w.issue(pkitest.Template{NotBefore: noon.AddDate(-1, 0, 0)})
	older := *w
	older.cert = old.Cert
	older.want("producedAt before the delegate, after the certificate", produced(noon.Add(-2*time.Hour)), verify.Unknown, verify.ReasonNotYetValid)
	older.want("producedAt in the delegate's life", produced(noon.Add(-time.Minute)), verify.Good, "")

	order := func(next time.Time) pkitest.OCSPOptions {
		return singles(pkitest.SingleResponse{ThisUpdate: noon, NextUpdate: next})
	}
	w.want("nextUpdate before thisUpdate", order(noon.Add(-time.Second)), verify.Unknown, verify.ReasonMalformed)
	w.want("nextUpdate after thisUpdate", order(noon.Add(time.Second)), verify.Good, "")
}

func noNextUpdate(w *world) {
	q := w.query()
	at := func(age time.Duration) []byte {
		return w.answer(singles(pkitest.SingleResponse{ThisUpdate: noon.Add(-age), NoNextUpdate: true}))
	}
	if got, err := judge(q, at(time.Second), ocspclient.JudgeOptions{}); reasonOf(err) != verify.ReasonStatusStale {
		w.Errorf("without maximum age: got %v (%v), want %s", got, err, verify.ReasonStatusStale)
	}
	q.Fresh.OCSP = time.Minute
	if got, err := judge(q, at(time.Minute), ocspclient.JudgeOptions{}); got != verify.Good {
		w.Errorf("within the maximum age: got %v (%v), want good", got, err)
	}
	if got, err := judge(q, at(time.Minute+time.Second), ocspclient.JudgeOptions{}); reasonOf(err) != verify.ReasonStatusStale {
		w.Errorf("beyond the maximum age: got %v (%v), want %s", got, err, verify.ReasonStatusStale)
	}
}

func contradiction(w *world) {
	good := pkitest.SingleResponse{Status: pkitest.OCSPGood}
	unknown := pkitest.SingleResponse{Status: pkitest.OCSPUnknown}
	revoked := pkitest.SingleResponse{Status: pkitest.OCSPRevoked, Reason: pkitest.ReasonKeyCompromise}
	hold := pkitest.SingleResponse{Status: pkitest.OCSPRevoked, Reason: pkitest.ReasonCertificateHold}
	later := revoked
	later.RevokedAt = noon.Add(time.Second)
	for _, c := range []struct {
		a, b pkitest.SingleResponse
		want verify.Status
	}{
		{good, good, verify.Good},
		{good, unknown, verify.Unknown},
		{good, hold, verify.Suspended},
		{unknown, hold, verify.Suspended},
		{good, revoked, verify.Revoked},
		{unknown, revoked, verify.Revoked},
		{hold, revoked, verify.Revoked},
		{good, later, verify.Revoked},
		{hold, later, verify.Revoked},
		{unknown, later, verify.Revoked},
		{revoked, later, verify.Revoked},
	} {
		w.want("in order", singles(c.a, c.b), c.want, "")
		w.want("in reverse", singles(c.b, c.a), c.want, "")
	}
}

func nonces(w *world) {
	nonce := bytes.Repeat([]byte{7}, 32)
	other := bytes.Repeat([]byte{8}, 32)
	inSingle := pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}, Value: append([]byte{4, 32}, nonce...)}
	const unavailable = verify.ReasonStatusUnavailable
	for _, c := range []struct {
		name     string
		sent     []byte
		options  pkitest.OCSPOptions
		required verify.Reason
		ifEchoed verify.Reason
	}{
		{"echoed", nonce, pkitest.OCSPOptions{Nonce: nonce}, "", ""},
		{"absent", nonce, pkitest.OCSPOptions{NoNonce: true}, unavailable, ""},
		{"another", nonce, pkitest.OCSPOptions{Nonce: other}, unavailable, unavailable},
		{"a part", nonce, pkitest.OCSPOptions{Nonce: nonce[:31]}, unavailable, unavailable},
		{"empty", nonce, pkitest.OCSPOptions{Nonce: []byte{}}, verify.ReasonMalformed, verify.ReasonMalformed},
		{"too long", nonce, pkitest.OCSPOptions{Nonce: make([]byte, 129)}, verify.ReasonMalformed, verify.ReasonMalformed},
		{"in the wrong place", nonce, singles(pkitest.SingleResponse{Extensions: []pkix.Extension{inSingle}}),
			verify.ReasonMalformed, verify.ReasonMalformed},
		{"to somebody else's question", nil, pkitest.OCSPOptions{Nonce: other}, "", ""},
	} {
		status := func(r verify.Reason) verify.Status {
			if r == "" {
				return verify.Good
			}
			return verify.Unknown
		}
		der := w.answer(c.options)
		w.wantDER(c.name, der, ocspclient.JudgeOptions{Nonce: c.sent}, status(c.required), c.required)
		w.wantDER(c.name+", if echoed", der, ocspclient.JudgeOptions{Nonce: c.sent, NoncePolicy: ocspclient.NonceIfEchoed}, status(c.ifEchoed), c.ifEchoed)
	}
}

func errorStatuses(w *world) {
	for code, want := range map[int]ocspclient.ResponseStatus{
		pkitest.OCSPMalformedRequest: ocspclient.MalformedRequest,
		pkitest.OCSPInternalError:    ocspclient.InternalError,
		pkitest.OCSPTryLater:         ocspclient.TryLater,
		pkitest.OCSPSigRequired:      ocspclient.SigRequired,
		pkitest.OCSPUnauthorized:     ocspclient.Unauthorized,
	} {
		w.want(want.String(), pkitest.OCSPOptions{ResponseStatus: code}, verify.Unknown, verify.ReasonStatusUnavailable)
		_, err := ocspclient.Judge(w.answer(pkitest.OCSPOptions{ResponseStatus: code}), w.cert, w.ca.Cert, ocspclient.JudgeOptions{})
		if got := responseStatusOf(err); got != want {
			w.Errorf("got %v (%v), want %v", got, err, want)
		}
	}
	w.want("undefined", pkitest.OCSPOptions{ResponseStatus: 4}, verify.Unknown, verify.ReasonMalformed)
}

func notWhatItSeems(w *world) {
	critical := []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
	harmless := []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: []byte{5, 0}}}
	other := w.responder(w.ca, nil)
	certs := func(n int) []*x509.Certificate {
		list := make([]*x509.Certificate, n)
		for i := range list {
			list[i] = w.cert
		}
		return append(list[:n-1:n-1], other.Cert)
	}
	for _, c := range []struct {
		name   string
		o      pkitest.OCSPOptions
		status verify.Status
		reason verify.Reason
	}{
		{"responder ID of another delegate", pkitest.OCSPOptions{Certificates: []*x509.Certificate{other.Cert}}, verify.Unknown, verify.ReasonUntrusted},
		{"responder ID of nobody", pkitest.OCSPOptions{RawResponderID: []byte{0xa2, 3, 4, 1, 1}}, verify.Unknown, verify.ReasonUntrusted},
		{"responder ID of the issuer", pkitest.OCSPOptions{RawResponderID: append([]byte{0xa2, 22, 4, 20}, w.ca.Cert.SubjectKeyId...)},
			verify.Unknown, verify.ReasonBadSignature},
		{"broken signature", pkitest.OCSPOptions{BreakSignature: true}, verify.Unknown, verify.ReasonBadSignature},
		{"critical extension", pkitest.OCSPOptions{Extensions: critical}, verify.Unknown, verify.ReasonStatusUnavailable},
		{"extension", pkitest.OCSPOptions{Extensions: harmless}, verify.Good, ""},
		{"extension twice", pkitest.OCSPOptions{Extensions: append(harmless, harmless...)}, verify.Unknown, verify.ReasonMalformed},
		{"critical single extension", singles(pkitest.SingleResponse{Extensions: critical}), verify.Unknown, verify.ReasonStatusUnavailable},
		{"single extension", singles(pkitest.SingleResponse{Extensions: harmless}), verify.Good, ""},
		{"other responseType", pkitest.OCSPOptions{ResponseType: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 9}}, verify.Unknown, verify.ReasonMalformed},
		{"trailing bytes", pkitest.OCSPOptions{Trailing: []byte{0}}, verify.Unknown, verify.ReasonMalformed},
		{"no certStatus", singles(pkitest.SingleResponse{Status: pkitest.OCSPNoStatus}), verify.Unknown, verify.ReasonMalformed},
		{"65 single responses", singles(make([]pkitest.SingleResponse, 65)...), verify.Unknown, verify.ReasonLimit},
		{"64 single responses", singles(make([]pkitest.SingleResponse, 64)...), verify.Good, ""},
		{"10,000 single responses", singles(make([]pkitest.SingleResponse, 10_000)...), verify.Unknown, verify.ReasonLimit},
		{"17 certificates", pkitest.OCSPOptions{Signer: other, Certificates: certs(17)}, verify.Unknown, verify.ReasonLimit},
		{"16 certificates", pkitest.OCSPOptions{Signer: other, Certificates: certs(16)}, verify.Good, ""},
	} {
		w.want(c.name, c.o, c.status, c.reason)
	}
}

func signedByIssuer(w *world) {
	issuer := w.ca.Cert // not self-signed
	w.want("no certificate", pkitest.OCSPOptions{SignByCA: true}, verify.Good, "")
	w.want("its own certificate", pkitest.OCSPOptions{SignByCA: true, Certificates: []*x509.Certificate{issuer}}, verify.Good, "")
	w.want("its own certificate, by name", pkitest.OCSPOptions{SignByCA: true, ResponderByName: true, Certificates: []*x509.Certificate{issuer}}, verify.Good, "")
	delegate := w.responder(w.ca, nil)
	w.want("delegate second", pkitest.OCSPOptions{Signer: delegate, Certificates: []*x509.Certificate{w.cert, delegate.Cert}}, verify.Good, "")
	w.want("delegate left out", pkitest.OCSPOptions{Signer: delegate, Certificates: []*x509.Certificate{}}, verify.Unknown, verify.ReasonUntrusted)
}

func sha1(w *world) {
	w.want("SHA-1 CertID", pkitest.OCSPOptions{SignatureAlgorithm: x509.SHA256WithRSA}, verify.Good, "")
	weak := pkitest.OCSPOptions{SignatureAlgorithm: x509.SHA1WithRSA}
	w.want("SHA-1 signature", weak, verify.Unknown, verify.ReasonAlgorithm)
	w.wantDER("SHA-1 signature, allowed", w.answer(weak), ocspclient.JudgeOptions{InsecureAllowSHA1: true}, verify.Good, "")
	for _, alg := range []x509.SignatureAlgorithm{x509.SHA384WithRSA, x509.SHA256WithRSAPSS, x509.SHA512WithRSAPSS} {
		w.want(alg.String(), pkitest.OCSPOptions{SignatureAlgorithm: alg}, verify.Good, "")
	}
	for _, kind := range []x509.PublicKeyAlgorithm{x509.ECDSA, x509.Ed25519} {
		signer := w.responder(w.ca, func(t *pkitest.Template) { t.KeyAlgorithm = kind })
		w.want(kind.String(), pkitest.OCSPOptions{Signer: signer}, verify.Good, "")
	}
}
