package pkitest

import (
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// The return codes that a [Component] gives by itself.
const (
	codeNoCard       = 0x76000006
	codeBadJSON      = 0x7600000B
	codeBadParameter = 0x7600000C
	codeForbidden    = 0x7600000F
	codeNoPIN        = 0x76000998
	codeLoginFailed  = 0x76100006
	codeSigning      = 0x76300004
)

// The values of last_error after codeLoginFailed. Those of the card library
// itself come out of its signed numbers.
const (
	pinLenRange = 0xA2
	pinLocked   = 0xA4
	oneTryLeft  = -2147483647
	twoTries    = -2147483646
)

// componentRequest is what a page asks for: all values are strings.
type componentRequest struct {
	SignatureType string `json:"signatureType"`
	TBS           string `json:"tbs"`
	TBSEncoding   string `json:"tbsEncoding"`
	HashAlgorithm string `json:"hashAlgorithm"`
	PIN           string `json:"pin"`
	Nonce         string `json:"nonce"`
	WithCardSN    string `json:"withCardSN"`
}

// componentAnswer is what the component returns to the page.
type componentAnswer struct {
	Func        string `json:"func"`
	ReturnCode  int64  `json:"ret_code"`
	LastError   int64  `json:"last_error"`
	Signature   string `json:"signature"`
	Certificate string `json:"certb64"`
	CardSN      string `json:"cardSN"`
	Version     string `json:"version"`
}

// sign does what a page of an origin asks for, with the card that is meant.
func (c *Component) sign(a *componentAnswer, origin, card, tbsPackage string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if c.trusted != nil && !slices.Contains(c.trusted, origin) {
		a.ReturnCode = codeForbidden
		return
	}
	var req componentRequest
	if err := json.Unmarshal([]byte(tbsPackage), &req); err != nil {
		a.ReturnCode = codeBadJSON
		return
	}
	tbs, err := req.content()
	if err != nil {
		a.ReturnCode = codeBadParameter
		return
	}
	slot := c.inserted(card)
	if slot < 0 {
		a.ReturnCode = codeNoCard
		return
	}
	if a.ReturnCode, a.LastError = c.login(slot, req.PIN); a.ReturnCode != 0 {
		return
	}
	signature, err := req.sign(c.cards[slot].Card, tbs)
	if err != nil {
		a.ReturnCode = codeSigning
		return
	}
	a.Signature = base64.StdEncoding.EncodeToString(signature)
	a.Certificate = base64.StdEncoding.EncodeToString(c.cards[slot].Cert.Raw)
	a.CardSN = c.cards[slot].CardNumber
}

// login compares the PIN of a card, and counts the wrong ones in a row.
func (c *Component) login(slot int, pin string) (ret, last int64) {
	switch {
	case pin == "":
		return codeNoPIN, 0
	case c.tries[slot] == 0:
		return codeLoginFailed, pinLocked
	case len(pin) < 6 || len(pin) > 8:
		return codeLoginFailed, pinLenRange
	case pin == cmp.Or(c.cards[slot].PIN, TestPIN):
		c.tries[slot] = maxTries
		return 0, 0
	}
	c.tries[slot]--
	return codeLoginFailed, [maxTries]int64{pinLocked, oneTryLeft, twoTries}[c.tries[slot]]
}

// content returns what is to be signed, if the request is one that this component
// can do.
func (req *componentRequest) content() ([]byte, error) {
	if req.HashAlgorithm != "SHA256" || req.SignatureType != "PKCS1" && req.SignatureType != "PKCS7" {
		return nil, fmt.Errorf("pkitest: %s with %s is not supported", req.SignatureType, req.HashAlgorithm)
	}
	switch req.TBSEncoding {
	case "NONE":
		return []byte(req.TBS), nil
	case "base64":
		return base64.StdEncoding.DecodeString(req.TBS)
	}
	return nil, errors.New("pkitest: unknown tbsEncoding")
}

func (req *componentRequest) sign(card *Card, tbs []byte) ([]byte, error) {
	if req.SignatureType == "PKCS1" {
		return card.SignPKCS1(tbs)
	}
	return card.SignPKCS7(tbs, &CMSOptions{CardNumber: req.WithCardSN == "true", Nonce: req.Nonce})
}

// tokenInfo is a card as /pkcs11info tells of it.
type tokenInfo struct {
	SerialNumber string            `json:"serialNumber"`
	Certificates []certificateInfo `json:"certs,omitempty"`
}

type certificateInfo struct {
	Certificate string `json:"certb64"`
	Label       string `json:"label"`
	Subject     string `json:"subjectDN"`
	Issuer      string `json:"issuerDN"`
	Usage       string `json:"usage"`
}

type slotInfo struct {
	Description string     `json:"slotDescription"`
	Token       *tokenInfo `json:"token"` // null: an empty reader
}

// serveInfo tells of the readers: one with each card, and an empty one.
func (c *Component) serveInfo(w http.ResponseWriter, r *http.Request) {
	behaviour, _ := c.script()
	var slots []slotInfo
	for i, card := range c.cards {
		token := &tokenInfo{SerialNumber: card.CardNumber}
		if r.URL.Query().Get("withcert") == "true" {
			token.Certificates = append(token.Certificates,
				describeCertificate("cert1", "digitalSignature", card.Cert),
				describeCertificate("cert2", "keyEncipherment|dataEncipherment", card.EncryptionCert),
				describeCertificate("ca", "keyCertSign|cRLSign", card.Issuer.Cert))
		}
		slots = append(slots, slotInfo{fmt.Sprintf("Test Reader 測試 %d", i), token})
	}
	slots = append(slots, slotInfo{"Test Reader 測試, empty", nil})
	writeJSON(w, struct {
		Func       string     `json:"func"`
		ReturnCode int64      `json:"ret_code"`
		LastError  int64      `json:"last_error"`
		Version    string     `json:"serverVersion"`
		Slots      []slotInfo `json:"slots"`
	}{"pkcs11info", behaviour.ReturnCode, behaviour.LastError, cmp.Or(behaviour.Version, ComponentVersion), slots})
}

func describeCertificate(label, usage string, cert *x509.Certificate) certificateInfo {
	return certificateInfo{
		Certificate: base64.StdEncoding.EncodeToString(cert.Raw),
		Label:       label,
		Subject:     cert.Subject.String(),
		Issuer:      cert.Issuer.String(),
		Usage:       usage,
	}
}
