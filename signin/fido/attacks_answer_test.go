package fido_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/verify"
)

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
