package crl_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/outside"
	"github.com/citizencert/citizencert/verify"
)

func TestBoringSSL(t *testing.T) {
	var suite struct {
		EvaluationTime time.Time `json:"evaluation_time"`
		MaxAge         int       `json:"max_age_seconds"`
		Cases          []struct {
			ID, Expect        string
			CRL, Issuer, Cert []byte
			Issuer2           []byte `json:"issuer_2"`
		}
	}
	outside.ReadJSON(t, &suite, "boringssl-crl", "cases.json")
	if len(suite.Cases) != 40 {
		t.Fatalf("suite has %d cases, want 40", len(suite.Cases))
	}
	for _, c := range suite.Cases {
		t.Run(c.ID, func(t *testing.T) {
			q := verify.StatusQuery{Cert: parseCert(t, c.Cert), At: suite.EvaluationTime, Now: suite.EvaluationTime}
			q.Fresh.CRL = time.Duration(suite.MaxAge) * time.Second
			// Lists of the suite have neither scope nor number, and keys of RSA 1024.
			opts := crl.JudgeOptions{Complete: true, InsecureAllowNoNumber: true, InsecureAllowSHA1: true}
			q.Issuer = parseCert(t, c.Issuer)
			got, err := judge(q, c.CRL, opts)
			if err != nil && c.Issuer2 != nil {
				q.Issuer = parseCert(t, c.Issuer2)
				got, err = judge(q, c.CRL, opts)
			}
			if got.String() != c.Expect {
				t.Errorf("got %v (%v), want %s", got, err, c.Expect)
			}
			if want := boringReason(c.ID); reasonOf(err) != want {
				t.Errorf("got reason %q (%v), want %q", reasonOf(err), err, want)
			}
		})
	}
}

// boringReason returns the reason why a case must fail, so that a parse error
// does not pass for a bad signature.
func boringReason(id string) verify.Reason {
	switch id {
	case "bad_signature", "bad_key_rollover_signature":
		return verify.ReasonBadSignature
	case "bad_wrong_issuer":
		return verify.ReasonUntrusted
	case "bad_thisupdate_too_old":
		return verify.ReasonStatusStale
	case "invalid_key_rollover_issuer_keyusage_no_crlsign":
		return verify.ReasonUntrusted // the second issuer's key must not sign lists
	case "invalid_idp_onlycontainsusercerts_v1_leaf":
		return verify.ReasonStatusUnavailable
	}
	switch kind, _, _ := strings.Cut(id, "_"); kind {
	case "bad":
		return verify.ReasonStatusUnavailable
	case "invalid":
		return verify.ReasonMalformed
	}
	return ""
}

func TestLimbo(t *testing.T) {
	var suite struct {
		Testcases []struct {
			ID       string
			Trusted  []string `json:"trusted_certs"`
			Peer     string   `json:"peer_certificate"`
			CRLs     []string
			Time     *time.Time `json:"validation_time"`
			Expected string     `json:"expected_result"`
		}
	}
	outside.ReadJSON(t, &suite, "x509-limbo", "limbo.json")
	n := 0
	for _, c := range suite.Testcases {
		if !strings.HasPrefix(c.ID, "crl::") {
			continue
		}
		n++
		t.Run(c.ID, func(t *testing.T) {
			q := verify.StatusQuery{Cert: parseCert(t, decodePEM(t, c.Peer)), At: *c.Time, Now: *c.Time}
			for _, text := range c.Trusted {
				if anchor := parseCert(t, decodePEM(t, text)); q.Cert.CheckSignatureFrom(anchor) == nil {
					q.Issuer = anchor
				}
			}
			var lists [][]byte
			for _, text := range c.CRLs {
				lists = append(lists, decodePEM(t, text))
			}
			if got, want := usable(q, lists), c.Expected == "SUCCESS"; got != want {
				t.Errorf("got usable = %v, want %v", got, want)
			}
			if c.ID == "crl::revoked-certificate-with-crl" {
				if got, err := judge(q, lists[0], crl.JudgeOptions{Complete: true}); got != verify.Revoked {
					t.Errorf("got %v (%v), want revoked", got, err)
				}
			}
		})
	}
	if n != 8 {
		t.Errorf("suite has %d cases, want 8", n)
	}
}

