package fido

import (
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// A WebForm is what the browser posts to MOI's site, where the citizen says who it
// is and approves (SP-API-WEB-01). MOI posts the result to the callback address that
// was registered with it.
type WebForm struct {
	TransactionID string            `json:"-"`
	Action        string            `json:"action"`
	Fields        map[string]string `json:"fields"`
}

// WebForm makes a form. Of the request, IDNumber, Mode and Device are not used. No
// request goes out: the browser makes it.
func (c *Client) WebForm(r Request) (*WebForm, error) {
	const api = "SP-API-WEB-01"
	r.IDNumber = "A000000000" // the citizen enters it on MOI's page
	if err := r.check(); err != nil {
		return nil, inCall(api, err)
	}
	f := &WebForm{TransactionID: newTransactionID(), Action: c.web + "/fidoRedirect/web"}
	f.Fields = map[string]string{
		"transaction_id": f.TransactionID,
		"sp_service_id":  c.service,
		"op_code":        string(Authenticate),
		"hint":           r.Hint,
		"time_limit":     strconv.Itoa(int(r.TimeLimit / time.Second)),
	}
	if r.Data != nil {
		data, err := encodeData(r.Form, r.Data)
		if err != nil {
			return nil, inCall(api, err)
		}
		info := newSignInfo(r.Form)
		f.Fields["op_code"] = string(Sign)
		f.Fields["sign_type"] = string(info.Form)
		f.Fields["sign_data"] = data
		f.Fields["tbs_encoding"] = info.Encoding
		f.Fields["hash_algorithm"] = info.Hash
	}
	f.Fields["sp_checksum"] = c.key.checksum(f.TransactionID, c.service, f.Fields["op_code"], r.Hint, f.Fields["sign_data"])
	return f, nil
}

// A Callback is what MOI posts to the service when the citizen is done. It is
// authentic, which the certificate is not: see [Answer].
type Callback struct {
	TransactionID string
	HashedID      string // as in Answer
	LastFour      string // characters of the ID number
	Signature     []byte
	Certificate   []byte

	// Err is why there is no result, or nil.
	Err *Error
}

// String tells of which transaction it is, and not whose.
func (b *Callback) String() string { return "callback of transaction " + b.TransactionID }

// GoString returns String, so that %#v does not give away what %v hides.
func (b *Callback) GoString() string { return b.String() }

// LogValue returns String.
func (b *Callback) LogValue() slog.Value { return slog.StringValue(b.String()) }

// callbackCodeForm is what an error_code looks like that is not success. It cannot
// begin like success, with whose fields the characters could change places.
var callbackCodeForm = regexp.MustCompile(`^[A-Z1-9][A-Z0-9_-]{0,99}$`)

// ParseCallback authenticates the form of a callback. That a transaction of this ID
// is pending is for the caller to check, and to let it pass once.
func (c *Client) ParseCallback(form url.Values) (*Callback, error) {
	b, err := c.parseCallback(form)
	if err != nil {
		return nil, inCall("SP-API-WEB-01", err)
	}
	return b, nil
}

func (c *Client) parseCallback(form url.Values) (*Callback, error) {
	get := make(map[string]string)
	for _, name := range []string{"transaction_id", "error_code", "id_num", "signed_response", "cert", "idp_checksum"} {
		if len(form[name]) > 1 {
			return nil, badAnswer("%s occurs %d times", name, len(form[name]))
		}
		get[name] = form.Get(name)
	}
	b := &Callback{TransactionID: get["transaction_id"]}
	id, code := get["id_num"], get["error_code"]
	if !transactionForm.MatchString(b.TransactionID) {
		return nil, badAnswer("transaction_id does not have its form")
	}
	if code != succeeded && !callbackCodeForm.MatchString(code) {
		return nil, badAnswer("error_code does not have its form")
	}
	if !idNumberForm.MatchString(id) && (id != "" || code == succeeded) {
		return nil, badAnswer("id_num does not have its form")
	}
	for name, to := range map[string]*[]byte{"signed_response": &b.Signature, "cert": &b.Certificate} {
		if get[name] == "" {
			continue
		}
		var err error
		if *to, err = decode(name, get[name]); err != nil {
			return nil, err
		}
	}
	if err := c.checkSum(get["idp_checksum"], b.TransactionID, code, id, get["signed_response"]); err != nil {
		return nil, err
	}
	if code != succeeded {
		return &Callback{TransactionID: b.TransactionID, Err: codeError(code)}, nil
	}
	b.HashedID, b.LastFour = hashID(id), lastFour(id)
	return b, nil
}

// answer gives a callback the form that the other flows have.
func (b *Callback) answer(op Operation, form SignatureForm) (*Answer, error) {
	a := &Answer{TransactionID: b.TransactionID, Operation: op, Form: form, HashedID: b.HashedID, Signature: b.Signature}
	if op != Authenticate {
		a.Certificate = b.Certificate
	}
	if err := a.complete(); err != nil {
		return nil, fmt.Errorf("fido: callback: %w", err)
	}
	return a, nil
}

// lastFour are the characters of an ID number that a certificate may have.
func lastFour(id string) string { return id[len(id)-4:] }
