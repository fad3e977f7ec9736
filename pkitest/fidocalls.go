package pkitest

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// fidoRequest is the body of a call. A key that is not here is refused.
type fidoRequest struct {
	TransactionID string        `json:"transaction_id"`
	ServiceID     string        `json:"sp_service_id"`
	Checksum      string        `json:"sp_checksum"`
	IDNumber      string        `json:"id_num"`
	Operation     string        `json:"op_code"`
	Mode          string        `json:"op_mode"`
	Hint          string        `json:"hint"`
	TimeLimit     *int          `json:"time_limit"`
	Signing       *fidoSignInfo `json:"sign_info"`
	Device        *string       `json:"device_user_def_desc"`
	TicketID      string        `json:"sp_ticket_id"`
}

type fidoSignInfo struct {
	Form     string   `json:"sign_type"`
	Data     string   `json:"sign_data,omitempty"`
	Set      []string `json:"sign_data_set,omitempty"`
	Encoding string   `json:"tbs_encoding"`
	Hash     string   `json:"hash_algorithm"`
}

// fidoTicket is a ticket with what has become of it.
type fidoTicket struct {
	request  fidoRequest
	id, text string
	expiry   time.Time
	asked    int // how often the result was asked for

	done        bool
	code        string // of the outcome
	signatures  [][]byte
	certificate []byte
	web         bool
}

var fidoIDNumber = regexp.MustCompile(`^[A-Z][A-D0-9][0-9]{8}$`)

// readRequest checks a request and returns the code of what is wrong with it.
func (f *Fido) readRequest(call string, body []byte) (q fidoRequest, code string) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		return q, "PM_INV_NF"
	}
	device, data := "", ""
	if q.Device != nil {
		device = *q.Device
	}
	if q.Signing != nil {
		data = q.Signing.Data
	}
	covered := map[string][]string{
		"getSpTicket":          {q.IDNumber, q.Operation, q.Mode, q.Hint, data},
		"requestAthOrSignPush": {q.IDNumber, device, q.Operation, q.Hint, data},
		"doBatchSigning":       {q.IDNumber, q.Operation, q.Mode, q.Hint},
		"getAthOrSignResult":   {q.TicketID},
		"checkDeviceStatus":    {q.IDNumber},
	}[call]
	switch {
	case q.TransactionID == "" || len(q.TransactionID) > 100:
		return q, "PM_INV_NF"
	case q.ServiceID != f.serviceID:
		return q, "SPSVCID_NF"
	case !f.checks(q.Checksum, append([]string{q.TransactionID, q.ServiceID}, covered...)...):
		return q, "INV_SP_CHECKSUM"
	case call != "getAthOrSignResult" && !fidoIDNumber.MatchString(q.IDNumber):
		return q, "PM_IDN_FT_ERR"
	}
	return q, ""
}

// issue makes a ticket.
func (f *Fido) issue(call string, q fidoRequest, script FidoScript) (code string, result map[string]any, covered []string) {
	if code := f.checkIssue(call, &q); code != "" {
		return code, nil, nil
	}
	mode := q.Mode
	if call == "requestAthOrSignPush" {
		mode = "PUSH"
	}
	t := &fidoTicket{request: q, id: fmt.Sprintf("ticket-%d", len(f.tickets)+1)}
	t.expiry = f.pki.now().Add(time.Duration(*q.TimeLimit) * time.Second)
	members := map[string]any{
		"transaction_id":  q.TransactionID,
		"op_code":         q.Operation,
		"op_mode":         mode,
		"sp_service_id":   q.ServiceID,
		"sp_ticket_id":    t.id,
		"sp_name":         "測試服務",
		"hint":            q.Hint,
		"expiration_time": unixMilli(t.expiry),
		"hashed_id_num":   FidoHash(q.IDNumber),
		"version":         "2.9",
	}
	if q.Signing != nil {
		members["sign_info"] = q.Signing
	}
	t.text = FidoTicket(members)
	f.tickets = append(f.tickets, t)
	if script.Approve {
		f.decide(t, f.phoneOf(q.IDNumber), true)
	}
	return "0", map[string]any{"sp_ticket": t.text}, []string{"sp_ticket"}
}

