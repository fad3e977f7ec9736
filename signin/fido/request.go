package fido

import (
	"context"
	"crypto"
	"encoding/asn1"
	"encoding/base64"
	"time"
)

// An Operation is an op_code: what the phone is asked to do.
type Operation string

// The operations. NFCSIGN, with which the phone reads the physical card, is not
// among them: what it returns is not documented.
const (
	Authenticate Operation = "ATH"
	Sign         Operation = "SIGN"
	SignBatch    Operation = "BATSIGN"
)

// A Mode is an op_mode: how the request reaches the phone.
type Mode string

// The modes.
const (
	ModeQR       Mode = "I-SCAN"   // the phone scans a code
	ModeApp      Mode = "APP2APP"  // from an app on the phone
	ModeWeb      Mode = "MWEB2APP" // from a web page on the phone
	ModePush     Mode = "PUSH"     // MOI sends a message to the phone
	ModeRedirect Mode = "redirect" // the browser goes to MOI's site; not a word of the interface
)

// returns reports whether the citizen is sent back to the page.
func (m Mode) returns() bool { return m != ModeQR && m != ModePush }

// A SignatureForm is a sign_type: in what form the phone signs.
type SignatureForm string

// The forms. PKCS1 is a bare RSASSA-PKCS1-v1_5 signature with the certificate
// beside it, PKCS7 a SignedData. For Raw the phone is given the DigestInfo in place
// of the data, and what comes back is what PKCS1 returns.
const (
	PKCS1 SignatureForm = "PKCS#1"
	PKCS7 SignatureForm = "PKCS#7"
	Raw   SignatureForm = "RAW"
)

func (f SignatureForm) valid() bool { return f == PKCS1 || f == PKCS7 || f == Raw }

// Bounds of the interface.
const (
	MaxData      = 1024 // characters of base64 to be signed, 768 bytes
	MaxDocuments = 20
	MinTimeLimit = 30 * time.Second
	MaxTimeLimit = 600 * time.Second

	defaultTimeLimit = 60 * time.Second
)

// A Request is what a citizen is asked to approve.
type Request struct {
	IDNumber string // national ID or ARC number of the person
	Mode     Mode
	Hint     string // shown in the app

	// Data is what is signed, with SHA-256, in the form Form; if Form is empty,
	// PKCS1. Without Data nothing is signed, and all that comes back is MOI's word.
	Data []byte
	Form SignatureForm

	// TimeLimit is how long the citizen has, in whole seconds from MinTimeLimit to
	// MaxTimeLimit. If zero, 60 seconds.
	TimeLimit time.Duration

	// Device is the citizen's own name for the phone that a push or batch goes to.
	// If empty, all phones of the person.
	Device string
}

// wireRequest is the body of every request. Fields that a call does not have are
// left out, and never null or "".
type wireRequest struct {
	TransactionID string    `json:"transaction_id"`
	ServiceID     string    `json:"sp_service_id"`
	Checksum      string    `json:"sp_checksum"`
	IDNumber      string    `json:"id_num,omitempty"`
	Operation     Operation `json:"op_code,omitempty"`
	Mode          Mode      `json:"op_mode,omitempty"`
	Hint          string    `json:"hint,omitempty"`
	TimeLimit     int       `json:"time_limit,omitempty"` // seconds
	Signing       *signInfo `json:"sign_info,omitempty"`
	Device        string    `json:"device_user_def_desc,omitempty"`
	TicketID      string    `json:"sp_ticket_id,omitempty"`
}

type signInfo struct {
	Form     SignatureForm `json:"sign_type"`
	Data     string        `json:"sign_data,omitempty"`
	Set      []string      `json:"sign_data_set,omitempty"`
	Encoding string        `json:"tbs_encoding"`
	Hash     string        `json:"hash_algorithm"`
}

func newSignInfo(form SignatureForm) *signInfo {
	return &signInfo{Form: form, Encoding: "base64", Hash: "SHA256"}
}

// digestInfo begins the DigestInfo of SHA-256 (RFC 8017, Section 9.2, Note 1).
type digestInfo struct {
	Algorithm struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue
	}
	Digest []byte
}

// encodeData returns sign_data: base64 of the data, or for Raw of its DigestInfo.
func encodeData(form SignatureForm, data []byte) (string, error) {
	if form == Raw {
		h := crypto.SHA256.New()
		h.Write(data)
		info := digestInfo{Digest: h.Sum(nil)}
		info.Algorithm.OID = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
		info.Algorithm.Parameters = asn1.NullRawValue
		var err error
		if data, err = asn1.Marshal(info); err != nil {
			return "", ourFault("the DigestInfo cannot be encoded")
		}
	}
	text := base64.StdEncoding.EncodeToString(data)
	if len(data) == 0 || len(text) > MaxData {
		return "", ourFault("data to be signed has %d bytes, want 1 to %d", len(data), base64.StdEncoding.DecodedLen(MaxData))
	}
	return text, nil
}

// check fills in defaults and refuses what the interface would.
func (r *Request) check() error {
	if err := checkIDNumber(r.IDNumber); err != nil {
		return err
	}
	if err := checkText("the hint", r.Hint); err != nil {
		return err
	}
	if r.Device != "" {
		if err := checkText("the name of the device", r.Device); err != nil {
			return err
		}
	}
	if r.TimeLimit == 0 {
		r.TimeLimit = defaultTimeLimit
	}
	if r.TimeLimit < MinTimeLimit || r.TimeLimit > MaxTimeLimit || r.TimeLimit%time.Second != 0 {
		return ourFault("time limit is %v, want whole seconds from %v to %v", r.TimeLimit, MinTimeLimit, MaxTimeLimit)
	}
	if r.Form == "" {
		r.Form = PKCS1
	}
	if !r.Form.valid() {
		return ourFault("signature form %.20q is not known", r.Form)
	}
	return nil
}

