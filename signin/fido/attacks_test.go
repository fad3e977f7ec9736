package fido_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/verify"
)

// TestAttacks names each attack by its number in the project's list of attacks. Its
// neighbours that pass are in TestSignIn, TestRedirect and TestBatch.
func TestAttacks(t *testing.T) {
	for _, attack := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"F01 tampered cert", attackTamperedCert},
		{"F02 batch rearranged", attackBatchRearranged},
		{"F02 batch of another citizen", attackBatchReplaced},
		{"F03 IV", attackIV},
		{"F04 other or forged ticket", attackTicket},
		{"F04 tickets of two citizens swapped", attackSwappedTickets},
		{"F05 other person", attackOtherPerson},
		{"F06 checksum", attackChecksum},
		{"F07 field boundary", attackFieldBoundary},
		{"F08 uncovered parameters", attackParameters},
		{"F09 return URL", attackReturnURL},
		{"F09 web callback", attackCallback},
		{"F10 codes", attackCodes},
		{"F10 no envelope", attackNoEnvelope},
		{"L06 other browser", attackOtherBrowser},
		{"L07 login CSRF", attackCrossSite},
		{"L15 environments", attackEnvironments},
	} {
		t.Run(attack.name, attack.run)
	}
}

const resultCall, ticketCall = "getAthOrSignResult", "getSpTicket"

// approved begins an attempt that wang has approved, and whose answer is scripted.
func (w *world) approved(t *testing.T, s pkitest.FidoScript) (*browser, attempt) {
	t.Helper()
	b := w.browser(t)
	a := b.start("qr", wangID)
	if err := w.wang.Approve(w.lastTicket(t)); err != nil {
		t.Fatal(err)
	}
	s.Call = resultCall
	w.fido.Script(s)
	return b, a
}

// ends checks that an attempt ends with this code, and stays so when the answer is in
// order again: nothing is asked a second time.
func (b *browser) ends(a attempt, code signin.Code) {
	b.t.Helper()
	b.refused(b.status(a), code)
	b.w.fido.Script(pkitest.FidoScript{})
	before := b.w.Requests(b.w.fido.URL())
	b.refusedAgain(a)
	if b.w.Requests(b.w.fido.URL()) != before {
		b.t.Error("MOI was asked again")
	}
}

func encode(der []byte) string { return base64.StdEncoding.EncodeToString(der) }

// The certificate is not under MOI's checksum.
func attackTamperedCert(t *testing.T) {
	w := newWorld(t)
	impostor, err := w.SelfSigned(pkitest.Template{RawSubject: w.wang.Card.Cert.RawSubject, Key: w.wang.Card.Key})
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(w.wang.Card.Cert.Raw)
	flipped[len(flipped)-1] ^= 1
	card, err := w.G3.IssueCard(pkitest.Person{Name: "王測試", LastFour: wangID[6:]}, func(t *pkitest.Template) { t.Key = w.wang.Card.Key })
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		cert   []byte
		reason verify.Reason
	}{
		"another citizen's":         {w.lin.Card.Cert.Raw, verify.ReasonBadSignature},
		"the encryption one":        {w.wang.Card.EncryptionCert.Raw, verify.ReasonBadSignature},
		"self-signed, the same key": {impostor.Cert.Raw, verify.ReasonUntrusted},
		"a flipped bit":             {flipped, verify.ReasonUntrusted},
		"a card's, the same key":    {card.Cert.Raw, verify.ReasonProfile},
		"something behind it":       {append(slices.Clone(w.wang.Card.Cert.Raw), 0), verify.ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			b, a := w.approved(t, pkitest.FidoScript{Tamper: func(r map[string]any) { r["cert"] = encode(tt.cert) }})
			rec := b.status(a)
			if rec.Code != http.StatusForbidden || b.cookies[sessionCookie] != "" {
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
			if got := w.log.reason(); got != signin.Reason(tt.reason) {
				t.Errorf("got reason %s, want %s", got, tt.reason)
			}
			w.fido.Script(pkitest.FidoScript{})
			b.refusedAgain(a)
		})
	}
	t.Run("missing", func(t *testing.T) {
		b, a := w.approved(t, pkitest.FidoScript{Tamper: func(r map[string]any) { delete(r, "cert") }})
		b.ends(a, "phone-answer")
	})
	t.Run("revoked", func(t *testing.T) {
		b, a := w.approved(t, pkitest.FidoScript{})
		w.wang.Card.Issuer.Revoke(w.wang.Card.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
		b.refused(b.status(a), signin.CodeRevoked)
	})
	t.Run("of other last four characters", func(t *testing.T) {
		w := newWorld(t)
		other, err := w.G3.IssueMobile(pkitest.Person{Name: "王測試", LastFour: "0000"})
		if err != nil {
			t.Fatal(err)
		}
		w.wang.Card = other
		b, a := w.approved(t, pkitest.FidoScript{})
		b.refused(b.status(a), signin.CodeOtherHolder)
	})
}

