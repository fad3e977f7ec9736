package signin_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// TestAttacks names each attack by its number in the project's list of attacks.
func TestAttacks(t *testing.T) {
	for _, attack := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"L01 replay", attackReplay},
		{"L02 race", attackRace},
		{"L03 other origin", attackOtherOrigin},
		{"L04 relayed text", attackRelayedText},
		{"L05 constant text", attackConstantText},
		{"L06 other browser", attackOtherBrowser},
		{"L07 login CSRF", attackLoginCSRF},
		{"L08 expired challenge", attackExpired},
		{"L09 other purpose", attackOtherPurpose},
		{"L09 other consent", attackConsent},
		{"L10 other certificate", attackOtherCertificate},
		{"L11 edited answer", attackEditedAnswer},
		{"L12 failed component", attackFailedComponent},
		{"L13 fixation", attackFixation},
		{"L15 environments", attackEnvironments},
		{"L16 revoked during session", attackRevokedDuringSession},
		{"L16 revoked on a list", attackRevokedOnList},
		{"L17 many challenges", attackManyChallenges},
		{"S02 signed attributes for a line", attackAttributesAsLine},
		{"T01 ended session", attackEndedSession},
		{"T02 other audience", attackOtherAudience},
		{"T03 alg none", attackAlgNone},
		{"T04 alg confusion", attackAlgConfusion},
		{"T05 kid", attackKeyID},
		{"T06 header members", attackHeaderMembers},
		{"T07 unfit key", attackUnfitKey},
		{"T08 claim names", attackClaimNames},
		{"T09 claims", attackClaims},
		{"T10 serializations", attackSerializations},
		{"T11 respelled token", attackRespelled},
		{"T12 key set", attackKeySet},
	} {
		t.Run(attack.name, attack.run)
	}
}

func recordSubject(subjects *[]string) func(context.Context, *verify.Result, *signin.Session) error {
	return func(_ context.Context, _ *verify.Result, s *signin.Session) error {
		*subjects = append(*subjects, s.Subject)
		return nil
	}
}

func wantVerifyReason(t *testing.T, err error, want verify.Reason) {
	t.Helper()
	var got verify.Reason
	if e, ok := errors.AsType[*verify.Error](err); ok {
		got = e.Reason
	}
	if got != want || (err == nil) != (want == "") {
		t.Errorf("got %v, want reason %q", err, want)
	}
}

func attackEnvironments(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		env     verify.Environment
		origins []string
		want    bool
	}{
		{verify.Production, []string{taxOrigin}, true},
		{verify.Production, []string{"http://localhost:8080"}, false},
		{verify.Production, []string{"https://localhost"}, false},
		{verify.Production, []string{taxOrigin, "https://127.0.0.1:8443"}, false},
		{verify.Test, []string{"http://localhost:8080", "https://tax.localhost"}, true},
		{verify.Test, []string{taxOrigin}, false},
		{verify.Test, []string{"http://localhost:8080", taxOrigin}, false},
		{verify.Test, []string{"https://localhost.example"}, false},
		{verify.Custom, []string{taxOrigin}, true},
		{verify.Custom, []string{"http://127.0.0.1"}, true},
		{verify.Custom, []string{taxOrigin, "http://127.0.0.1"}, false},
	} {
		cfg := w.cfg
		cfg.Verifier, cfg.Origins = w.verifier(t, tt.env), tt.origins
		if _, err := signin.New(cfg); (err == nil) != tt.want {
			t.Errorf("%v at %v: got error %v, want accepted %v", tt.env, tt.origins, err, tt.want)
		}
	}
}

func attackEndedSession(t *testing.T) {
	for name, end := range map[string]func(*world, *browser, *signin.Session) error{
		"logout": func(w *world, b *browser, _ *signin.Session) error {
			b.accepted(b.do("POST", "/signin/logout", nil))
			return nil
		},
		"session": func(w *world, _ *browser, s *signin.Session) error { return w.auth.End(t.Context(), s) },
		"subject": func(w *world, _ *browser, s *signin.Session) error { return w.auth.EndSubject(t.Context(), s.Subject) },
		"certificate": func(w *world, _ *browser, s *signin.Session) error {
			return w.auth.EndCertificate(t.Context(), s.Certificate)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var sessions []*signin.Session
			store := &signin.MemoryStore{}
			w := newWorld(t, func(cfg *signin.Config) {
				cfg.Sessions = store
				cfg.OnSignIn = func(_ context.Context, _ *verify.Result, s *signin.Session) error {
					sessions = append(sessions, s)
					return nil
				}
			})
			store.Now = w.clock.Now
			b, elsewhere, other := w.browser(t), w.browser(t), w.browser(t)
			b.signIn(w.card)
			elsewhere.signIn(w.card)
			other.signIn(w.issue(t, w.G3.IssueCard))
			stolen := w.browser(t)
			stolen.cookies[sessionCookie] = b.cookies[sessionCookie]
			w.clock.Advance(signin.MaxTokenLife / 2)
			if stolen.account() == "" || stolen.cookies[sessionCookie] == b.cookies[sessionCookie] {
				t.Error("a stolen token works, and is renewed, until the session ends: the test steals wrongly")
			}

			if err := end(w, b, sessions[0]); err != nil {
				t.Fatal(err)
			}
			_, second := w.newSite(t, w.cfg)
			for _, site := range []*browser{stolen, {t: t, site: second, host: taxHost, cookies: stolen.cookies}} {
				w.refused(t, site.do("GET", "/account", nil), signin.CodeSession, signin.ReasonSessionEnded)
			}
			if all := name == "subject" || name == "certificate"; (elsewhere.account() == "") != all {
				t.Errorf("the citizen's other session: ended %v, want %v", !all, all)
			}
			if other.account() == "" {
				t.Error("another citizen's session has ended too")
			}
			w.clock.Advance(time.Minute)
			b.signIn(w.card) // the citizen can come back
			if b.account() == "" {
				t.Error("a new session was refused")
			}
		})
	}
}