func (f *Fido) checkIssue(call string, q *fidoRequest) string {
	modes := map[string][]string{
		"getSpTicket":          {"I-SCAN", "APP2APP", "MWEB2APP"},
		"requestAthOrSignPush": {""},
		"doBatchSigning":       {"I-SCAN", "APP2APP", "MWEB2APP", "PUSH"},
	}[call]
	switch {
	case f.transactions[q.TransactionID]:
		return "TXNLOG_INS_ERR"
	case !slices.Contains(modes, q.Mode), q.Hint == "", q.TimeLimit == nil:
		return "PM_INV_NF"
	case q.Device != nil && (*q.Device == "" || call == "getSpTicket"):
		return "PM_INV_NF"
	case *q.TimeLimit < 30 || *q.TimeLimit > 600:
		return "SPTKT_TIME_ORV"
	}
	if code := checkSigning(call, q); code != "" {
		return code
	}
	f.transactions[q.TransactionID] = true
	if f.phoneOf(q.IDNumber) == nil {
		return "IDNUM_USERPROF_NF"
	}
	return ""
}

func checkSigning(call string, q *fidoRequest) string {
	s := q.Signing
	if call == "doBatchSigning" {
		switch {
		case q.Operation != "BATSIGN" || s == nil || s.Data != "":
			return "PM_INV_NF"
		case len(s.Set) < 1 || len(s.Set) > 20:
			return "BATSIGN_CNT_LIMIT"
		}
		return checkSignData(s, s.Set...)
	}
	switch {
	case q.Operation == "ATH" && s == nil:
		return ""
	case q.Operation != "SIGN" || s == nil || s.Set != nil:
		return "PM_INV_NF"
	}
	return checkSignData(s, s.Data)
}

func checkSignData(s *fidoSignInfo, all ...string) string {
	for _, data := range all {
		if len(data) > 1024 {
			return "SIGNDATA_LEN_LIMIT"
		}
		if _, err := base64.StdEncoding.DecodeString(data); err != nil || data == "" || s.Encoding != "base64" {
			return "PM_SIGDATA_ERR"
		}
	}
	if !slices.Contains([]string{"PKCS#1", "PKCS#7", "RAW"}, s.Form) || s.Hash != "SHA256" {
		return "PM_INV_NF"
	}
	return ""
}

// result answers what has become of a ticket.
func (f *Fido) result(q fidoRequest, script FidoScript) (code string, result map[string]any, covered []string) {
	i := slices.IndexFunc(f.tickets, func(t *fidoTicket) bool { return t.id == q.TicketID })
	if i < 0 || f.tickets[i].request.TransactionID != q.TransactionID {
		return "SPTKTID_SPTKT_NF", nil, nil
	}
	t := f.tickets[i]
	t.asked++
	switch {
	case !t.done && !f.pki.now().Before(t.expiry):
		return "SPTKT_OVD", nil, nil
	case !t.done || t.asked <= script.Pending:
		return cmp.Or(script.PendingCode, "SP-API-ATH-02-SPTKTID_TXNLOG_NF"), nil, nil
	case t.code != "0":
		return t.code, nil, nil
	}
	result = map[string]any{"hashed_id_num": FidoHash(t.request.IDNumber)}
	encode := base64.StdEncoding.EncodeToString
	switch t.request.Operation {
	case "SIGN":
		result["signed_response"] = encode(t.signatures[0])
		result["cert"] = encode(t.certificate)
	case "BATSIGN":
		set := make([]any, len(t.signatures))
		for i, s := range t.signatures {
			set[i] = encode(s)
		}
		result["signed_response_set"] = set
		result["cert"] = encode(t.certificate)
	}
	return "0", result, []string{"hashed_id_num", "signed_response"}
}

func (f *Fido) deviceStatus(q fidoRequest) (code string, result map[string]any, covered []string) {
	answer := map[bool]string{true: "Y", false: "N"}[f.phoneOf(q.IDNumber) != nil]
	return "0", map[string]any{"is_fido": answer, "is_mcert_sign": answer}, []string{"is_fido", "is_mcert_sign"}
}
