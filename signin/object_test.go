package signin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// readFinish reads a body as serveFinish does.
func readFinish(text string) (*finishBody, error) {
	var body finishBody
	r := &objectReader{data: []byte(text)}
	if err := errors.Join(body.read(r), r.end()); err != nil {
		return nil, err
	}
	return &body, nil
}

const goodBody = `{"challenge":"c","answer":{"func":"sign","ret_code":0,"last_error":-1,"signature":"c2ln","certb64":null,` +
	`"version":"1.3","slots":[{"name":"測試","n":[1,2.5e3,null,true]},[]]}}`

func TestFinishBody(t *testing.T) {
	members := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"m%d":%d,`, i, i)
		}
		return b.String()
	}
	for _, tt := range []struct {
		name, old, new string
		want           bool
	}{
		{"as it is", "", "", true},
		{"spaces", ":", " : \t\r\n", true},
		{"escapes", `"sign"`, `"\u0073ign"`, true},
		{"escaped slash", `"c2ln"`, `"c2\/n"`, true},
		{"escaped quote", `"1.3"`, `"1.\"3\\"`, true},
		{"no last_error", `"last_error":-1,`, "", true},
		{"empty unknown object", `"1.3"`, `{}`, true},
		{"sixty members more", `"func"`, members(50) + `"func"`, true},
		{"too many members", `"func"`, members(60) + `"func"`, false},
		{"member twice", `"func"`, `"ret_code":0,"func"`, false},
		{"member twice, escaped", `"func"`, `"ret\u005fcode":5,"func"`, false},
		{"unknown member twice", `"func"`, `"a":1,"a":1,"func"`, false},
		{"other spelling alone", `"ret_code"`, `"RET_CODE"`, false},
		{"no ret_code", `"ret_code":0,`, "", false},
		{"ret_code null", `"ret_code":0`, `"ret_code":null`, false},
		{"ret_code text", `"ret_code":0`, `"ret_code":"0"`, false},
		{"ret_code object", `"ret_code":0`, `"ret_code":{}`, false},
		{"ret_code not JSON", `"ret_code":0`, `"ret_code":00`, false},
		{"signature number", `"c2ln"`, `5`, false},
		{"answer text", `{"func"`, `"{"func"`, false},
		{"trailing comma", `]]}}`, `]],}}`, false},
		{"no comma", `"sign",`, `"sign"`, false},
		{"no colon", `"func":`, `"func"`, false},
		{"cut short", `]]}}`, `]]}`, false},
		{"two values", `]]}}`, `]]}}{}`, false},
		{"zero byte behind", `]]}}`, "]]}}\x00", false},
		{"string without an end", `]]}}`, `]],"x":"`, false},
		{"escape without an end", `]]}}`, `]],"x":"\`, false},
		{"control character", `"1.3"`, "\"1\n3\"", false},
		{"not UTF-8", `"1.3"`, "\"\xff\"", false},
		{"not UTF-8, escaped", `"1.3"`, "\"\\n\xff\"", false},
		{"wrong escape", `"1.3"`, `"\x"`, false},
		{"unknown literal", `"1.3"`, `nil`, false},
		{"broken unknown object", `"1.3"`, `{"a"}`, false},
		{"nothing", goodBody, "", false},
		{"null", goodBody, "null", false},
		{"array", goodBody, "[]", false},
	} {
		text := strings.Replace(goodBody, tt.old, tt.new, 1)
		if tt.name == "spaces" {
			text = strings.ReplaceAll(goodBody, tt.old, tt.new)
		}
		body, err := readFinish(text)
		if (err == nil) != tt.want {
			t.Errorf("%s: got %v, want accepted %v: %s", tt.name, err, tt.want, text)
		}
		if err == nil && (body.answer.Func != "sign" || body.answer.ReturnCode != 0 || body.challenge != "c") {
			t.Errorf("%s: got %+v", tt.name, body.answer)
		}
	}
}

// What is read is what encoding/json reads, and nothing is read that it refuses.
func FuzzFinishBody(f *testing.F) {
	for _, seed := range []string{goodBody, `{}`, `{"answer":{"ret_code":4294967295}}`, `{"challenge":"\ud800","answer":null}`, `{"a":[[[[]]]],"b":{"c":"}"}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readFinish(text)
		if err != nil {
			return
		}
		var want struct {
			Challenge string
			Answer    *struct {
				Func       string
				ReturnCode ReturnCode `json:"ret_code"`
				LastError  ReturnCode `json:"last_error"`
				Signature  string
				CertB64    string
			}
		}
		members := make(map[string]json.RawMessage)
		if err := json.Unmarshal([]byte(text), &members); err != nil {
			t.Fatalf("accepted what is not JSON: %v", err)
		}
		for name := range members { // of its several spellings of a name, the exact one
			if name != "challenge" && name != "answer" {
				delete(members, name)
			}
		}
		answer := make(map[string]json.RawMessage)
		json.Unmarshal(members["answer"], &answer)
		for name := range answer {
			switch name {
			case "func", "ret_code", "last_error", "signature", "certb64":
			default:
				delete(answer, name)
			}
		}
		if got.answer != nil {
			members["answer"], _ = json.Marshal(answer)
		}
		exact, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(exact, &want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if got.challenge != want.Challenge || (got.answer == nil) != (want.Answer == nil) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		if a, w := got.answer, want.Answer; a != nil &&
			(a.Func != w.Func || a.ReturnCode != w.ReturnCode || a.LastError != w.LastError || a.Signature != w.Signature || a.Certificate != w.CertB64) {
			t.Errorf("got %+v, want %+v", a, w)
		}
	})
}

// A control character is found wherever it stands, and nothing else is taken for one.
func TestHasControl(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				for _, around := range []byte{' ', 'a', 0x7f, 0x80, 0xff} {
					text := bytes.Repeat([]byte{around}, length)
					text[at] = byte(c)
					if got := hasControl(text); got != (c < ' ') {
						t.Fatalf("%q: got %v", text, got)
					}
				}
			}
		}
	}
}
