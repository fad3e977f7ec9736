package signin_test

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
)

const (
	challenge = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	digest    = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
)

// vectors are those of the package comment, and the line at its longest.
func vectors() map[string]signin.Line {
	l := signin.Line{
		Purpose: signin.SignIn,
		Host:    "tax.example.gov.tw",
		Service: "efiling",
		Expiry:  time.Unix(1767225600, 0).UTC(),
	}
	for i := range l.Challenge {
		l.Challenge[i] = byte(i)
	}
	dev := l
	dev.Host = "localhost:8080"
	consent := l
	consent.Purpose, consent.Host = signin.Consent, "tax.example.gov.tw:8443"
	for i := range consent.Digest {
		consent.Digest[i] = byte(32 + i)
	}
	long := consent
	long.Purpose = signin.File
	long.Host = strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("a", 61) + ":65535"
	long.Service = strings.Repeat("s", 64)
	long.Expiry = time.Unix(253402300799, 0).UTC()
	return map[string]signin.Line{
		"citizencert:1/signin/tax.example.gov.tw/efiling/1767225600/" + challenge:                            l,
		"citizencert:1/dev-signin/localhost:8080/efiling/1767225600/" + challenge:                            dev,
		"citizencert:1/consent/tax.example.gov.tw:8443/efiling/1767225600/" + challenge + "/" + digest:       consent,
		"citizencert:1/file/" + long.Host + "/" + long.Service + "/253402300799/" + challenge + "/" + digest: long,
	}
}

func TestLineVectors(t *testing.T) {
	for text, line := range vectors() {
		if got, err := line.Encode(); err != nil || got != text {
			t.Errorf("encoding: got %s, %v, want %s", got, err, text)
		}
		if got, err := signin.ParseLine(text); err != nil || got != line {
			t.Errorf("parsing %s: got %+v, %v, want %+v", text, got, err, line)
		}
		if len(text) > signin.MaxLine {
			t.Errorf("line of %d bytes, want at most %d", len(text), signin.MaxLine)
		}
	}
}

// Every part in the spellings that are refused, each beside one that passes.
func TestLineParts(t *testing.T) {
	const ok = true
	for _, tt := range []struct {
		part, value string
		want        bool
	}{
		{"version", "citizencert:1", ok}, {"version", "citizencert:2", !ok}, {"version", "Citizencert:1", !ok},
		{"version", " citizencert:1", !ok}, {"version", "", !ok}, {"version", "\ufeffcitizencert:1", !ok},

		{"purpose", "signin", ok}, {"purpose", "Signin", !ok}, {"purpose", "dev-signin", !ok}, {"purpose", "login", !ok},
		{"purpose", "", !ok}, {"purpose", "consent", !ok}, {"purpose", "file", !ok},

		{"host", "tax.example.gov.tw", ok}, {"host", "Tax.example.gov.tw", !ok}, {"host", "tax.example.gov.tw.", !ok},
		{"host", "tax.example.gov.tw:443", !ok}, {"host", "tax.example.gov.tw:444", ok}, {"host", "tax.example.gov.tw:0444", !ok},
		{"host", "tax.example.gov.tw:", !ok}, {"host", "tax.example.gov.tw:0", !ok}, {"host", "tax.example.gov.tw:65535", ok},
		{"host", "tax.example.gov.tw:65536", !ok}, {"host", "tax.example.gov.tw:+44", !ok},
		{"host", "tax.example.gov.tw@evil.example", !ok}, {"host", "稅.tw", !ok}, {"host", "xn--kprw13d.tw", ok},
		{"host", "", !ok}, {"host", "null", ok}, {"host", "a..tw", !ok}, {"host", "-a.tw", !ok}, {"host", "a-.tw", !ok},
		{"host", "a-a.tw", ok}, {"host", "a_a.tw", !ok}, {"host", "192.0.2.1", ok}, {"host", "192.0.2.01", !ok},
		{"host", "192.0.2", !ok}, {"host", "127.1", !ok}, {"host", "a.0x7f", !ok}, {"host", "a.7f", ok}, {"host", "[2001:db8::1]", !ok},
		{"host", "localhost", !ok}, {"host", "127.0.0.2", !ok}, {"host", "x.localhost:81", !ok}, {"host", "notlocalhost", ok},

		{"service", "efiling", ok}, {"service", "e-filing_2.0", ok}, {"service", "", !ok}, {"service", "E", !ok}, {"service", "a b", !ok},
		{"service", "-a", !ok}, {"service", strings.Repeat("s", 64), ok}, {"service", strings.Repeat("s", 65), !ok}, {"service", "稅", !ok},

		{"expiry", "1", ok}, {"expiry", "0", !ok}, {"expiry", "-1", !ok}, {"expiry", "01", !ok}, {"expiry", "+1", !ok}, {"expiry", "1.0", !ok},
		{"expiry", "", !ok}, {"expiry", "253402300799", ok}, {"expiry", "253402300800", !ok}, {"expiry", "9223372036854775808", !ok},

		{"challenge", challenge, ok}, {"challenge", challenge[:42], !ok}, {"challenge", challenge + "A", !ok},
		{"challenge", challenge[:42] + "9", !ok}, {"challenge", challenge[:42] + "=", !ok}, {"challenge", strings.Repeat("A", 43), !ok},
		{"challenge", challenge[:41] + "\n8", !ok}, {"challenge", "+" + challenge[1:], !ok}, {"challenge", "-" + challenge[1:], ok},

		{"end", "", ok}, {"end", "/", !ok}, {"end", "/" + digest, !ok}, {"end", "\n", !ok}, {"end", strings.Repeat(" ", 1024), !ok},
	} {
		parts := map[string]string{"version": "citizencert:1", "purpose": "signin", "host": "tax.example.gov.tw",
			"service": "efiling", "expiry": "1767225600", "challenge": challenge, "end": ""}
		parts[tt.part] = tt.value
		text := strings.Join([]string{parts["version"], parts["purpose"], parts["host"], parts["service"], parts["expiry"], parts["challenge"]}, "/") + parts["end"]
		if _, err := signin.ParseLine(text); (err == nil) != tt.want {
			t.Errorf("%s %.80q: got error %v, want accepted %v", tt.part, tt.value, err, tt.want)
		}
	}
}

