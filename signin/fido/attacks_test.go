package fido_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
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
		{"L02 race", attackRace},
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