// reason is the reason in the last record that has one.
func (r *records) reason() signin.Reason {
	var found signin.Reason
	for line := range strings.Lines(r.String()) {
		var record struct{ Reason signin.Reason }
		json.Unmarshal([]byte(line), &record)
		if record.Reason != "" {
			found = record.Reason
		}
	}
	return found
}

// Two requests never have one IV, and none is zero.
func attackIV(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{strings.Repeat("0", 24): true}
	record := recorder{next: w.fido}
	w.PKI.Script(w.fido.URL(), &record)
	b := w.browser(t)
	for range 5 {
		b.status(b.start("qr", wangID))
	}
	if len(record.checksums) != 10 {
		t.Fatalf("got %d requests, want 10", len(record.checksums))
	}
	for _, sum := range record.checksums {
		if len(sum) != 184 || seen[sum[:24]] {
			t.Errorf("IV %s was used before, or is zero", sum[:24])
		}
		seen[sum[:24]] = true
	}
}

func attackTicket(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	b.start("qr", wangID)
	earlier := w.lastTicket(t)
	member := func(name string, value any) func(map[string]any) {
		return func(r map[string]any) {
			members := pkitest.FidoMembers(r["sp_ticket"].(string))
			if members[name] = value; value == nil {
				delete(members, name)
			}
			r["sp_ticket"] = pkitest.FidoTicket(members)
		}
	}
	replay := func(r map[string]any) { r["sp_ticket"] = earlier }
	for name, tt := range map[string]struct {
		script pkitest.FidoScript
		code   signin.Code
	}{
		"forged with a right tail":        {pkitest.FidoScript{Tamper: member("hint", "其他")}, "phone-checksum"},
		"an earlier one":                  {pkitest.FidoScript{Tamper: replay}, "phone-checksum"},
		"an earlier one, authenticated":   {pkitest.FidoScript{Alter: replay}, "phone-answer"},
		"of another transaction":          {pkitest.FidoScript{Alter: member("transaction_id", "046b6c7f-0b8a-43b9-b35d-6489e6daee91")}, "phone-answer"},
		"for another service":             {pkitest.FidoScript{Alter: member("sp_service_id", "other")}, "phone-answer"},
		"for another operation":           {pkitest.FidoScript{Alter: member("op_code", "ATH")}, "phone-answer"},
		"for another mode":                {pkitest.FidoScript{Alter: member("op_mode", "PUSH")}, "phone-answer"},
		"expired":                         {pkitest.FidoScript{Alter: member("expiration_time", "1000000000000")}, "phone-answer"},
		"without end":                     {pkitest.FidoScript{Alter: member("expiration_time", nil)}, "phone-answer"},
		"longer than the challenge":       {pkitest.FidoScript{Alter: member("expiration_time", "4000000000000")}, "phone-answer"},
		"with a number for an end":        {pkitest.FidoScript{Alter: member("expiration_time", 4000000000000)}, "phone-answer"},
		"without ID":                      {pkitest.FidoScript{Alter: member("sp_ticket_id", nil)}, "phone-answer"},
		"for another person":              {pkitest.FidoScript{Alter: member("hashed_id_num", pkitest.FidoHash(linID))}, "phone-wrong-person"},
		"with a wrong tail":               {pkitest.FidoScript{Alter: func(r map[string]any) { r["sp_ticket"] = r["sp_ticket"].(string) + "A" }}, "phone-answer"},
		"that is no ticket":               {pkitest.FidoScript{Alter: func(r map[string]any) { r["sp_ticket"] = "A123456789" }}, "phone-answer"},
		"that is missing":                 {pkitest.FidoScript{Tamper: func(r map[string]any) { clear(r) }}, "phone-answer"},
		"that is a number":                {pkitest.FidoScript{Tamper: func(r map[string]any) { r["sp_ticket"] = 7 }}, "phone-answer"},
		"with a checksum that is shorter": {pkitest.FidoScript{Tamper: func(r map[string]any) { r["idp_checksum"] = r["idp_checksum"].(string)[2:] }}, "phone-checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.script.Call = ticketCall
			w.fido.Script(tt.script)
			rec := w.browser(t).do("POST", "/signin/fido/start", map[string]string{"mode": "qr", "idNumber": wangID})
			w.browser(t).refused(rec, tt.code)
		})
	}
}

