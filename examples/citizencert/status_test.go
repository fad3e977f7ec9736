package main

import (
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A statusAnswer has the members of the JSON object of ocsp and crl.
type statusAnswer struct {
	Status, Responder, ResponderStatus string
	Reason                             verify.Reason
	Retryable                          bool
	ThisUpdate, NextUpdate, RevokedAt  time.Time
	ReasonCode                         *int
}

func (o outcome) status(t *testing.T) statusAnswer {
	t.Helper()
	var a statusAnswer
	o.decodeJSON(t, &a)
	if (a.Status == "good") != (o.code == exitGood) || a.Status != "good" && o.code != exitRefused {
		t.Errorf("status %s with exit code %d", a.Status, o.code)
	}
	return a
}

func TestOCSP(t *testing.T) {
	w := newWorld(t)
	ca := w.pki.G3.MOICA
	delegate, err := ca.IssueResponder(func(tm *pkitest.Template) { tm.Extensions = nil })
	if err != nil {
		t.Fatal(err)
	}
	single := func(s pkitest.SingleResponse) pkitest.OCSPOptions {
		return pkitest.OCSPOptions{Responses: []pkitest.SingleResponse{s}}
	}
	revoked := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, test := range []struct {
		name      string
		options   pkitest.OCSPOptions
		args      []string
		status    string
		reason    verify.Reason
		responder string
	}{
		{"good", pkitest.OCSPOptions{}, nil, "good", "", "no-check"},
		{"good by the CA", pkitest.OCSPOptions{SignByCA: true}, nil, "good", "", "issuer"},
		{"good by a responder that can be revoked", pkitest.OCSPOptions{Signer: &pkitest.Signer{Cert: delegate.Cert, Key: delegate.Key}}, nil, "good", "", "not-checked"},
		{"revoked", single(pkitest.SingleResponse{Status: pkitest.OCSPRevoked, RevokedAt: revoked, Reason: 1}), nil, "revoked", verify.ReasonRevoked, "no-check"},
		{"suspended", single(pkitest.SingleResponse{Status: pkitest.OCSPRevoked, RevokedAt: revoked, Reason: 6}), nil, "suspended", verify.ReasonSuspended, "no-check"},
		{"unknown", single(pkitest.SingleResponse{Status: pkitest.OCSPUnknown}), nil, "unknown", verify.ReasonStatusUnknown, "no-check"},
		{"without nextUpdate", single(pkitest.SingleResponse{NoNextUpdate: true}), nil, "unknown", verify.ReasonStatusStale, "no-check"},
		{"without nextUpdate, young", single(pkitest.SingleResponse{NoNextUpdate: true}), []string{"-max-age", "10m"}, "good", "", "no-check"},
		{"without nextUpdate, old", single(pkitest.SingleResponse{NoNextUpdate: true, ThisUpdate: revoked}), []string{"-max-age", "10m"}, "unknown", verify.ReasonStatusStale, "no-check"},
		{"from after the instant", pkitest.OCSPOptions{}, []string{"-at", revoked.Format(time.RFC3339)}, "unknown", verify.ReasonStatusStale, ""},
		{"another certificate's", single(pkitest.SingleResponse{Serial: ca.Cert.SerialNumber}), nil, "unknown", verify.ReasonStatusUnavailable, ""},
		{"error status", pkitest.OCSPOptions{ResponseStatus: pkitest.OCSPTryLater}, nil, "unknown", verify.ReasonStatusUnavailable, ""},
		{"broken signature", pkitest.OCSPOptions{BreakSignature: true}, nil, "unknown", verify.ReasonBadSignature, ""},
		{"trailing byte", pkitest.OCSPOptions{Trailing: []byte{0}}, nil, "unknown", verify.ReasonMalformed, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, err := ca.OCSP(w.card.Cert, test.options)
			if err != nil {
				t.Fatal(err)
			}
			args := with([]string{"ocsp", "-json", "-cert", writeTemp(t, "card.cer", w.card.Cert.Raw), "-issuer", writeTemp(t, "moica.cer", w.moica)}, test.args...)
			a := call(t, append(args, writeTemp(t, "card.ors", response))...).status(t)
			if a.Status != test.status || a.Reason != test.reason || a.ResponderStatus != test.responder {
				t.Errorf("got %s, %q, responder %q; want %s, %q, responder %q", a.Status, a.Reason, a.ResponderStatus, test.status, test.reason, test.responder)
			}
			if a.Status == "revoked" && (!a.RevokedAt.Equal(revoked) || a.ReasonCode == nil || *a.ReasonCode != 1 || a.Responder == "") {
				t.Errorf("got %+v, want revoked at %v for reason 1", a, revoked)
			}
		})
	}
}

