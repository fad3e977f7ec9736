package pkitest_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
)

// A fidoWorld is a look-alike TW FidO with one citizen, asked without a client.
type fidoWorld struct {
	*pkitest.Fido
	t     *testing.T
	clock *pkitest.Clock
	phone *pkitest.Phone
}

const fidoID = "A123456780" // with a wrong check digit

func newFidoWorld(t *testing.T) *fidoWorld {
	t.Helper()
	clock := pkitest.NewClock(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC))
	pki, err := pkitest.New(pkitest.Config{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pki.Close() })
	card, err := pki.G3.IssueMobile(pkitest.Person{Name: "王測試", LastFour: fidoID[6:]})
	if err != nil {
		t.Fatal(err)
	}
	w := &fidoWorld{Fido: pki.NewFido(pkitest.FidoConfig{}), t: t, clock: clock}
	w.phone = w.Enroll(fidoID, card)
	return w
}

// sum is a checksum with the zero IV of the specification's samples, which the
// service accepts.
func (w *fidoWorld) sum(fields ...string) string {
	w.t.Helper()
	key, err := base64.StdEncoding.DecodeString(w.KeyText())
	if err != nil {
		w.t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		w.t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		w.t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(strings.Join(fields, "")))
	iv := make([]byte, 12)
	return hex.EncodeToString(aead.Seal(iv, iv, []byte(hex.EncodeToString(digest[:])), nil))
}

// call returns the code of an answer and its result.
func (w *fidoWorld) call(name string, body map[string]any) (code string, result map[string]any) {
	w.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.Post(w.URL()+"/moise/sp/"+name, "application/json", bytes.NewReader(encoded))
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Code   string         `json:"error_code"`
		Result map[string]any `json:"result"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		w.t.Fatal(err)
	}
	return answer.Code, answer.Result
}

// signRequest is a proper request for a ticket.
func (w *fidoWorld) signRequest(transaction string) map[string]any {
	return map[string]any{
		"transaction_id": transaction, "sp_service_id": w.ServiceID(), "id_num": fidoID, "op_code": "SIGN", "op_mode": "I-SCAN",
		"hint": "測試", "time_limit": 60,
		"sign_info":   map[string]any{"sign_type": "PKCS#1", "sign_data": "RE9D", "tbs_encoding": "base64", "hash_algorithm": "SHA256"},
		"sp_checksum": w.sum(transaction, w.ServiceID(), fidoID, "SIGN", "I-SCAN", "測試", "RE9D"),
	}
}

// A request is refused for each thing that is wrong with it, by its code.
func TestFidoRefuses(t *testing.T) {
	w := newFidoWorld(t)
	// signed sets a member that the checksum covers, and signs anew.
	signed := func(name, value string) func(map[string]any) {
		return func(q map[string]any) {
			q[name] = value
			q["sp_checksum"] = w.sum(q["transaction_id"].(string), w.ServiceID(), q["id_num"].(string), "SIGN", "I-SCAN", "測試", "RE9D")
		}
	}
	w.call("getSpTicket", w.signRequest("used"))
	for name, tt := range map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"nothing":             {func(map[string]any) {}, "0"},
		"checksum":            {func(q map[string]any) { q["hint"] = "別的" }, "INV_SP_CHECKSUM"},
		"service":             {func(q map[string]any) { q["sp_service_id"] = "other" }, "SPSVCID_NF"},
		"unknown key":         {func(q map[string]any) { q["sign_type"] = "PKCS#1" }, "PM_INV_NF"},
		"time as text":        {func(q map[string]any) { q["time_limit"] = "60" }, "PM_INV_NF"},
		"time out of range":   {func(q map[string]any) { q["time_limit"] = 601 }, "SPTKT_TIME_ORV"},
		"empty device":        {func(q map[string]any) { q["device_user_def_desc"] = "" }, "PM_INV_NF"},
		"no sign_info":        {func(q map[string]any) { delete(q, "sign_info") }, "INV_SP_CHECKSUM"},
		"unknown form":        {func(q map[string]any) { q["sign_info"].(map[string]any)["sign_type"] = "CMS" }, "PM_INV_NF"},
		"used transaction":    {signed("transaction_id", "used"), "TXNLOG_INS_ERR"},
		"nobody's number":     {signed("id_num", "C123456780"), "IDNUM_USERPROF_NF"},
		"no form of a number": {signed("id_num", "123"), "PM_IDN_FT_ERR"},
	} {
		q := w.signRequest("txn " + name)
		tt.change(q)
		code, _ := w.call("getSpTicket", q)
		if got := strings.TrimPrefix(code, "SP-API-ATH-01-"); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, code, tt.want)
		}
	}
}

// The screen shows what waits and takes one answer, which the result then has.
func TestFidoScreen(t *testing.T) {
	w := newFidoWorld(t)
	_, result := w.call("getSpTicket", w.signRequest("txn-1"))
	ticket := result["sp_ticket"].(string)
	members := pkitest.FidoMembers(ticket)
	if members["transaction_id"] != "txn-1" || members["hashed_id_num"] != pkitest.FidoHash(fidoID) || pkitest.FidoTicket(members) == "" {
		t.Errorf("got ticket of %v", members)
	}
	question := map[string]any{
		"transaction_id": "txn-1", "sp_service_id": w.ServiceID(), "sp_ticket_id": members["sp_ticket_id"],
		"sp_checksum": w.sum("txn-1", w.ServiceID(), members["sp_ticket_id"].(string)),
	}
	if code, _ := w.call("getAthOrSignResult", question); code != "SP-API-ATH-02-SPTKTID_TXNLOG_NF" {
		t.Errorf("before: got %s", code)
	}
	screen := func(form url.Values) string {
		t.Helper()
		link := "mobilemoica://moica.moi.gov.tw/w2a/verifySign?sp_ticket=" + url.QueryEscape(ticket)
		address := w.URL() + "/phone?sp_ticket=" + url.QueryEscape(link)
		resp, err := http.Get(address)
		if form != nil {
			resp, err = http.PostForm(address, form)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if page := screen(nil); !strings.Contains(page, "王測試") || !strings.Contains(page, ticket) {
		t.Errorf("the ticket is not on the screen: %s", page)
	}
	screen(url.Values{"ticket": {ticket}, "id": {fidoID}, "answer": {"approve"}})
	code, result := w.call("getAthOrSignResult", question)
	if code != "0" || result["hashed_id_num"] != pkitest.FidoHash(fidoID) || result["cert"] != base64.StdEncoding.EncodeToString(w.phone.Card.Cert.Raw) {
		t.Errorf("after: got %s, %v", code, result)
	}
	if strings.Contains(screen(nil), ticket) {
		t.Error("the ticket is still on the screen")
	}
	if err := w.phone.Approve(ticket); err == nil {
		t.Error("the ticket is answered twice")
	}

	_, result = w.call("getSpTicket", w.signRequest("txn-2"))
	ticket = result["sp_ticket"].(string)
	w.clock.Advance(time.Minute)
	if err := w.phone.Approve(ticket); err == nil || strings.Contains(screen(nil), ticket) {
		t.Error("an expired ticket can be answered")
	}
	if err := w.phone.Approve("no ticket"); err == nil {
		t.Error("a code that is no ticket is answered")
	}
}
