package signin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
)

// Each mistake is found by New, and said.
func TestNewRefusals(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		change func(*signin.Config)
		want   string // part of the message; empty if the configuration is good
	}{
		{func(cfg *signin.Config) {}, ""},
		{func(cfg *signin.Config) { cfg.Verifier = nil }, "Verifier is required"},
		{func(cfg *signin.Config) { cfg.Origins = nil }, "Origins is empty"},
		{func(cfg *signin.Config) { cfg.Origins = []string{""} }, "https://host[:port]"},
		{func(cfg *signin.Config) { cfg.Origins = []string{taxHost} }, "https://host[:port]"},
		{func(cfg *signin.Config) { cfg.Origins = []string{"ftp://" + taxHost} }, "https://host[:port]"},
		{func(cfg *signin.Config) { cfg.Origins = []string{"http://" + taxHost} }, "not https"},
		{func(cfg *signin.Config) { cfg.Origins = []string{taxOrigin + "/"} }, "lower-case ASCII"},
		{func(cfg *signin.Config) { cfg.Origins = []string{taxOrigin + "/login"} }, "lower-case ASCII"},
		{func(cfg *signin.Config) { cfg.Origins = []string{"https://user@" + taxHost} }, "lower-case ASCII"},
		{func(cfg *signin.Config) { cfg.Origins = []string{"https://Tax.example.gov.tw"} }, "lower-case ASCII"},
		{func(cfg *signin.Config) { cfg.Origins = []string{"https://*.gov.tw"} }, "lower-case ASCII"},
		{func(cfg *signin.Config) { cfg.Origins = []string{taxOrigin + ":443"} }, "leave out port 443"},
		{func(cfg *signin.Config) { cfg.Origins = []string{taxOrigin + ":8443", taxOrigin} }, ""},
		{func(cfg *signin.Config) { cfg.Origins = []string{taxOrigin, taxOrigin} }, "two entries"},
		{func(cfg *signin.Config) { cfg.Origins = []string{"http://localhost:80"} }, "leave out port 80"},
		{func(cfg *signin.Config) { cfg.Origins = []string{"http://localhost"} }, ""},
		{func(cfg *signin.Config) { cfg.Origins = []string{"http://localhost", "https://localhost"} }, "two entries"},
		{func(cfg *signin.Config) { cfg.Service = "" }, "Service"},
		{func(cfg *signin.Config) { cfg.Service = "e/filing" }, "Service"},
		{func(cfg *signin.Config) { cfg.Service = "報稅" }, "Service"},
		{func(cfg *signin.Config) { cfg.PairwiseKey = nil }, "0 bytes, want at least 32"},
		{func(cfg *signin.Config) { cfg.PairwiseKey = make([]byte, 31) }, "31 bytes, want at least 32"},
		{func(cfg *signin.Config) { cfg.PairwiseKey = make([]byte, 33) }, ""},
		{func(cfg *signin.Config) { cfg.Key = nil }, "Key is required"},
		{func(cfg *signin.Config) { cfg.SessionLife = -1 }, "SessionLife"},
		{func(cfg *signin.Config) { cfg.SessionLife = signin.MaxSessionLife }, ""},
		{func(cfg *signin.Config) { cfg.SessionLife = signin.MaxSessionLife + time.Second }, "SessionLife"},
		{func(cfg *signin.Config) { cfg.SessionLife = 1500 * time.Millisecond }, "SessionLife"},
		{func(cfg *signin.Config) { cfg.SessionLife = time.Minute }, ""},
		{func(cfg *signin.Config) { cfg.IdleLife = signin.MaxIdleLife }, ""},
		{func(cfg *signin.Config) { cfg.IdleLife = signin.MaxIdleLife + time.Second }, "IdleLife"},
		{func(cfg *signin.Config) { cfg.IdleLife = time.Minute }, ""},
		{func(cfg *signin.Config) { cfg.IdleLife, cfg.SessionLife = 61*time.Second, time.Minute }, "IdleLife"},
		{func(cfg *signin.Config) { cfg.TokenLife = signin.MaxTokenLife }, ""},
		{func(cfg *signin.Config) { cfg.TokenLife = signin.MaxTokenLife + time.Second }, "TokenLife"},
		{func(cfg *signin.Config) { cfg.TokenLife, cfg.IdleLife = time.Minute, time.Minute }, ""},
		{func(cfg *signin.Config) { cfg.TokenLife, cfg.IdleLife = 61*time.Second, time.Minute }, "TokenLife"},
		{func(cfg *signin.Config) { cfg.TokenLife, cfg.SessionLife = 61*time.Second, time.Minute }, "TokenLife"},
		{func(cfg *signin.Config) { cfg.ChallengesPerMinute = -1 }, "ChallengesPerMinute"},
		{func(cfg *signin.Config) { cfg.ChallengesPerMinute = 1 }, ""},
		{func(cfg *signin.Config) { cfg.LoginPath = "/login" }, ""},
		{func(cfg *signin.Config) { cfg.LoginPath = "login" }, "LoginPath"},
		{func(cfg *signin.Config) { cfg.LoginPath = "https://evil.example" }, "LoginPath"},
		{func(cfg *signin.Config) { cfg.LoginPath = "//evil.example" }, "LoginPath"},
		{func(cfg *signin.Config) { cfg.LoginPath = `/\evil.example` }, "LoginPath"},
		{func(cfg *signin.Config) { cfg.Logger, cfg.Now = nil, nil }, ""},
	} {
		cfg := w.cfg
		tt.change(&cfg)
		auth, err := signin.New(cfg)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("got error %v, want none", err)
		case tt.want != "" && (err == nil || auth != nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("got error %v, want one about %q", err, tt.want)
		}
	}
}

// The configuration is the caller's: changing it later changes nothing.
func TestNewCopies(t *testing.T) {
	w := newWorld(t)
	var before, after []string
	cfg := w.cfg
	cfg.OnSignIn = recordSubject(&before)
	_, site := w.newSite(t, cfg)
	b := w.browser(t)
	b.site = site
	b.signIn(w.card)
	clear(cfg.PairwiseKey)
	cfg.Origins[0] = "https://evil.example"
	b.signIn(w.card)
	if after = before[1:]; before[0] != after[0] {
		t.Error("the subject changed with the caller's slice")
	}
}