func TestCRL(t *testing.T) {
	w := newWorld(t)
	ca := w.pki.G3.MOICA
	revoked := time.Now().Add(-time.Hour).Truncate(time.Second)
	entry := func(reason int) pkitest.CRLOptions {
		return pkitest.CRLOptions{Entries: []pkitest.CRLEntry{{Serial: w.card.Cert.SerialNumber, RevocationDate: revoked, Reason: reason}}}
	}
	for _, test := range []struct {
		name    string
		options pkitest.CRLOptions
		args    []string
		status  string
		reason  verify.Reason
	}{
		{"good", pkitest.CRLOptions{}, nil, "good", ""},
		{"good by its partition", pkitest.CRLOptions{Partition: true}, nil, "good", ""},
		{"revoked", entry(1), nil, "revoked", verify.ReasonRevoked},
		{"suspended", entry(6), nil, "suspended", verify.ReasonSuspended},
		{"without nextUpdate", pkitest.CRLOptions{NoNextUpdate: true}, nil, "unknown", verify.ReasonStatusStale},
		{"without nextUpdate, young", pkitest.CRLOptions{NoNextUpdate: true}, []string{"-max-age", "24h"}, "good", ""},
		{"old", pkitest.CRLOptions{ThisUpdate: revoked}, []string{"-max-age", "10m"}, "unknown", verify.ReasonStatusStale},
		{"broken signature", pkitest.CRLOptions{BreakSignature: true}, nil, "unknown", verify.ReasonBadSignature},
		{"empty list", pkitest.CRLOptions{EmptyList: true}, nil, "unknown", verify.ReasonMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, err := ca.CRL(test.options)
			if err != nil {
				t.Fatal(err)
			}
			args := with([]string{"crl", "-json", "-cert", writeTemp(t, "card.cer", w.card.Cert.Raw), "-issuer", writeTemp(t, "moica.cer", w.moica)}, test.args...)
			a := call(t, append(args, writeTemp(t, "moica.crl", encodePEM("X509 CRL", list)))...).status(t)
			if a.Status != test.status || a.Reason != test.reason {
				t.Errorf("got %s, %q; want %s, %q", a.Status, a.Reason, test.status, test.reason)
			}
			if a.Status == "revoked" && (!a.RevokedAt.Equal(revoked) || a.ReasonCode == nil || *a.ReasonCode != 1) {
				t.Errorf("got %+v, want revoked at %v for reason 1", a, revoked)
			}
		})
	}
}

// The other generation's list is authentic, has the issuer's name, and says
// nothing about this certificate.
func TestStatusOtherGeneration(t *testing.T) {
	w := newWorld(t)
	other := w.pki.G2.MOICA
	list, err := other.CRL(pkitest.CRLOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := call(t, "crl", "-json", "-cert", writeTemp(t, "card.cer", w.card.Cert.Raw),
		"-issuer", writeTemp(t, "moica.cer", other.Cert.Raw), writeTemp(t, "moica.crl", list))
	if a := got.status(t); a.Status != "unknown" || a.Reason != verify.ReasonUntrusted {
		t.Errorf("got %s, %q; want unknown, untrusted", a.Status, a.Reason)
	}
}

func TestStatusUsage(t *testing.T) {
	w := newWorld(t)
	card, moica := writeTemp(t, "card.cer", w.card.Cert.Raw), writeTemp(t, "moica.cer", w.moica)
	list := writeTemp(t, "moica.crl", w.moicaCRL)
	call(t, "crl", "-json", "-cert", card, list).checkUsage(t, "-issuer FILE")
	call(t, "crl", "-json", "-issuer", moica, list).checkUsage(t, "-cert FILE")
	call(t, "crl", "-json", "-cert", card, "-issuer", moica, "-max-age", "-1h", list).checkUsage(t, "-max-age")
	call(t, "crl", "-json", "-cert", card, "-issuer", moica, "-max-age", "week", list).checkUsage(t, "-max-age")
	call(t, "ocsp", "-json", "-cert", card+".missing", "-issuer", moica, list).checkUsage(t, "no such file")
	if a := call(t, "ocsp", "-json", "-cert", list, "-issuer", moica, list).status(t); a.Reason != verify.ReasonMalformed {
		t.Errorf("got %q for a list as certificate, want malformed", a.Reason)
	}
}

func TestStatusText(t *testing.T) {
	w := newWorld(t)
	got := call(t, "ocsp", "-cert", writeTemp(t, "card.cer", w.card.Cert.Raw), "-issuer", writeTemp(t, "moica.cer", w.moica), writeTemp(t, "card.ors", w.cardOCSP))
	for _, want := range []string{"good\n", "evidence", "signed by", "judged at"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("got\n%swant %q in it", got.stdout, want)
		}
	}
}
