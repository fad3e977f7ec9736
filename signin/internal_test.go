package signin

import (
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// Claims are read only as they are written.
func FuzzParseClaims(f *testing.F) {
	s := &Session{Subject: "s", ID: "i", Certificate: "c", Assurance: AssuranceCard, Environment: verify.Test}
	seed, err := json.Marshal(s.claims("https://tax.example.gov.tw", "efiling"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"iss":"a","iss":"b"}`))
	f.Add([]byte(`{"iat":1e9}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := parseClaims(payload)
		if err != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil || string(again) != string(payload) {
			t.Errorf("got %s, %v, want %s", again, err, payload)
		}
	})
}

// However many clients there are, a bounded number is remembered, and those that
// ask most lately stay among them.
func TestLimiterBound(t *testing.T) {
	l := limiter{perMinute: 2}
	now := time.Unix(1767225600, 0)
	for i := range MaxClients + 1000 {
		if wait := l.allow(strconv.Itoa(i), now.Add(time.Duration(i))); wait != 0 {
			t.Fatalf("client %d has to wait %v", i, wait)
		}
	}
	if got := len(l.clients.entries); got != MaxClients || len(l.clients.queue) != MaxClients {
		t.Errorf("got %d clients, want %d", got, MaxClients)
	}
	last := strconv.Itoa(MaxClients + 999)
	l.allow(last, now.Add(time.Second))
	if l.allow(last, now.Add(time.Second)) == 0 {
		t.Error("a client was forgotten")
	}
	l.allow("after", now.Add(2*time.Minute))
	if got := len(l.clients.entries); got != 1 {
		t.Errorf("got %d clients after their time, want 1", got)
	}
}

// A challenge is made of random bytes and nothing else of chance: with the bytes
// of the package comment it has the line of the package comment.
func TestChallengeVector(t *testing.T) {
	issued := time.Unix(1767225600, 0).Add(-ChallengeLife)
	o := origin{url: "https://tax.example.gov.tw", host: "tax.example.gov.tw", secure: true}
	a := &Authenticator{
		origins:    map[string]origin{o.host: o},
		service:    "efiling",
		challenges: &MemoryStore{},
		now:        func() time.Time { return issued },
		random: func(p []byte) {
			for i := range p {
				p[i] = byte(i)
			}
		},
	}
	r := httptest.NewRequest("POST", "/challenge", nil)
	r.Host = o.host
	got, err := a.Begin(httptest.NewRecorder(), r, PKCS7)
	if err != nil {
		t.Fatal(err)
	}
	want := Challenge{
		ID:     "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		Expiry: time.Unix(1767225600, 0).UTC(),
		Request: ComponentRequest{
			Func:          "MakeSignature",
			SignatureType: "PKCS7",
			TBS:           "citizencert:1/signin/tax.example.gov.tw/efiling/1767225600/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
			TBSEncoding:   "NONE",
			HashAlgorithm: "SHA256",
			WithCardSN:    "false",
		},
	}
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
}
