package batch

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/verify"
)

// pathReference returns the digests of a path.
func (r *Runner) pathReference(path []*x509.Certificate) []string {
	all := make([]string, len(path))
	for i, cert := range path {
		sum := r.sums.OfCertificate(cert)
		all[i] = hex.EncodeToString(sum[:])
	}
	return all
}

// reportReference returns the digest of what a report rests on.
func (r *Runner) reportReference(report *verify.StatusReport) string {
	sum := r.sums.OfReport(report)
	return hex.EncodeToString(sum[:])
}

// pseudonym names a holder to whoever has the key. Parts are preceded by their
// lengths, so that none can run into the next. The label keeps pseudonyms apart
// from what else may be made with the key.
func (r *Runner) pseudonym(s *verify.Signer) string {
	h := hmac.New(sha256.New, r.cfg.PseudonymKey)
	parts := []string{"citizencert batch signer", r.policy.Environment, s.Identity.Scheme, "holder", s.Identity.SerialNumber}
	if s.Identity.SerialNumber == "" {
		parts[3], parts[4] = "certificate", string(s.Path[0].Raw)
	}
	var text []byte
	for _, part := range parts {
		text = strconv.AppendInt(text, int64(len(part)), 10)
		text = append(text, ':')
		text = append(text, part...)
	}
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil))
}

// issuerName tells issuing CAs apart for people. Generations can share one name, and
// then their keys tell.
func issuerName(s *verify.Signer) string {
	if s.Identity.Generation != "" {
		return s.Identity.Scheme + " " + s.Identity.Generation
	}
	issuer := s.Path[min(1, len(s.Path)-1)]
	return fmt.Sprintf("%s (key %.4x)", issuer.Subject, issuer.SubjectKeyId)
}

// A policy is under what filings are judged. It stands in the head of a batch, and
// a run is resumed under the same one only.
type policy struct {
	Name        string   `json:"name"`
	Version     string   `json:"version"`
	Scheme      string   `json:"scheme"`
	Profile     string   `json:"profile"`
	Environment string   `json:"environment"`
	Anchors     []string `json:"anchors"` // digests of the certificates
	Host        string   `json:"host,omitempty"`
	Service     string   `json:"service,omitempty"`
	Insecure    []string `json:"insecure,omitempty"` // the fields that are set

	PathInputs verify.PathInputs `json:"pathInputs"`
	Ladder     verify.Ladder     `json:"ladder,omitzero"`

	// TimestampAnchors are set if time-stamp tokens count.
	TimestampAnchors []string `json:"timestampAnchors,omitempty"`
	MaxContent       int64    `json:"maxContent,omitempty"`
}

func policyOf(cfg *Config) policy {
	v := &cfg.Verify
	p := policy{
		Name: v.Algorithms.Name(), Version: v.Algorithms.Version(),
		Scheme: v.Scheme.Name, Profile: v.Scheme.Profile.Name, Environment: v.Scheme.Environment.String(),
		Anchors: digests(v.Scheme.Anchors), Host: cfg.Host, Service: cfg.Service,
		PathInputs: v.PathInputs, Ladder: v.Ladder, MaxContent: cfg.MaxContent,
	}
	if v.InsecureAllowSHA1 {
		p.Name = algorithm.Policy{InsecureAllowSHA1: true}.Name()
	}
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"InsecureSkipRevocation", v.InsecureSkipRevocation},
		{"InsecureAllowSHA1", v.InsecureAllowSHA1},
		{"InsecureAllowMixedHashes", v.InsecureAllowMixedHashes},
		{"InsecureAllowUnsortedAttributes", v.InsecureAllowUnsortedAttributes},
		{"InsecureAllowNoSignedAttributes", v.InsecureAllowNoSignedAttributes},
		{"InsecureAllowUTF16Line", v.InsecureAllowUTF16Line},
	} {
		if field.set {
			p.Insecure = append(p.Insecure, field.name)
		}
	}
	if v.Timestamping != nil {
		p.TimestampAnchors = digests(v.Timestamping.Anchors)
	}
	return p
}

func digests(certs []*x509.Certificate) []string {
	all := make([]string, len(certs))
	for i, cert := range certs {
		all[i] = nameOf(cert.Raw)
	}
	return all
}
