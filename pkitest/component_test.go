package pkitest_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
)

// A reply is what the component answers.
type reply struct {
	Func        string `json:"func"`
	ReturnCode  int64  `json:"ret_code"`
	LastError   int64  `json:"last_error"`
	Signature   string `json:"signature"`
	Certificate string `json:"certb64"`
	CardSN      string `json:"cardSN"`
	Version     string `json:"version"`
}

func startComponent(t *testing.T, cfg pkitest.ComponentConfig) (*pkitest.Component, *pkitest.Card) {
	t.Helper()
	pki, _ := newPKI(t)
	card, err := pki.G3.IssueCard(pkitest.Person{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Cards = []pkitest.ReaderCard{{Card: card}}
	c, err := pkitest.StartComponent(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, card
}

// send posts a body to /sign as the component's window does.
func send(t *testing.T, c *pkitest.Component, query, body string) reply {
	t.Helper()
	resp, err := http.Post(c.Origin+"/sign?"+query, "application/x-www-form-urlencoded", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var r reply
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

const goodRequest = `tbsPackage={"func":"MakeSignature","signatureType":"PKCS1","tbs":"text","tbsEncoding":"NONE",` +
	`"hashAlgorithm":"SHA256","pin":"123456","withCardSN":"false"}`

func TestComponentAnswers(t *testing.T) {
	c, card := startComponent(t, pkitest.ComponentConfig{})
	change := func(from, to string) string { return strings.Replace(goodRequest, from, to, 1) }
	for name, test := range map[string]struct {
		query, body string
		want        int64
	}{
		"signs":            {"card=0", goodRequest, 0},
		"first card":       {"", goodRequest, 0},
		"PKCS7":            {"", change("PKCS1", "PKCS7"), 0},
		"no card":          {"card=none", goodRequest, 0x76000006},
		"no such card":     {"card=9", goodRequest, 0x76000006},
		"no request":       {"", "", 0x7600000B},
		"no PIN":           {"", change("123456", ""), 0x76000998},
		"signature type":   {"", change("PKCS1", "RAW"), 0x7600000C},
		"weak hash":        {"", change("SHA256", "SHA1"), 0x7600000C},
		"unknown encoding": {"", change("NONE", "hex"), 0x7600000C},
		"not base64":       {"", change(`"text","tbsEncoding":"NONE"`, `"%26","tbsEncoding":"base64"`), 0x7600000C},
	} {
		t.Run(name, func(t *testing.T) {
			r := send(t, c, test.query, test.body)
			if r.Func != "sign" || r.ReturnCode != test.want || (r.Signature != "") != (test.want == 0) || r.Version != pkitest.ComponentVersion {
				t.Errorf("got %+v, want return code %#x", r, test.want)
			}
			if test.want == 0 && r.Certificate != base64.StdEncoding.EncodeToString(card.Cert.Raw) {
				t.Error("the certificate is not the card's")
			}
		})
	}
}

// What a page does not escape is lost in the form data: '+' becomes a blank.
func TestComponentEncodingTrap(t *testing.T) {
	c, _ := startComponent(t, pkitest.ComponentConfig{})
	request := strings.Replace(goodRequest, `"text","tbsEncoding":"NONE"`, `"++++","tbsEncoding":"base64"`, 1)
	if r := send(t, c, "", request); r.ReturnCode != 0x7600000C {
		t.Errorf("with +: got %#x, want a parameter error", r.ReturnCode)
	}
	if r := send(t, c, "", strings.ReplaceAll(request, "+", "%2B")); r.ReturnCode != 0 {
		t.Errorf("with %%2B: got %#x, want success", r.ReturnCode)
	}
}

// Three wrong PINs in a row lock the card; a right one in between does not count
// them on.
func TestComponentPIN(t *testing.T) {
	c, _ := startComponent(t, pkitest.ComponentConfig{})
	try := func(pin string, ret, last int64) {
		t.Helper()
		r := send(t, c, "", strings.Replace(goodRequest, "123456", pin, 1))
		if r.ReturnCode != ret || r.LastError != last {
			t.Errorf("PIN %q: got %#x, %d; want %#x, %d", pin, r.ReturnCode, r.LastError, ret, last)
		}
	}
	try("654321", 0x76100006, -2147483646)
	try("12345", 0x76100006, 0xA2)
	try("123456", 0, 0)
	try("654321", 0x76100006, -2147483646)
	try("654321", 0x76100006, -2147483647)
	try("654321", 0x76100006, 0xA4)
	try("123456", 0x76100006, 0xA4)
	c.Unlock()
	try("123456", 0, 0)
}

func TestComponentScript(t *testing.T) {
	c, _ := startComponent(t, pkitest.ComponentConfig{Trusted: []string{"https://tax.example"}})
	from := func(origin string) string { return url.Values{"origin": {origin}}.Encode() }
	if r := send(t, c, from("https://elsewhere.example"), goodRequest); r.ReturnCode != 0x7600000F {
		t.Errorf("from a site that is not trusted: got %#x", r.ReturnCode)
	}
	if r := send(t, c, from("https://tax.example"), goodRequest); r.ReturnCode != 0 {
		t.Errorf("from a trusted site: got %#x", r.ReturnCode)
	}
	c.Trust()
	if r := send(t, c, from("https://tax.example"), goodRequest); r.ReturnCode != 0x7600000F {
		t.Errorf("from a site that is no longer trusted: got %#x", r.ReturnCode)
	}
	c.Trust("https://tax.example")
	c.Script(pkitest.Behaviour{ReturnCode: -2113928959, LastError: -1, Version: "0.9"})
	if r := send(t, c, from("https://tax.example"), goodRequest); r.ReturnCode != -2113928959 || r.LastError != -1 || r.Version != "0.9" || r.Signature != "" {
		t.Errorf("scripted: got %+v", r)
	}
	if n := c.Asked(); n != 3 {
		t.Errorf("got %d requests that reached the card, want 3", n)
	}
}

// A held answer arrives once the script is changed.
func TestComponentHeldAnswer(t *testing.T) {
	c, _ := startComponent(t, pkitest.ComponentConfig{})
	c.Script(pkitest.Behaviour{HoldAnswer: true})
	answered := make(chan reply)
	go func() { answered <- send(t, c, "", goodRequest) }()
	c.Script(pkitest.Behaviour{})
	if r := <-answered; r.ReturnCode != 0 || r.Signature == "" {
		t.Errorf("got %+v, want a signature", r)
	}
}

func TestComponentInfo(t *testing.T) {
	c, card := startComponent(t, pkitest.ComponentConfig{})
	for query, certificates := range map[string]int{"": 0, "?withcert=true": 3} {
		body := get(t, c.Origin+"/pkcs11info"+query)
		var info struct {
			Func    string `json:"func"`
			Version string `json:"serverVersion"`
			Slots   []struct {
				Token *struct {
					SerialNumber string `json:"serialNumber"`
					Certs        []struct {
						Certificate string `json:"certb64"`
						Usage       string `json:"usage"`
					} `json:"certs"`
				} `json:"token"`
			} `json:"slots"`
		}
		if err := json.Unmarshal([]byte(body), &info); err != nil {
			t.Fatal(err)
		}
		if info.Func != "pkcs11info" || info.Version != pkitest.ComponentVersion || len(info.Slots) != 2 || info.Slots[1].Token != nil {
			t.Fatalf("got %s", body)
		}
		token := info.Slots[0].Token
		if token.SerialNumber != card.CardNumber || len(token.Certs) != certificates {
			t.Errorf("%q: got card %q with %d certificates, want %q with %d", query, token.SerialNumber, len(token.Certs), card.CardNumber, certificates)
		}
	}
}

// A page of any site can open the component's window, and none can use it
// without.
func TestComponentRefusesOtherPages(t *testing.T) {
	c, card := startComponent(t, pkitest.ComponentConfig{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.Origin+"/sign", strings.NewReader(goodRequest))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "https://elsewhere.example")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("got status %d, want 403", resp.StatusCode)
	}
	for _, path := range []string{"/popupForm", "/ChtPopupForm"} {
		if body := get(t, c.Origin+path); !strings.Contains(body, card.Person.Name) {
			t.Errorf("%s does not offer the card", path)
		}
	}
}

func get(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
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
