package pkitest

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Phone is the app of one person. It answers when it is told to.
type Phone struct {
	IDNumber string
	Card     *Card // what [Generation.IssueMobile] has issued

	// PKCS7 says how it makes a SignedData. If nil, with the content inside.
	PKCS7 *CMSOptions

	fido *Fido
}

// Enroll gives a person a phone. The number should be one that cannot be anybody's,
// such as one with a wrong check digit.
func (f *Fido) Enroll(idNumber string, card *Card) *Phone {
	p := &Phone{IDNumber: idNumber, Card: card, fido: f}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.phones = append(f.phones, p)
	return p
}

func (f *Fido) phoneOf(idNumber string) *Phone {
	for _, p := range f.phones {
		if p.IDNumber == idNumber {
			return p
		}
	}
	return nil
}

// Approve has the citizen scan a code, or follow a link, and approve. code is the
// ticket itself or a link with one.
func (p *Phone) Approve(code string) error { return p.answer(code, true) }

// Refuse has the citizen scan a code and refuse.
func (p *Phone) Refuse(code string) error { return p.answer(code, false) }

// Waiting returns the tickets that were pushed to the phone and are not answered.
func (p *Phone) Waiting() []string {
	p.fido.mu.Lock()
	defer p.fido.mu.Unlock()
	var texts []string
	for _, t := range p.fido.tickets {
		if t.request.IDNumber == p.IDNumber && !t.done && (t.request.Mode == "" || t.request.Mode == "PUSH") {
			texts = append(texts, t.text)
		}
	}
	return texts
}

func (p *Phone) answer(code string, approve bool) error {
	text := ticketIn(code)
	p.fido.mu.Lock()
	defer p.fido.mu.Unlock()
	i := slices.IndexFunc(p.fido.tickets, func(t *fidoTicket) bool { return t.text == text })
	if i < 0 {
		return errors.New("pkitest: the code is no ticket of this service")
	}
	t := p.fido.tickets[i]
	if t.done {
		return errors.New("pkitest: the ticket was answered before")
	}
	if !p.fido.pki.now().Before(t.expiry) {
		return errors.New("pkitest: the ticket has expired")
	}
	return p.fido.decide(t, p, approve)
}

// ticketIn returns the ticket in a link into the app, or the text itself.
func ticketIn(code string) string {
	if u, err := url.Parse(code); err == nil && u.Scheme == "mobilemoica" {
		return u.Query().Get("sp_ticket")
	}
	return code
}

// decide answers a ticket with a phone.
func (f *Fido) decide(t *fidoTicket, p *Phone, approve bool) error {
	t.done = true
	switch {
	case p == nil || p.IDNumber != t.request.IDNumber:
		t.code = "DEVID_SPTKT_MISMATCH"
		return nil
	case !approve:
		t.code = "APP_USER_CANCEL"
		return nil
	}
	if s := t.request.Signing; s != nil {
		set := s.Set
		if set == nil {
			set = []string{s.Data}
		}
		for _, text := range set {
			signature, err := p.sign(s.Form, text)
			if err != nil {
				return err
			}
			t.signatures = append(t.signatures, signature)
		}
		t.certificate = p.Card.Cert.Raw
	}
	t.code = "0"
	return nil
}

func (p *Phone) sign(form, text string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("pkitest: sign_data: %w", err)
	}
	switch form {
	case "PKCS#7":
		return p.Card.SignPKCS7(data, p.PKCS7)
	case "RAW":
		return p.Card.Key.Sign(rand.Reader, data, crypto.Hash(0))
	default:
		return p.Card.SignPKCS1(data)
	}
}

// screen is a phone's screen for a person in front of a browser.
var screen = template.Must(template.New("phone").Parse(`<!DOCTYPE html>
<html lang="zh-TW"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>行動自然人憑證（測試用） · Test phone</title></head><body><main>
<h1>行動自然人憑證（測試用） · Test phone</h1>
{{if .Message}}<p role="status">{{.Message}}</p>{{end}}
{{range .Tickets}}<form method="post">
<p><strong>{{.Hint}}</strong> {{if .Data}}<code>{{.Data}}</code>{{end}}</p>
<input type="hidden" name="ticket" value="{{.Text}}">
{{if .Web}}<label>身分證統一編號 · ID number <input name="id" autocomplete="off"></label>{{else}}
<label>手機 · Phone of <select name="id">{{range .Phones}}<option value="{{.IDNumber}}"{{if .Selected}} selected{{end}}>{{.Name}}</option>{{end}}</select></label>{{end}}
<button name="answer" value="approve">同意 · Approve</button>
<button name="answer" value="refuse">取消 · Refuse</button>
</form>{{else}}<p>沒有待確認的要求 · Nothing to confirm</p>{{end}}
</main></body></html>`))

type screenTicket struct {
	Text, Hint, Data string
	Web              bool
	Phones           []screenPhone
}

type screenPhone struct {
	IDNumber, Name string
	Selected       bool
}

