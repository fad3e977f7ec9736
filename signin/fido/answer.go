package fido

import (
	"context"
	"encoding/base64"
	"log/slog"
	"time"

	"github.com/citizencert/citizencert/internal/fetch"
)

// PollInterval is the least time between two questions for one result.
const PollInterval = 4 * time.Second

// An Answer is what a phone has returned, by way of MOI. MOI's checksum covers the
// person and a single signature, and neither the certificate nor the signatures of
// a batch: nothing here is to be relied on before the signatures have been verified
// with a certificate whose path, profile and status are good.
type Answer struct {
	TransactionID string
	Operation     Operation
	Form          SignatureForm

	// HashedID is the digest by which MOI names the person who has answered. It
	// tells no less than the ID number.
	HashedID string

	Signature   []byte   // of Sign
	Signatures  [][]byte // of SignBatch, in the order that MOI has them
	Certificate []byte   // DER; with PKCS7 it may be nil
}

// String tells of which transaction it is, and not whose.
func (a *Answer) String() string { return "answer of transaction " + a.TransactionID }

// GoString returns String, so that %#v does not give away what %v hides.
func (a *Answer) GoString() string { return a.String() }

// LogValue returns String.
func (a *Answer) LogValue() slog.Value { return slog.StringValue(a.String()) }

// wireAnswer is the result of SP-API-ATH-02.
type wireAnswer struct {
	HashedID   string   `json:"hashed_id_num"`
	Signature  string   `json:"signed_response"`
	Signatures []string `json:"signed_response_set"`
	Cert       string   `json:"cert"`
	Checksum   string   `json:"idp_checksum"`
}

// Result asks once for the result of a ticket (SP-API-ATH-02). While the citizen has
// not answered the error has ClassPending: ask again after PollInterval, until the
// ticket expires. Result checks that
//
//   - the idp_checksum is one over this answer and the ticket's transaction
//   - the person is the one that the ticket was issued for
//   - what was asked for is there, and is base64
//
// and no signature: the certificate beside it is a claim.
func (c *Client) Result(ctx context.Context, t *Ticket) (*Answer, error) {
	const api = "SP-API-ATH-02"
	var w wireAnswer
	err := c.call(ctx, api, "getAthOrSignResult", wireRequest{
		TransactionID: t.TransactionID,
		ServiceID:     c.service,
		Checksum:      c.key.checksum(t.TransactionID, c.service, t.ID),
		TicketID:      t.ID,
	}, &w)
	if err != nil {
		return nil, err
	}
	a, err := c.judge(t, &w)
	if err != nil {
		return nil, inCall(api, err)
	}
	return a, nil
}

func (c *Client) judge(t *Ticket, w *wireAnswer) (*Answer, error) {
	a := &Answer{TransactionID: t.TransactionID, Operation: t.Operation, Form: t.Form, HashedID: w.HashedID}
	if !hashedIDForm.MatchString(w.HashedID) {
		return nil, badAnswer("hashed_id_num does not have its form")
	}
	var err error
	if w.Signature != "" {
		if a.Signature, err = decode("signed_response", w.Signature); err != nil {
			return nil, err
		}
	}
	if err := c.checkSum(w.Checksum, t.TransactionID, succeeded, w.HashedID, w.Signature); err != nil {
		return nil, err
	}
	if !sameText(w.HashedID, t.HashedID) {
		return nil, wrongPerson("somebody else than asked has answered")
	}
	if w.Cert != "" && t.Operation != Authenticate {
		if a.Certificate, err = decode("cert", w.Cert); err != nil {
			return nil, err
		}
	}
	for _, text := range w.Signatures {
		signature, err := decode("signed_response_set", text)
		if err != nil {
			return nil, err
		}
		a.Signatures = append(a.Signatures, signature)
	}
	if err := a.complete(); err != nil {
		return nil, err
	}
	return a, nil
}

// complete refuses an answer that has not all that was asked for, or more.
func (a *Answer) complete() error {
	switch {
	case a.Operation == Authenticate && (a.Signature != nil || a.Signatures != nil):
		return badAnswer("there is a signature that was not asked for")
	case a.Operation == Sign && (a.Signature == nil || a.Signatures != nil):
		return badAnswer("there is not one signature")
	case a.Operation == SignBatch && (a.Signatures == nil || a.Signature != nil):
		return badAnswer("there is not a set of signatures")
	case a.Operation != Authenticate && a.Form != PKCS7 && a.Certificate == nil:
		return badAnswer("there is no certificate")
	}
	return nil
}

// decode reads base64 in its one spelling.
func decode(name, text string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) == 0 || base64.StdEncoding.EncodedLen(len(b)) != len(text) {
		return nil, badAnswer("%s is not base64", name)
	}
	return b, nil
}

// Wait asks for the result of a ticket every PollInterval, until it is there, the
// ticket expires or ctx ends. Failures of the connection are waited out like an
// answer that is not there yet. A service with a browser in front uses a [Flow],
// which keeps no goroutine waiting and goes on after a restart; Wait is for
// programs. It can be called again with the same ticket.
func (c *Client) Wait(ctx context.Context, t *Ticket) (*Answer, error) {
	for {
		a, err := c.Result(ctx, t)
		if err == nil || !again(err) || ctx.Err() != nil {
			return a, err
		}
		if !c.now().Add(PollInterval).Before(t.Expiry) {
			return nil, &Error{Class: ClassExpired, Detail: "the ticket has expired", Err: err}
		}
		if err := fetch.Sleep(ctx, PollInterval); err != nil {
			return nil, transport(err)
		}
	}
}
