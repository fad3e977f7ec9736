package pkitest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// FidoConfig says how a Fido is set up. The zero value is ready to use.
type FidoConfig struct {
	ServiceID string // sp_service_id; if empty, "test-service"

	// Key is the AES-256 key of the service. If nil, the bytes
	// 0123456789abcdef0123456789abcdef, which are public.
	Key []byte

	// Callback is the address at which the service takes the results of the web
	// flow. If empty, there is no web flow.
	Callback string
}

// A Fido is a look-alike of TW FidO (行動自然人憑證): the service-provider API, the
// site of the web flow, and phones that answer. It is strict about requests, as the
// specification is: a wrong checksum, an unknown key or a transaction that was used
// before gets its error code. Its methods may be called concurrently.
type Fido struct {
	pki       *PKI
	serviceID string
	key       []byte
	callback  string

	mu           sync.Mutex
	phones       []*Phone
	tickets      []*fidoTicket
	transactions map[string]bool
	script       FidoScript
}

// A FidoScript has the service misbehave. The zero value does not.
type FidoScript struct {
	// Call is the call that the script is for, such as "getSpTicket". If empty,
	// all. Times is how many answers it is for. If zero, all.
	Call  string
	Times int

	// Approve has every phone approve at once, by itself.
	Approve bool

	// Code is the error_code of answers in place of the truth, as it stands on the
	// wire. Pending is how often results are said not to be there yet, with
	// PendingCode; if that is empty, with the usual one.
	Code        string
	Pending     int
	PendingCode string

	// NumberCodes writes codes that are numbers as JSON numbers.
	NumberCodes bool

	// Status, if not zero, answers an HTML page with this HTTP status.
	Status int

	// Alter changes a result before its checksum is made, Tamper after: what an
	// untruthful MOI, and what somebody in between can do.
	Alter, Tamper func(result map[string]any)
}

// NewFido starts a look-alike on the PKI's server, under /fido. A PKI has one.
func (p *PKI) NewFido(cfg FidoConfig) *Fido {
	f := &Fido{
		pki:          p,
		serviceID:    cmp.Or(cfg.ServiceID, "test-service"),
		key:          cfg.Key,
		callback:     cfg.Callback,
		transactions: make(map[string]bool),
	}
	if f.key == nil {
		f.key = []byte("0123456789abcdef0123456789abcdef")
	}
	p.Script(f.URL(), f)
	return f
}

// URL is the base address of both API and site.
func (f *Fido) URL() string { return f.pki.URL() + "/fido" }

// ServiceID and KeyText are what a relying party is told at its admission.
func (f *Fido) ServiceID() string { return f.serviceID }

// KeyText is the key in base64.
func (f *Fido) KeyText() string { return base64.StdEncoding.EncodeToString(f.key) }

// Script has the service misbehave until it is called again with the zero value.
func (f *Fido) Script(s FidoScript) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = s
}

// Tickets returns the tickets of the API that were issued, oldest first.
func (f *Fido) Tickets() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var texts []string
	for _, t := range f.tickets {
		if !t.web {
			texts = append(texts, t.text)
		}
	}
	return texts
}

// ServeHTTP serves the API, the site of the web flow, and the phones' screens.
func (f *Fido) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/fido")
	call, isCall := strings.CutPrefix(path, "/moise/sp/")
	switch {
	case isCall && r.Method == http.MethodPost:
		f.serveCall(w, r, call)
	case path == "/phone":
		f.servePhone(w, r)
	case path == "/fidoRedirect/web" && r.Method == http.MethodPost && f.callback != "":
		f.serveWeb(w, r)
	default:
		http.NotFound(w, r)
	}
}

// serveCall answers a call of the API as the script says.
func (f *Fido) serveCall(w http.ResponseWriter, r *http.Request, call string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 256<<10))
	if err != nil {
		return // the client is gone
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	script := f.takeScript(call)
	if script.Status != 0 {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(script.Status)
		io.WriteString(w, "<html><body><h1>Service Temporarily Unavailable</h1></body></html>")
		return
	}
	code, result := f.answer(call, body, script)
	if script.Code != "" {
		code, result = script.Code, nil
	}
	answer := map[string]any{"error_code": code, "error_message": "測試訊息"}
	if number, err := strconv.Atoi(code); err == nil && script.NumberCodes {
		answer["error_code"] = number
	}
	if result != nil {
		answer["result"] = result
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	json.NewEncoder(w).Encode(answer)
}

// Answer returns the answer to a question for the result of a ticket, as it is on the
// wire: for those who stand in between and hand it to somebody else.
func (f *Fido) Answer(ticketID string) map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.tickets {
		if t.id == ticketID {
			code, result, covered := f.result(fidoRequest{TransactionID: t.request.TransactionID, TicketID: ticketID}, FidoScript{})
			if code == "0" {
				f.addChecksum(t.request.TransactionID, result, covered, FidoScript{})
			}
			return map[string]any{"error_code": code, "result": result}
		}
	}
	return nil
}

// takeScript returns the script for an answer to this call, and counts it.
func (f *Fido) takeScript(call string) FidoScript {
	s := f.script
	if s.Call != "" && s.Call != call {
		return FidoScript{Approve: s.Approve}
	}
	if s.Times > 0 {
		if f.script.Times--; f.script.Times == 0 {
			f.script = FidoScript{Approve: s.Approve}
		}
	}
	return s
}

// answer returns the code and the result of a call with its checksum.
func (f *Fido) answer(call string, body []byte, script FidoScript) (code string, result map[string]any) {
	id, ok := fidoInterfaces[call]
	if !ok {
		return "UNDEFINED", nil
	}
	q, code := f.readRequest(call, body)
	var covered []string // by the checksum, after transaction_id and error_code
	if code == "" {
		switch call {
		case "getAthOrSignResult":
			code, result, covered = f.result(q, script)
		case "checkDeviceStatus":
			code, result, covered = f.deviceStatus(q)
		default:
			code, result, covered = f.issue(call, q, script)
		}
	}
	if code != "0" {
		if strings.Contains(code, "SPTKTID_TXNLOG_NF") || strings.HasPrefix(code, "2000") {
			return code, nil
		}
		return id + "-" + code, nil
	}
	f.addChecksum(q.TransactionID, result, covered, script)
	return code, result
}

// addChecksum completes a result.
func (f *Fido) addChecksum(transaction string, result map[string]any, covered []string, script FidoScript) {
	if script.Alter != nil {
		script.Alter(result)
	}
	fields := []string{transaction, "0"}
	for _, name := range covered {
		text, _ := result[name].(string)
		fields = append(fields, text)
	}
	result["idp_checksum"] = f.checksum(fields...)
	if script.Tamper != nil {
		script.Tamper(result)
	}
}

// fidoInterfaces are the calls with their names in the specification.
var fidoInterfaces = map[string]string{
	"getSpTicket":          "SP-API-ATH-01",
	"getAthOrSignResult":   "SP-API-ATH-02",
	"requestAthOrSignPush": "SP-API-ATH-03",
	"doBatchSigning":       "SP-API-ATH-04",
	"checkDeviceStatus":    "SP-API-LF-01",
}