// unsupportedPKITS are the valid cases of PKITS that are lost: their certificates
// name a distribution point by nameRelativeToCRLIssuer, and package x509 does not
// parse them.
var unsupportedPKITS = []string{"4.14.4", "4.14.29"}

// TestPKITS asks a Store about each certificate of the PKITS cases that are about
// revocation. The paths themselves, those of the signers of lists too, are for
// package verify.
func TestPKITS(t *testing.T) {
	var suite struct {
		ValidationTime time.Time `json:"validation_time"`
		Tests          []struct {
			ID, Expect  string
			TrustAnchor string `json:"trust_anchor"`
			Path, CRLs  []string
		}
	}
	outside.ReadJSON(t, &suite, "pkits", "expectations.json")
	n := 0
	for _, c := range suite.Tests {
		if !strings.HasPrefix(c.ID, "4.4.") && !strings.HasPrefix(c.ID, "4.14.") && !strings.HasPrefix(c.ID, "4.15.") {
			continue
		}
		n++
		t.Run(c.ID, func(t *testing.T) {
			store, err := crl.New(crl.Config{Offline: true})
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			for _, name := range c.CRLs {
				if err := store.Add(outside.Read(t, "pkits", "crls", name), ""); err != nil {
					t.Logf("%s: %v", name, err)
				}
			}
			valid := true
			certs := []*x509.Certificate{parseCert(t, outside.Read(t, "pkits", "certs", c.TrustAnchor))}
			for _, name := range c.Path {
				cert, err := certpath.ParseCertificate(outside.Read(t, "pkits", "certs", name))
				if err != nil {
					valid = false
					break
				}
				certs = append(certs, cert)
			}
			for i, cert := range certs[1:] {
				q := verify.StatusQuery{Cert: cert, At: suite.ValidationTime, Now: suite.ValidationTime, SeparateCRLKeys: true}
				for _, other := range certs[:i+1] {
					if certpath.CheckSignature(cert, other, algorithm.Policy{}) == nil {
						q.Issuer = other
					} else {
						q.CRLIssuers = append(q.CRLIssuers, other)
					}
				}
				valid = valid && storeSaysGood(t, store, q)
			}
			want := c.Expect == "valid" && !slices.Contains(unsupportedPKITS, c.ID)
			if valid != want {
				t.Errorf("got valid = %v, want %v", valid, want)
			}
		})
	}
	if n == 0 {
		t.Error("suite has no cases about lists")
	}
}

// storeSaysGood reports whether some report of a Store is good and none worse.
func storeSaysGood(t *testing.T, store *crl.Store, q verify.StatusQuery) bool {
	t.Helper()
	reports, err := store.Status(t.Context(), q)
	if len(reports) == 0 {
		t.Logf("serial number %x: %v", q.Cert.SerialNumber, err)
		return false
	}
	for i := range reports {
		if status, err := q.Judge(&reports[i]); err != nil || status != verify.Good {
			return false
		}
	}
	return true
}

// usable reports whether some list says good and none anything worse.
func usable(q verify.StatusQuery, lists [][]byte) bool {
	good := false
	for _, data := range lists {
		switch status, err := judge(q, data, crl.JudgeOptions{Complete: true}); {
		case err != nil:
		case status != verify.Good:
			return false
		default:
			good = true
		}
	}
	return good
}

// judge judges a list and its times.
func judge(q verify.StatusQuery, der []byte, opts crl.JudgeOptions) (verify.Status, error) {
	list, err := crl.Parse(der)
	if err != nil {
		return verify.Unknown, err
	}
	report, err := crl.Judge(list, q.Cert, q.Issuer, opts)
	if err != nil {
		return verify.Unknown, err
	}
	return q.Judge(report)
}

func reasonOf(err error) verify.Reason {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*verify.Error](err); ok {
		return e.Reason
	}
	return "not a *verify.Error"
}

func decodePEM(t *testing.T, text string) []byte {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatal("no PEM block")
	}
	return block.Bytes
}

func parseCert(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := certpath.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
