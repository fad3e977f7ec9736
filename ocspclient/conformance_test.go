package ocspclient_test

import (
	"errors"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/outside"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/verify"
)

// reasonsByDetail says which reason stands for which detail of the suite, so
// that a parse error does not pass for a bad signature.
var reasonsByDetail = map[string]verify.Reason{
	"no_matching_response":             verify.ReasonStatusUnavailable,
	"error_response":                   verify.ReasonStatusUnavailable,
	"unparseable_response":             verify.ReasonMalformed,
	"unparseable_response_data":        verify.ReasonMalformed,
	"signature_or_responder_not_valid": verify.ReasonUntrusted,
	"unhandled_critical_extension":     verify.ReasonStatusUnavailable,
	"invalid_date":                     verify.ReasonStatusStale,
	"bad_produced_at":                  verify.ReasonStatusUnavailable,
}

func TestBoringSSL(t *testing.T) {
	var suite struct {
		EvaluationTime time.Time `json:"evaluation_time"`
		MaxAge         int       `json:"max_age_seconds"`
		Cases          []struct {
			ID, Expect, Detail string
			Response           []byte `json:"ocsp_response"`
			Issuer, Cert       []byte
		}
	}
	outside.ReadJSON(t, &suite, "boringssl-ocsp", "cases.json")
	if len(suite.Cases) != 22 {
		t.Fatalf("suite has %d cases, want 22", len(suite.Cases))
	}
	for _, c := range suite.Cases {
		t.Run(c.ID, func(t *testing.T) {
			issuer, err := certpath.ParseCertificate(c.Issuer)
			if err != nil {
				t.Fatal(err)
			}
			cert, err := certpath.ParseCertificate(c.Cert)
			if c.ID == "good_response_invalid_serial" {
				if err == nil {
					t.Error("certificate with a serial number that is not DER was parsed")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			q := verify.StatusQuery{Cert: cert, Issuer: issuer, At: suite.EvaluationTime, Now: suite.EvaluationTime}
			q.Fresh.OCSP = time.Duration(suite.MaxAge) * time.Second
			got, err := judge(q, c.Response, ocspclient.JudgeOptions{InsecureAllowSHA1: true})
			if got.String() != c.Expect {
				t.Errorf("got %v (%v), want %s", got, err, c.Expect)
			}
			want := reasonsByDetail[c.Detail]
			if c.ID == "bad_signature" {
				want = verify.ReasonBadSignature // the suite has one detail for this and for the wrong responder
			}
			if want != reasonOf(err) {
				t.Errorf("got reason %q (%v), want %q", reasonOf(err), err, want)
			}
		})
	}
}

// judge judges an answer and its times.
func judge(q verify.StatusQuery, der []byte, opts ocspclient.JudgeOptions) (verify.Status, error) {
	opts.At, opts.Now = q.At, q.Now
	answer, err := ocspclient.Judge(der, q.Cert, q.Issuer, opts)
	if err != nil {
		return verify.Unknown, err
	}
	return q.Judge(&answer.StatusReport)
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

func responseStatusOf(err error) ocspclient.ResponseStatus {
	if e, ok := errors.AsType[*ocspclient.ResponseError](err); ok {
		return e.Status
	}
	return 0
}