// Two citizens begin at once, and somebody hands each the answer to the other.
func attackSwappedTickets(t *testing.T) {
	w := newWorld(t)
	record := recorder{next: w.fido}
	w.PKI.Script(w.fido.URL(), &record)
	wang, lin := w.browser(t), w.browser(t)
	a := wang.start("qr", wangID)
	first := w.lastTicket(t)
	b := lin.start("qr", linID)
	second := w.lastTicket(t)
	for phone, code := range map[*pkitest.Phone]string{w.wang: first, w.lin: second} {
		if err := phone.Approve(code); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.Advance(fido.PollInterval)
	record.swap(pkitest.FidoMembers(first)["sp_ticket_id"].(string), pkitest.FidoMembers(second)["sp_ticket_id"].(string))
	wang.refused(wang.do("POST", "/signin/fido/status", map[string]string{"attempt": a.Attempt}), "phone-checksum")
	lin.refused(lin.do("POST", "/signin/fido/status", map[string]string{"attempt": b.Attempt}), "phone-checksum")

	// And at the start: each gets the other's ticket with its checksum.
	w.fido.Script(pkitest.FidoScript{Call: ticketCall, Alter: func(r map[string]any) { r["sp_ticket"] = first }})
	lin.refused(lin.do("POST", "/signin/fido/start", map[string]string{"mode": "qr", "idNumber": linID}), "phone-answer")

	// Whoever scans another's code with a phone of their own gets nothing.
	w.fido.Script(pkitest.FidoScript{})
	a = wang.start("qr", wangID)
	if err := w.lin.Approve(w.lastTicket(t)); err != nil {
		t.Fatal(err)
	}
	wang.refused(wang.status(a), "phone-wrong-person")
}

func attackOtherPerson(t *testing.T) {
	w := newWorld(t)
	b, a := w.approved(t, pkitest.FidoScript{Alter: func(r map[string]any) { r["hashed_id_num"] = pkitest.FidoHash(linID) }})
	b.ends(a, "phone-wrong-person")
	b, a = w.approved(t, pkitest.FidoScript{Tamper: func(r map[string]any) { r["hashed_id_num"] = pkitest.FidoHash(linID) }})
	b.ends(a, "phone-checksum")
	b, a = w.approved(t, pkitest.FidoScript{Alter: func(r map[string]any) { delete(r, "hashed_id_num") }})
	b.ends(a, "phone-answer")
}

func attackChecksum(t *testing.T) {
	w := newWorld(t)
	older := ""
	w.approvedChecksum(t, &older)
	for name, change := range map[string]func(sum string) any{
		"missing":             func(string) any { return nil },
		"empty":               func(string) any { return "" },
		"null":                func(string) any { return json.RawMessage("null") },
		"truncated":           func(sum string) any { return sum[:182] },
		"a flipped bit":       func(sum string) any { return sum[:183] + map[bool]string{true: "1", false: "0"}[sum[183] == '0'] },
		"a flipped IV":        func(sum string) any { return map[bool]string{true: "1", false: "0"}[sum[0] == '0'] + sum[1:] },
		"of an older answer":  func(string) any { return older },
		"zeros":               func(string) any { return strings.Repeat("0", 184) },
		"not hexadecimal":     func(sum string) any { return "zz" + sum[2:] },
		"with something more": func(sum string) any { return sum + "00" },
	} {
		t.Run(name, func(t *testing.T) {
			b, a := w.approved(t, pkitest.FidoScript{Tamper: func(r map[string]any) {
				if value := change(r["idp_checksum"].(string)); value != nil {
					r["idp_checksum"] = value
				} else {
					delete(r, "idp_checksum")
				}
			}})
			b.ends(a, "phone-checksum")
		})
	}
	t.Run("success without a result", func(t *testing.T) {
		b, a := w.approved(t, pkitest.FidoScript{Code: "0"})
		b.ends(a, "phone-answer")
	})
	t.Run("device status", func(t *testing.T) {
		w := newWorld(t)
		w.fido.Script(pkitest.FidoScript{Call: "checkDeviceStatus", Tamper: func(r map[string]any) { r["is_mcert_sign"] = "N" }})
		_, err := w.client.DeviceStatus(t.Context(), wangID)
		wantClass(t, err, fido.ClassChecksum)
	})
}

// approvedChecksum signs in and keeps the checksum of the answer.
func (w *world) approvedChecksum(t *testing.T, sum *string) {
	t.Helper()
	b, a := w.approved(t, pkitest.FidoScript{Tamper: func(r map[string]any) { *sum = r["idp_checksum"].(string) }})
	b.wantState(a, "done")
}

// The payload of a checksum has no separators. Characters that go from one field to
// its neighbour leave the payload as it is, and the fields without their form.
func attackFieldBoundary(t *testing.T) {
	w := newWorld(t)
	move := func(from, to string, n int) func(r map[string]any) {
		return func(r map[string]any) {
			text := r[from].(string)
			r[to], r[from] = r[to].(string)+text[:n], text[n:]
		}
	}
	for n := 1; n < 40; n += 7 {
		b, a := w.approved(t, pkitest.FidoScript{Tamper: move("signed_response", "hashed_id_num", n)})
		b.ends(a, "phone-answer")
	}
	b, a := w.approved(t, pkitest.FidoScript{Tamper: func(r map[string]any) {
		id := r["hashed_id_num"].(string)
		r["hashed_id_num"], r["signed_response"] = id[:40], id[40:]+r["signed_response"].(string)
	}})
	b.ends(a, "phone-answer")

	form := w.browser(t).start("redirect", "")
	good := w.webResult(t, form, wangID, true)
	for name, change := range map[string]func(url.Values){
		"code to number":      func(v url.Values) { v.Set("error_code", ""); v.Set("id_num", "0"+wangID) },
		"number to code":      func(v url.Values) { v.Set("error_code", "0A"); v.Set("id_num", wangID[1:]) },
		"transaction to code": func(v url.Values) { moveTail(v, "transaction_id", "error_code") },
		"number to signature": func(v url.Values) { moveTail(v, "id_num", "signed_response") },
	} {
		changed := maps.Clone(good)
		change(changed)
		if _, err := w.client.ParseCallback(changed); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, r := range []fido.Request{
		{IDNumber: "A12345678", Mode: fido.ModeQR, Hint: "測試"},
		{IDNumber: "a123456780", Mode: fido.ModeQR, Hint: "測試"},
		{IDNumber: wangID + "A", Mode: fido.ModeQR, Hint: "測試"},
		{IDNumber: wangID + "\n", Mode: fido.ModeQR, Hint: "測試"},
	} {
		_, err := w.client.Ticket(t.Context(), r)
		wantClass(t, err, fido.ClassIDNumber)
	}
	for _, r := range []fido.Request{
		{IDNumber: wangID, Mode: fido.ModeQR, Hint: ""},
		{IDNumber: wangID, Mode: fido.ModeQR, Hint: "兩\n行"},
		{IDNumber: wangID, Mode: fido.ModeQR, Hint: "\xff"},
		{IDNumber: wangID, Mode: fido.ModePush, Hint: "測試", Device: "手機\x00"},
		{IDNumber: wangID, Mode: fido.ModeQR, Hint: "測試", Device: "手機"},
	} {
		_, err := w.client.Ticket(t.Context(), r)
		wantClass(t, err, fido.ClassRequest)
	}
}

func moveTail(v url.Values, from, to string) {
	text := v.Get(from)
	v.Set(from, text[:len(text)-1])
	v.Set(to, text[len(text)-1:]+v.Get(to))
}

// Form, digest and encoding are under no checksum: what counts is what was asked for.
func attackParameters(t *testing.T) {
	for _, tt := range []struct {
		asked, made fido.SignatureForm
		reason      verify.Reason
	}{
		{fido.PKCS1, fido.PKCS7, verify.ReasonBadSignature},
		{fido.PKCS1, fido.Raw, verify.ReasonBadSignature},
		{fido.PKCS7, fido.PKCS1, verify.ReasonMalformed},
	} {
		w := newWorld(t, func(cfg *fido.Config) { cfg.Form = tt.asked })
		record := recorder{next: w.fido, form: string(tt.made)}
		w.PKI.Script(w.fido.URL(), &record)
		b, a := w.approved(t, pkitest.FidoScript{})
		if rec := b.status(a); rec.Code < 400 || w.log.reason() != signin.Reason(tt.reason) {
			t.Errorf("%s for %s: got %d %s, reason %s, want %s", tt.made, tt.asked, rec.Code, rec.Body, w.log.reason(), tt.reason)
		}
	}
}