// servePhone shows what waits for an answer, with ?sp_ticket= one ticket alone, and
// takes the answer.
func (f *Fido) servePhone(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	message := ""
	if r.Method == http.MethodPost {
		f.mu.Lock()
		phone := f.phoneOf(r.FormValue("id"))
		f.mu.Unlock()
		message = "完成，請回到電腦 · Done: return to the computer"
		if phone == nil {
			message = "查無此人 · Unknown person"
		} else if err := phone.answer(r.FormValue("ticket"), r.FormValue("answer") == "approve"); err != nil {
			message = err.Error()
		}
	}
	f.show(w, message, ticketIn(r.URL.Query().Get("sp_ticket")))
}

func (f *Fido) show(w http.ResponseWriter, message, only string) {
	f.mu.Lock()
	var tickets []screenTicket
	for _, t := range f.tickets {
		if t.done || t.web || only != "" && t.text != only || !f.pki.now().Before(t.expiry) {
			continue
		}
		shown := screenTicket{Text: t.text, Hint: t.request.Hint}
		if t.request.Signing != nil {
			data, _ := base64.StdEncoding.DecodeString(t.request.Signing.Data)
			shown.Data = strings.ToValidUTF8(string(data), "")
		}
		for _, p := range f.phones {
			shown.Phones = append(shown.Phones, screenPhone{p.IDNumber, p.Card.Person.Name, p.IDNumber == t.request.IDNumber})
		}
		tickets = append(tickets, shown)
	}
	f.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	screen.Execute(w, map[string]any{"Message": message, "Tickets": tickets}) // an error means that the browser is gone
}

// handBack is the page by which the browser takes a result to the service.
var handBack = template.Must(template.New("back").Parse(`<!DOCTYPE html>
<html lang="zh-TW"><head><meta charset="utf-8"><title>行動自然人憑證（測試用） · Test site</title></head><body><main>
<form method="post" action="{{.Action}}">{{range $name, $value := .Fields}}
<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
<button>返回服務網站 · Return to the service</button></form></main></body></html>`))

// serveWeb is MOI's page of the web flow: it takes the form of the service, asks
// who it is, and hands the result back through the browser.
func (f *Fido) serveWeb(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if ticket := r.FormValue("ticket"); ticket != "" {
		back := f.WebResult(ticket, r.FormValue("id"), r.FormValue("answer") == "approve")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		handBack.Execute(w, map[string]any{"Action": f.callback, "Fields": back})
		return
	}
	text, err := f.BeginWeb(r.PostForm)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	screen.Execute(w, map[string]any{"Tickets": []screenTicket{{Text: text, Hint: r.PostForm.Get("hint"), Web: true}}})
}

// BeginWeb takes the form that a service has the browser post, and returns a name
// for it. It is an error if the real site would refuse it.
func (f *Fido) BeginWeb(form url.Values) (string, error) {
	get := form.Get
	q := fidoRequest{TransactionID: get("transaction_id"), ServiceID: get("sp_service_id"), Operation: get("op_code"), Hint: get("hint")}
	if q.Operation == "SIGN" {
		q.Signing = &fidoSignInfo{Form: get("sign_type"), Data: get("sign_data"), Encoding: get("tbs_encoding"), Hash: get("hash_algorithm")}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.checks(get("sp_checksum"), q.TransactionID, q.ServiceID, q.Operation, q.Hint, get("sign_data")):
		return "", errors.New("INV_SP_CHECKSUM")
	case q.ServiceID != f.serviceID:
		return "", errors.New("SPSVCID_NF")
	case f.transactions[q.TransactionID]:
		return "", errors.New("TXNLOG_INS_ERR")
	}
	if code := checkSigning("web", &q); code != "" {
		return "", errors.New(code)
	}
	f.transactions[q.TransactionID] = true
	t := &fidoTicket{request: q, web: true, text: "web-" + q.TransactionID, expiry: f.pki.now().Add(10 * time.Minute)}
	f.tickets = append(f.tickets, t)
	return t.text, nil
}

// WebResult has a person answer what BeginWeb has taken, and returns the form that
// the service is to get.
func (f *Fido) WebResult(name, idNumber string, approve bool) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.tickets, func(t *fidoTicket) bool { return t.text == name && t.web })
	if i < 0 {
		return nil
	}
	t := f.tickets[i]
	t.request.IDNumber = idNumber
	if err := f.decide(t, f.phoneOf(idNumber), approve); err != nil {
		t.code = "UNDEFINED"
	}
	back := map[string]string{"transaction_id": t.request.TransactionID, "error_code": t.code, "id_num": "", "signed_response": ""}
	if t.code == "0" {
		back["id_num"] = idNumber
		if t.request.Signing != nil {
			back["signed_response"] = base64.StdEncoding.EncodeToString(t.signatures[0])
			back["cert"] = base64.StdEncoding.EncodeToString(t.certificate)
		}
	}
	back["idp_checksum"] = f.checksum(back["transaction_id"], back["error_code"], back["id_num"], back["signed_response"])
	return back
}
