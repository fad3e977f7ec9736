package fido

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// maxTicket is the longest ticket that is looked at, in bytes: 1,024 characters to
// be signed, a hint and a name come to some 4 KB.
const maxTicket = 8 << 10

// ticketMargin is how far the end of a ticket may lie beyond what was asked for: MOI's
// clock and ours differ.
const ticketMargin = 30 * time.Second

// A Ticket is what MOI issues for one approval on the phone. It holds a digest of
// the ID number, which is personal data: fmt and slog print it redacted, JSON does
// not, so that a service can keep it until the result is there.
type Ticket struct {
	TransactionID string    `json:"transaction"`
	ID            string    `json:"id"`             // sp_ticket_id
	Text          string    `json:"text,omitempty"` // sp_ticket, which a QR code holds
	Expiry        time.Time `json:"expiry"`         // the phone answers until then
	HashedID      string    `json:"hashedId"`       // whom it was issued for
	Operation     Operation `json:"operation"`

	// Form is that of the signatures that were asked for.
	Form SignatureForm `json:"form"`
}

// String tells which ticket it is and not whose.
func (t *Ticket) String() string { return "ticket of transaction " + t.TransactionID }

// GoString returns String, so that %#v does not give away what %v hides.
func (t *Ticket) GoString() string { return t.String() }

// LogValue returns String.
func (t *Ticket) LogValue() slog.Value { return slog.StringValue(t.String()) }

// ticketBody is the JSON in a ticket, as far as it is looked at.
type ticketBody struct {
	TransactionID string `json:"transaction_id"`
	ServiceID     string `json:"sp_service_id"`
	Operation     string `json:"op_code"`
	Mode          string `json:"op_mode"`
	ID            string `json:"sp_ticket_id"`
	Expiry        string `json:"expiration_time"` // Unix milliseconds
	HashedID      string `json:"hashed_id_num"`
}

// parseTicket reads
//
//	sp_ticket = seg1 "." seg2
//	seg1      = base64url(JSON)
//	seg2      = base64url(SHA-256(seg1))
//
// The second segment is no proof of anything: anybody can make a ticket. What
// authenticates it is the checksum of the answer that it comes in.
func parseTicket(text string) (body ticketBody, err error) {
	if len(text) > maxTicket {
		return body, badAnswer("ticket is longer than %d bytes", maxTicket)
	}
	dot := strings.LastIndexByte(text, '.')
	if dot < 0 {
		return body, badAnswer("ticket has no digest")
	}
	sum := sha256.Sum256([]byte(text[:dot]))
	if !sameText(text[dot+1:], base64.RawURLEncoding.EncodeToString(sum[:])) {
		return body, badAnswer("ticket does not have the digest that it ends in")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text[:dot])
	if err != nil {
		return body, badAnswer("ticket is not base64url")
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return body, badAnswer("ticket is not JSON of the expected form")
	}
	if body.TransactionID == "" || !ticketIDForm.MatchString(body.ID) {
		return body, badAnswer("ticket has no transaction_id or sp_ticket_id")
	}
	return body, nil
}

// check compares a ticket with what it was asked for, and returns its end.
func (b *ticketBody) check(want *exchange, now time.Time) (time.Time, error) {
	ms, err := strconv.ParseInt(b.Expiry, 10, 64)
	if err != nil {
		return time.Time{}, badAnswer("ticket has no expiration_time")
	}
	expiry := time.UnixMilli(ms).UTC()
	switch {
	case b.TransactionID != want.transaction:
		return time.Time{}, badAnswer("ticket is of another transaction")
	case b.ServiceID != want.service:
		return time.Time{}, badAnswer("ticket is for another service")
	case b.Operation != string(want.operation):
		return time.Time{}, badAnswer("ticket is for another operation")
	case b.Mode != string(want.mode) && (want.mode != ModePush || b.Mode != ""):
		return time.Time{}, badAnswer("ticket is for another mode")
	case !expiry.After(now):
		return time.Time{}, badAnswer("ticket has expired")
	case expiry.After(now.Add(want.limit + ticketMargin)):
		return time.Time{}, badAnswer("ticket lives longer than was asked for")
	case !sameText(b.HashedID, want.hashedID):
		return time.Time{}, wrongPerson("ticket is for another person")
	}
	return expiry, nil
}