func TestLineDigest(t *testing.T) {
	consent := "citizencert:1/consent/tax.example.gov.tw/efiling/1767225600/" + challenge
	for end, want := range map[string]bool{
		"/" + digest:                  true,
		"":                            false,
		"/":                           false,
		"/" + digest[:63]:             false,
		"/" + digest + "0":            false,
		"/" + digest + "/":            false,
		"/" + digest + "/" + digest:   false,
		"/" + strings.ToUpper(digest): false,
		"/" + strings.Repeat("0", 64): false,
		"/" + digest[:62] + "zz":      false,
	} {
		if _, err := signin.ParseLine(consent + end); (err == nil) != want {
			t.Errorf("%q: got error %v, want accepted %v", end, err, want)
		}
	}
}

// A part that the caller forgot is not written as zero.
func TestLineZero(t *testing.T) {
	for text, line := range vectors() {
		for name, forget := range map[string]func(*signin.Line){
			"purpose":   func(l *signin.Line) { l.Purpose = "" },
			"host":      func(l *signin.Line) { l.Host = "" },
			"service":   func(l *signin.Line) { l.Service = "" },
			"expiry":    func(l *signin.Line) { l.Expiry = time.Time{} },
			"challenge": func(l *signin.Line) { clear(l.Challenge[:]) },
			"digest": func(l *signin.Line) {
				if l.Purpose == signin.SignIn {
					l.Digest[0] = 1 // which a sign-in does not have
				} else {
					clear(l.Digest[:])
				}
			},
		} {
			l := line
			forget(&l)
			if got, err := l.Encode(); err == nil {
				t.Errorf("%s without %s: got %s, want an error", text, name, got)
			}
		}
	}
}

// encodeURIComponent is ECMA-262, Section 19.2.6.4, for ASCII.
func encodeURIComponent(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < 0x80 && strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// A line comes through what pages and components do to a text: there is nothing in
// it that an encoding changes and a decoder, right or sloppy, does not change back.
func TestLineSurvives(t *testing.T) {
	form := func(body string) (string, error) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r.FormValue("tbs"), nil
	}
	for text := range vectors() {
		inJSON, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		for name, decode := range map[string]func() (string, error){
			"encodeURIComponent":        func() (string, error) { return url.PathUnescape(encodeURIComponent(text)) },
			"encodeURIComponent, query": func() (string, error) { return url.QueryUnescape(encodeURIComponent(text)) },
			"decoded twice": func() (string, error) {
				once, err := url.QueryUnescape(encodeURIComponent(text))
				if err != nil {
					return "", err
				}
				return url.QueryUnescape(once)
			},
			"not encoded, but decoded":  func() (string, error) { return url.QueryUnescape(text) },
			"form":                      func() (string, error) { return form(url.Values{"tbs": {text}}.Encode()) },
			"form that was not encoded": func() (string, error) { return form("tbs=" + text) },
			"JSON": func() (got string, err error) {
				err = json.Unmarshal(inJSON, &got)
				return got, err
			},
			"JSON without an escape": func() (string, error) { return strings.Trim(string(inJSON), `"`), nil },
			"JSON in a form": func() (string, error) {
				in, _ := form(url.Values{"tbs": {string(inJSON)}}.Encode())
				var got string
				err := json.Unmarshal([]byte(in), &got)
				return got, err
			},
			"HTML":           func() (string, error) { return template.HTMLEscapeString(text), nil },
			"spaces trimmed": func() (string, error) { return strings.Join(strings.Fields(text), ""), nil },
		} {
			if got, err := decode(); err != nil || got != text {
				t.Errorf("%s: got %s, %v, want %s", name, got, err, text)
			}
		}
	}
}

// What parses is written in the one way there is, and means the same again.
func FuzzParseLine(f *testing.F) {
	for text := range vectors() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line, err := signin.ParseLine(text)
		if err != nil {
			if line != (signin.Line{}) {
				t.Error("got a line along with an error")
			}
			return
		}
		again, err := line.Encode()
		if err != nil || again != text {
			t.Errorf("got %q, %v, want %q", again, err, text)
		}
		for _, c := range []byte(text) {
			if c <= ' ' || c > '~' {
				t.Errorf("%q is not printable ASCII", text)
			}
		}
	})
}

// The vectors that other implementations read as well.
func TestLineFile(t *testing.T) {
	data, err := os.ReadFile("../testdata/lines.txt")
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int)
	for row := range strings.Lines(string(data)) {
		row = strings.TrimSuffix(row, "\n")
		if strings.HasPrefix(row, "#") {
			continue
		}
		verdict, text, _ := strings.Cut(row, " ")
		counts[verdict]++
		line, err := signin.ParseLine(text)
		if (err == nil) != (verdict == "ok") {
			t.Errorf("%q: got error %v, want %s", text, err, verdict)
		}
		if err == nil {
			if again, err := line.Encode(); again != text {
				t.Errorf("got %q (%v), want %q back", again, err, text)
			}
		}
	}
	if counts["ok"] == 0 || counts["refused"] == 0 || len(counts) != 2 {
		t.Errorf("got %v, want lines of both verdicts", counts)
	}
}
