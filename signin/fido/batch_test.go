package fido_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/verify"
)

func isWang(w *world) func(verify.Identity) bool {
	return func(id verify.Identity) bool { return id.SerialNumber == w.wang.Card.Person.Number }
}

func documents(n int) [][]byte {
	set := make([][]byte, n)
	for i := range set {
		set[i] = fmt.Appendf(nil, "測試文件 %d", i)
	}
	return set
}

// batch has wang sign a set, and returns MOI's answer.
func (w *world) batch(t *testing.T, form fido.SignatureForm, set [][]byte, s pkitest.FidoScript) *fido.Answer {
	t.Helper()
	ticket, err := w.client.BatchTicket(t.Context(), fido.Request{IDNumber: wangID, Mode: fido.ModeQR, Hint: "連續簽章", Form: form}, set)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.client.Result(t.Context(), ticket)
	wantClass(t, err, fido.ClassPending)
	if err := w.wang.Approve(ticket.Text); err != nil {
		t.Fatal(err)
	}
	s.Call = resultCall
	w.fido.Script(s)
	a, err := w.client.Result(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestBatch(t *testing.T) {
	w := newWorld(t)
	for _, form := range []fido.SignatureForm{fido.PKCS1, fido.PKCS7, fido.Raw} {
		set := documents(fido.MaxDocuments)
		items, err := fido.VerifyBatch(t.Context(), w.verifier(t, verify.Custom), set, w.batch(t, form, set, pkitest.FidoScript{}), isWang(w))
		if err != nil || len(items) != len(set) {
			t.Fatalf("%s: got %d items, %v", form, len(items), err)
		}
		for i, item := range items {
			if item.Err != nil || !isWang(w)(item.Result.Signers[0].Identity) {
				t.Errorf("%s: element %d: %v", form, i, item.Err)
			}
		}
	}
	for _, set := range [][][]byte{nil, documents(fido.MaxDocuments + 1), {make([]byte, 769)}, {nil}} {
		_, err := w.client.BatchTicket(t.Context(), fido.Request{IDNumber: wangID, Mode: fido.ModeQR, Hint: "連續簽章"}, set)
		wantClass(t, err, fido.ClassRequest)
	}
}

func attackBatchRearranged(t *testing.T) {
	w := newWorld(t)
	set := documents(3)
	change := func(change func([]any) []any) pkitest.FidoScript {
		return pkitest.FidoScript{Tamper: func(r map[string]any) {
			r["signed_response_set"] = change(slices.Clone(r["signed_response_set"].([]any)))
		}}
	}
	for name, tt := range map[string]struct {
		script pkitest.FidoScript
		bad    []int // elements that fail; nil if the whole does
	}{
		"reordered": {change(func(s []any) []any { s[0], s[1] = s[1], s[0]; return s }), []int{0, 1}},
		"repeated":  {change(func(s []any) []any { s[2] = s[1]; return s }), []int{2}},
		"missing":   {change(func(s []any) []any { return s[:2] }), nil},
		"added":     {change(func(s []any) []any { return append(s, s[0]) }), nil},
	} {
		items, err := fido.VerifyBatch(t.Context(), w.verifier(t, verify.Custom), set, w.batch(t, fido.PKCS1, set, tt.script), isWang(w))
		if err == nil || (items == nil) != (tt.bad == nil) {
			t.Errorf("%s: got %d items, %v", name, len(items), err)
		}
		for i, item := range items {
			if bad := slices.Contains(tt.bad, i); (item.Err != nil) != bad || (item.Result == nil) != bad {
				t.Errorf("%s: element %d: got %v, want failure %v", name, i, item.Err, bad)
			}
		}
		w.fido.Script(pkitest.FidoScript{})
	}
}

// Nothing of a batch is under the checksum, so all of it can be another citizen's.
func attackBatchReplaced(t *testing.T) {
	w := newWorld(t)
	set := documents(2)
	a := w.batch(t, fido.PKCS1, set, pkitest.FidoScript{Tamper: func(r map[string]any) {
		var signatures []any
		for _, data := range set {
			signature, err := w.lin.Card.SignPKCS1(data)
			if err != nil {
				t.Fatal(err)
			}
			signatures = append(signatures, encode(signature))
		}
		r["signed_response_set"], r["cert"] = signatures, encode(w.lin.Card.Cert.Raw)
	}})
	items, err := fido.VerifyBatch(t.Context(), w.verifier(t, verify.Custom), set, a, isWang(w))
	if err == nil {
		t.Error("accepted")
	}
	for _, item := range items {
		wantClass(t, item.Err, fido.ClassWrongPerson)
	}
	_, err = fido.VerifyBatch(t.Context(), w.verifier(t, verify.Custom), set, a, nil)
	wantClass(t, err, fido.ClassRequest)
}