// An exchange is what an answer has to fit.
type exchange struct {
	transaction string
	service     string
	operation   Operation
	mode        Mode
	limit       time.Duration
	hashedID    string
	form        SignatureForm
}

// wire returns the body that all requests for a ticket have in common, without
// checksum, and what their answer has to fit.
func (c *Client) wire(r *Request, op Operation) (wireRequest, *exchange) {
	body := wireRequest{
		TransactionID: newTransactionID(),
		ServiceID:     c.service,
		IDNumber:      r.IDNumber,
		Operation:     op,
		Mode:          r.Mode,
		Hint:          r.Hint,
		TimeLimit:     int(r.TimeLimit / time.Second),
	}
	return body, &exchange{body.TransactionID, c.service, op, r.Mode, r.TimeLimit, hashID(r.IDNumber), r.Form}
}

// Ticket asks for a ticket: for a QR code or a link into the app (SP-API-ATH-01),
// or, with ModePush, for a message to the phone (SP-API-ATH-03). A request that
// failed is not repeated by itself, since the citizen's phone may have rung.
func (c *Client) Ticket(ctx context.Context, r Request) (*Ticket, error) {
	api, path := "SP-API-ATH-01", "getSpTicket"
	if r.Mode == ModePush {
		api, path = "SP-API-ATH-03", "requestAthOrSignPush"
	}
	if err := r.check(); err != nil {
		return nil, inCall(api, err)
	}
	switch r.Mode {
	case ModeQR, ModeApp, ModeWeb:
		if r.Device != "" {
			return nil, inCall(api, ourFault("a device is named for mode %s", r.Mode))
		}
	case ModePush:
	default:
		return nil, inCall(api, ourFault("mode %.20q has no ticket", r.Mode))
	}
	op, data := Authenticate, ""
	if r.Data != nil {
		var err error
		if data, err = encodeData(r.Form, r.Data); err != nil {
			return nil, inCall(api, err)
		}
		op = Sign
	}
	body, want := c.wire(&r, op)
	if op == Sign {
		body.Signing = newSignInfo(r.Form)
		body.Signing.Data = data
	}
	id, code := body.TransactionID, string(op)
	if r.Mode == ModePush {
		body.Mode, body.Device = "", r.Device
		body.Checksum = c.key.checksum(id, c.service, r.IDNumber, r.Device, code, r.Hint, data)
	} else {
		body.Checksum = c.key.checksum(id, c.service, r.IDNumber, code, string(r.Mode), r.Hint, data)
	}
	return c.ticket(ctx, api, path, body, want)
}

// BatchTicket asks for one approval of up to MaxDocuments signatures
// (SP-API-ATH-04). Request.Data is not used. The interface authenticates nothing of
// the set, neither here nor in the answer: see [VerifyBatch].
func (c *Client) BatchTicket(ctx context.Context, r Request, set [][]byte) (*Ticket, error) {
	const api = "SP-API-ATH-04"
	if err := r.check(); err != nil {
		return nil, inCall(api, err)
	}
	switch {
	case r.Data != nil:
		return nil, inCall(api, ourFault("a batch takes its data as a set"))
	case len(set) == 0 || len(set) > MaxDocuments:
		return nil, inCall(api, ourFault("a batch of %d, want 1 to %d", len(set), MaxDocuments))
	case r.Mode != ModeQR && r.Mode != ModeApp && r.Mode != ModeWeb && r.Mode != ModePush:
		return nil, inCall(api, ourFault("mode %.20q has no batch", r.Mode))
	}
	body, want := c.wire(&r, SignBatch)
	body.Device = r.Device
	body.Signing = newSignInfo(r.Form)
	for _, data := range set {
		text, err := encodeData(r.Form, data)
		if err != nil {
			return nil, inCall(api, err)
		}
		body.Signing.Set = append(body.Signing.Set, text)
	}
	body.Checksum = c.key.checksum(body.TransactionID, c.service, r.IDNumber, string(SignBatch), string(r.Mode), r.Hint)
	return c.ticket(ctx, api, "doBatchSigning", body, want)
}

// ticket makes a request for a ticket and judges the answer: first that it is
// authentic, then that it is one to this request.
func (c *Client) ticket(ctx context.Context, api, path string, body wireRequest, want *exchange) (*Ticket, error) {
	var result struct {
		Ticket   string `json:"sp_ticket"`
		Checksum string `json:"idp_checksum"`
	}
	if err := c.call(ctx, api, path, body, &result); err != nil {
		return nil, err
	}
	parsed, err := parseTicket(result.Ticket) // its form, before it enters the payload
	if err != nil {
		return nil, inCall(api, err)
	}
	if err := c.checkSum(result.Checksum, want.transaction, succeeded, result.Ticket); err != nil {
		return nil, inCall(api, err)
	}
	expiry, err := parsed.check(want, c.now())
	if err != nil {
		return nil, inCall(api, err)
	}
	return &Ticket{
		TransactionID: want.transaction,
		ID:            parsed.ID,
		Text:          result.Ticket,
		Expiry:        expiry,
		HashedID:      want.hashedID,
		Operation:     want.operation,
		Form:          want.form,
	}, nil
}
