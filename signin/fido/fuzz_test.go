package fido

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// wantError checks that a refusal is an *Error.
func wantError(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*Error](err); !ok {
		t.Errorf("got %T, want *Error: %v", err, err)
	}
}

// A ticket that is read ends in its own digest, so that no other text gives it.
func FuzzTicket(f *testing.F) {
	f.Add(ticketV5)
	f.Add(ticketV5[:40])
	f.Add("..")
	f.Add("e30.RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o")
	f.Fuzz(func(t *testing.T, text string) {
		body, err := parseTicket(text)
		if err != nil {
			wantError(t, err)
			return
		}
		if body.TransactionID == "" || body.ID == "" {
			t.Errorf("got %+v of %q", body, text)
		}
		if again, err := parseTicket(text); err != nil || again != body {
			t.Errorf("got %+v, then %+v, %v", body, again, err)
		}
		want := &exchange{transaction: body.TransactionID, service: body.ServiceID, limit: MaxTimeLimit}
		if _, err := body.check(want, time.UnixMilli(1760000000000)); err != nil {
			wantError(t, err)
		}
	})
}

// Of all bodies, what is read as an answer carries a checksum over what is returned.
func FuzzAnswer(f *testing.F) {
	key := mustKey(f)
	c := &Client{service: "svc-1", key: key, now: time.Now}
	ticket := &Ticket{TransactionID: "txn-4", ID: "ticket-1", HashedID: hashID("A123456789"), Operation: Sign, Form: PKCS1}
	good, err := json.Marshal(map[string]any{"error_code": "0", "result": wireAnswer{
		HashedID: ticket.HashedID, Signature: "c2lnbmVk", Cert: "Y2VydA==",
		Checksum: key.checksum("txn-4", "0", ticket.HashedID, "c2lnbmVk"),
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"error_code":20002}`))
	f.Add([]byte(`{"error_code":"SP-API-ATH-02-SPTKTID_TXNLOG_NF","error_message":"x"}`))
	f.Add([]byte(`{"error_code":"0"}`))
	f.Add([]byte(`{"error_code":-0.5,"result":[]}`))
	f.Add([]byte(`<html>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var w wireAnswer
		if err := parseEnvelope(body, &w); err != nil {
			wantError(t, err)
			return
		}
		a, err := c.judge(ticket, &w)
		if err != nil {
			if a != nil {
				t.Error("an answer is returned along with an error")
			}
			wantError(t, err)
			return
		}
		if string(a.Signature) != "signed" || a.HashedID != ticket.HashedID {
			t.Errorf("got signature %q of %s", a.Signature, a.HashedID)
		}
	})
}

// Of all forms, those are accepted that a holder of the key has made.
func FuzzCallback(f *testing.F) {
	key := mustKey(f)
	c := &Client{service: "svc-1", key: key, now: time.Now}
	const transaction = "046b6c7f-0b8a-43b9-b35d-6489e6daee91"
	good := url.Values{
		"transaction_id": {transaction}, "error_code": {"0"}, "id_num": {"A123456789"}, "signed_response": {"c2lnbmVk"},
		"cert": {"Y2VydA=="}, "idp_checksum": {key.checksum(transaction, "0", "A123456789", "c2lnbmVk")},
	}
	f.Add(good.Encode())
	f.Add(strings.Replace(good.Encode(), "error_code=0", "error_code=", 1))
	f.Add("transaction_id=a&transaction_id=b")
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		b, err := c.ParseCallback(form)
		if err != nil {
			if b != nil {
				t.Error("a callback is returned along with an error")
			}
			wantError(t, err)
			return
		}
		if b.TransactionID != transaction || b.HashedID != hashID("A123456789") || string(b.Signature) != "signed" || b.Err != nil {
			t.Errorf("got %#v of %s", b, text)
		}
	})
}

// A code that is not success is an error with a class, and repeats no number that
// could be anybody's.
func FuzzCode(f *testing.F) {
	for _, seed := range []string{"SP-API-ATH-02-SPTKTID_TXNLOG_NF: 尚未完成", "20002", "A123456789", "A_123456789", "", ":"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wire string) {
		e := codeError(wire)
		if e.Class == "" || sentences[e.Class].ZhTW == "" {
			t.Errorf("%q: got class %q", wire, e.Class)
		}
		switch entry, ok := codes[e.Code]; {
		case ok && entry.class != e.Class:
			t.Errorf("%q: got class %s of code %s", wire, e.Class, e.Code)
		case !ok && e.Class != ClassUnknownCode:
			t.Errorf("%q: got class %s of no code", wire, e.Class)
		case !ok && regexp.MustCompile(`[0-9]{4}`).MatchString(e.Error()):
			t.Errorf("%q: got %v", wire, e)
		}
	})
}

// A key is 32 bytes, however it is spelled.
func FuzzKey(f *testing.F) {
	f.Add(testKey)
	f.Add("_-8tMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmM")
	f.Add("=")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := ParseKey(text)
		if err != nil {
			if key.aead != nil {
				t.Error("a key is returned along with an error")
			}
			return
		}
		if sum := key.checksum("a", "b"); !key.verify(sum, "ab") || key.verify(sum, "a") {
			t.Errorf("%q does not verify its own checksum", text)
		}
	})
}
