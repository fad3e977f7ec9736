package signin

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// clockSkew is how far the clocks of two servers of one service may be apart.
const clockSkew = 5 * time.Second

// claims are the claims of a session token (RFC 7519), all of them. Names are
// fixed here: the JOSE library does not escape names that come from elsewhere
// (GHSA-4cf7-xm37-g63h).
type claims struct {
	Issuer      string    `json:"iss"` // the origin at which the citizen signed in
	Audience    string    `json:"aud"` // Config.Service
	Subject     string    `json:"sub"` // pairwise
	IssuedAt    int64     `json:"iat"`
	NotBefore   int64     `json:"nbf"`
	Expiry      int64     `json:"exp"`
	ID          string    `json:"jti"`
	AuthTime    int64     `json:"auth_time"`
	Methods     []string  `json:"amr"` // RFC 8176
	Assurance   Assurance `json:"acr"`
	Environment string    `json:"env"`
	Certificate string    `json:"cid"` // pairwise
}

func (s *Session) claims(issuer, service string) claims {
	return claims{
		Issuer:      issuer,
		Audience:    service,
		Subject:     s.Subject,
		IssuedAt:    s.IssuedAt.Unix(),
		NotBefore:   s.IssuedAt.Unix(),
		Expiry:      s.Expiry.Unix(),
		ID:          s.ID,
		AuthTime:    s.AuthTime.Unix(),
		Methods:     s.Assurance.methods(),
		Assurance:   s.Assurance,
		Environment: s.Environment.String(),
		Certificate: s.Certificate,
	}
}

// parseClaims reads what json.Marshal of claims gives, and nothing else. Reading
// and writing again leaves no room for repeated, missing, unknown or misspelt
// names, nor for numbers such as 1e9.
func parseClaims(payload []byte) (claims, error) {
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return claims{}, refuse(ReasonTokenClaims, "claims are not of their types")
	}
	canonical, err := json.Marshal(c)
	if err != nil || !bytes.Equal(canonical, payload) {
		return claims{}, refuse(ReasonTokenClaims, "claims are not as they are issued")
	}
	return c, nil
}

// check judges the claims of a token that arrived at origin o, but for the end
// of its life: what has expired may still be renewed.
func (c *claims) check(o origin, service string, env verify.Environment, now time.Time) error {
	methods := c.Assurance.methods()
	switch {
	case !is32Bytes(c.Subject) || !is32Bytes(c.ID) || !is32Bytes(c.Certificate):
		return refuse(ReasonTokenClaims, "sub, jti or cid is not 43 characters of base64url")
	case methods == nil || !slices.Equal(methods, c.Methods):
		return refuse(ReasonTokenClaims, "acr %.50q does not go with amr", c.Assurance)
	case c.AuthTime <= 0 || c.AuthTime > c.IssuedAt || c.NotBefore != c.IssuedAt || c.IssuedAt >= c.Expiry:
		return refuse(ReasonTokenClaims, "auth_time, iat, nbf and exp are not in order")
	case c.Expiry-c.IssuedAt > int64(MaxTokenLife/time.Second):
		return refuse(ReasonTokenClaims, "lives longer than %v", MaxTokenLife)
	case c.Issuer != o.url:
		return refuse(ReasonTokenIssuer, "issued at %.100q, presented at %s", c.Issuer, o.url)
	case c.Audience != service:
		return refuse(ReasonTokenAudience, "for %.100q, presented to %s", c.Audience, service)
	case c.Environment != env.String():
		return refuse(ReasonTokenEnvironment, "of environment %.50q, want %v", c.Environment, env)
	case c.NotBefore > now.Add(clockSkew).Unix():
		return refuse(ReasonTokenNotYetValid, "valid from %d", c.NotBefore)
	}
	return nil
}

// pairwise is Config.PairwiseKey. What it makes cannot be linked to what another
// service makes of the same certificate.
type pairwise []byte

// subject names the holder of a certificate, as the scheme numbers holders.
func (p pairwise) subject(env verify.Environment, id verify.Identity) string {
	return p.sum("citizencert subject", env.String(), id.Scheme, id.SerialNumber)
}

// certificate names one certificate. Serial numbers are unique under one CA key,
// and names of CAs are not unique. A thumbprint would name the certificate for
// everyone. The key is the DER of a SubjectPublicKeyInfo.
func (p pairwise) certificate(issuerKey []byte, serial *big.Int) string {
	return p.sum("citizencert certificate", string(issuerKey), serial.String())
}

func (p pairwise) sum(fields ...string) string {
	h := hmac.New(sha256.New, p)
	h.Write(joined(fields...))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func unixTime(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
