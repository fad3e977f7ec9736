package certpath_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/outside"
)

const (
	serverName = "the name of a web server is not compared"
	webProfile = "a rule of the CA/Browser Forum for web servers, not of RFC 5280"
	noKeyID    = "Hongkong Post issues without key identifiers: they narrow the choice where present, and the signature decides"
)

// limboDeviations lists the cases of x509-limbo whose verdict here is another,
// with the reason. Those of the first group are another layer's, those of the last
// are rules for web servers.
var limboDeviations = map[string]string{
	"crl::revoked-certificate-with-crl": revocation,
	"crl::crlnumber-missing":            revocation,
	"crl::crlnumber-critical":           revocation,
	"crl::issuer-missing-crlsign":       revocation,

	"rfc5280::aki::leaf-missing-aki":              noKeyID,
	"rfc5280::aki::intermediate-missing-aki":      noKeyID,
	"rfc5280::aki::cross-signed-root-missing-aki": noKeyID,
	"rfc5280::ski::root-missing-ski":              noKeyID,
	"rfc5280::ski::intermediate-missing-ski":      noKeyID,
	"rfc5280::root-non-critical-basic-constraints": "valid in PKITS (4.6.4), and so in the first generation of " +
		"Taiwan's root: it binds whether critical or not",
	"rfc5280::pc::ica-noncritical-pc": "valid in PKITS (4.8.6 and a dozen more): it binds whether critical or not",
	"webpki::nc::permitted-dns-match-noncritical": "RFC 5280 requires name constraints to be critical, and " +
		"rfc5280::nc::permitted-dns-match-noncritical of the same suite refuses them",

	"rfc5280::ca-as-leaf-wrong-san":                             serverName,
	"webpki::san::mismatch-domain-san":                          serverName,
	"webpki::san::mismatch-subdomain-san":                       serverName,
	"webpki::san::mismatch-subdomain-apex-san":                  serverName,
	"webpki::san::mismatch-apex-subdomain-san":                  serverName,
	"webpki::san::wildcard-match-across-labels-san":             serverName,
	"webpki::san::no-san":                                       serverName,
	"webpki::san::public-suffix-wildcard-san":                   webProfile,
	"webpki::san::public-suffix-multi-label-wildcard-san":       webProfile,
	"webpki::san::public-suffix-private-namespace-wildcard-san": webProfile,
	"webpki::san::san-critical-with-nonempty-subject":           webProfile,
	"webpki::aki::root-with-aki-missing-keyidentifier":          webProfile,
	"webpki::aki::root-with-aki-authoritycertissuer":            webProfile,
	"webpki::aki::root-with-aki-authoritycertserialnumber":      webProfile,
	"webpki::aki::root-with-aki-all-fields":                     webProfile,
	"webpki::aki::root-with-aki-ski-mismatch":                   webProfile,
	"webpki::cn::ipv4-hex-mismatch":                             webProfile,
	"webpki::cn::ipv4-leading-zeros-mismatch":                   webProfile,
	"webpki::cn::ipv6-uppercase-mismatch":                       webProfile,
	"webpki::cn::ipv6-uncompressed-mismatch":                    webProfile,
	"webpki::cn::ipv6-non-rfc5952-mismatch":                     webProfile,
	"webpki::cn::punycode-not-in-san":                           webProfile,
	"webpki::cn::utf8-vs-punycode-mismatch":                     webProfile,
	"webpki::cn::not-in-san":                                    webProfile,
	"webpki::cn::case-mismatch":                                 webProfile,
	"webpki::eku::ee-anyeku":                                    webProfile,
	"webpki::eku::ee-critical-eku":                              webProfile,
	"webpki::eku::ee-without-eku":                               webProfile,
	"webpki::eku::root-has-eku":                                 webProfile,
	"webpki::forbidden-rsa-not-divisible-by-8-in-root":          webProfile,
	"webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf":      webProfile,
	"webpki::v1-cert":                                           webProfile,
	"webpki::ee-basicconstraints-ca":                            webProfile,
	"webpki::ca-as-leaf":                                        webProfile,
}

var limboPurposes = map[string]string{
	"serverAuth": "1.3.6.1.5.5.7.3.1",
	"clientAuth": "1.3.6.1.5.5.7.3.2",
}

func TestLimbo(t *testing.T) {
	var suite struct {
		Testcases []limboCase
	}
	outside.ReadJSON(t, &suite, "x509-limbo", "limbo.json")
	var counts tally
	for _, test := range suite.Testcases {
		t.Run(test.ID, func(t *testing.T) {
			counts.count(t, limboDeviations[test.ID], test.Expected == "SUCCESS", test.find())
		})
	}
	counts.report(t, len(limboDeviations))
}

type limboCase struct {
	ID        string
	Trusted   []string   `json:"trusted_certs"`
	Untrusted []string   `json:"untrusted_intermediates"`
	Peer      string     `json:"peer_certificate"`
	Time      *time.Time `json:"validation_time"`
	Purposes  []string   `json:"extended_key_usage"`
	MaxDepth  *int       `json:"max_chain_depth"`
	Expected  string     `json:"expected_result"`
}

func (test limboCase) find() error {
	anchors, err := parseAll(test.Trusted)
	if err != nil {
		return err
	}
	hints, err := parseAll(test.Untrusted)
	if err != nil {
		return err
	}
	peer, err := parsePEM([]byte(test.Peer))
	if err != nil {
		return err
	}
	in := certpath.Inputs{At: time.Now(), AllowAnchorAsEndEntity: true}
	if test.Time != nil {
		in.At = *test.Time
	}
	for _, purpose := range test.Purposes {
		in.ExtKeyUsages = append(in.ExtKeyUsages, limboPurposes[purpose])
	}
	if test.MaxDepth != nil {
		in.Accept = limitDepth(*test.MaxDepth)
	}
	return find(anchors, hints, peer, in)
}

func parseAll(texts []string) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for _, text := range texts {
		cert, err := parsePEM([]byte(text))
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

// limitDepth accepts paths with at most n intermediate certificates, those that
// are self-issued not counted.
func limitDepth(n int) func([]*x509.Certificate) error {
	return func(path []*x509.Certificate) error {
		depth := 0
		for _, cert := range path[1 : len(path)-1] {
			if !bytes.Equal(cert.RawSubject, cert.RawIssuer) {
				depth++
			}
		}
		if depth > n {
			return &certpath.Error{Kind: certpath.Constraints, Err: errors.New("path is deeper than asked for")}
		}
		return nil
	}
}
