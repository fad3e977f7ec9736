package signin_test

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

var bothKinds = []signin.SignatureType{signin.PKCS1, signin.PKCS7}

// L01: an answer that was redeemed is posted again, here, to another server, and
// after a restart.
func attackReplay(t *testing.T) {
	store := &signin.MemoryStore{}
	w := newWorld(t, func(cfg *signin.Config) { cfg.Challenges = store })
	store.Now = w.clock.Now
	b := w.browser(t)
	c := b.begin()
	a := sign(t, w.card, c)
	b.accepted(b.finish(c, a))

	_, second := w.newSite(t, w.cfg)
	restarted := w.cfg
	restarted.Challenges = nil
	_, third := w.newSite(t, restarted)
	for _, site := range []http.Handler{w.site, second, third} {
		b.site = site
		w.refused(t, b.finish(c, a), signin.CodeChallenge, signin.ReasonChallengeUnknown)
	}

	// What fails is used up as well.
	b.site = w.site
	c = b.begin()
	a = sign(t, w.card, c)
	w.refused(t, b.finish(c, sign(t, w.card, b.begin())), signin.CodeSignature, signin.Reason(verify.ReasonBadSignature))
	w.refused(t, b.finish(c, a), signin.CodeChallenge, signin.ReasonChallengeUnknown)
}

// L02: one answer is posted 64 times at once over two servers with one store.
func attackRace(t *testing.T) {
	store := &signin.MemoryStore{}
	w := newWorld(t, func(cfg *signin.Config) { cfg.Challenges = store })
	store.Now = w.clock.Now
	_, second := w.newSite(t, w.cfg)
	b := w.browser(t)
	c := b.begin()
	a := sign(t, w.card, c)

	codes := make([]int, 64)
	var wg sync.WaitGroup
	for i := range codes {
		tab := *b
		tab.cookies = maps.Clone(b.cookies)
		if i%2 == 1 {
			tab.site = second
		}
		wg.Go(func() { codes[i] = tab.finish(c, a).Code })
	}
	wg.Wait()
	count := map[int]int{}
	for _, code := range codes {
		count[code]++
	}
	if count[http.StatusOK] != 1 || count[http.StatusForbidden] != 63 {
		t.Errorf("got %v, want one 200 and 63 of 403", count)
	}
}

// L03: the signed text names another site.
func attackOtherOrigin(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	for _, host := range []string{"tax.example.gov.tw", "evil.example", "tax.example.gov.tw@evil.example", "tax.example.gov.tw.evil.example",
		"eviltax.example.gov.tw", "tax.example.gov.tw:8443", "http://tax.example.gov.tw", "tax.example.gov.tw.", "TAX.example.gov.tw", "null"} {
		for _, kind := range bothKinds {
			c := b.beginWith(kind)
			rec := b.finish(c, signText(t, w.card, kind, strings.Replace(c.Request.TBS, taxHost, host, 1)))
			if host == taxHost {
				b.accepted(rec)
			} else {
				w.refused(t, rec, signin.CodeSignature, otherText(kind))
			}
		}
	}
	// A challenge is for the origin at which it was issued.
	w = newWorld(t, func(cfg *signin.Config) { cfg.Origins = append(cfg.Origins, "https://www.example.gov.tw") })
	b = w.browser(t)
	c := b.begin()
	a := sign(t, w.card, c)
	b.host = "evil.example"
	b.header.Set("X-Forwarded-Host", taxHost)
	w.refused(t, b.finish(c, a), signin.CodeHost, signin.ReasonHost)
	b.host = "www.example.gov.tw"
	w.refused(t, b.finish(c, a), signin.CodeChallenge, signin.ReasonChallengeUnknown)
}

// otherText is why a text that is not the line is refused: a SignedData shows
// what was signed, a bare signature only that it was not this.
func otherText(kind signin.SignatureType) signin.Reason {
	if kind == signin.PKCS7 {
		return signin.Reason(verify.ReasonPurpose)
	}
	return signin.Reason(verify.ReasonBadSignature)
}

// L04: a look-alike page shows its victim our own text, which it has fetched from
// us, and has the victim's card sign it. In time, in the attacker's own browser
// and at a modest rate this cannot be told from the attacker's own card: the
// package comment says so. All else is refused.
func attackRelayedText(t *testing.T) {
	w := newWorld(t)
	attacker, victim := w.browser(t), w.browser(t)
	for name, want := range map[string]signin.Reason{
		"undetectable": "", "late": signin.ReasonChallengeExpired, "unbound": signin.ReasonChallengeUnknown,
	} {
		c := attacker.begin()
		a := sign(t, w.card, c)
		switch name {
		case "undetectable":
			attacker.accepted(attacker.finish(c, a))
		case "late":
			w.clock.Advance(signin.ChallengeLife)
			w.refused(t, attacker.finish(c, a), signin.CodeChallenge, want)
		case "unbound":
			w.refused(t, victim.finish(c, a), signin.CodeChallenge, want)
		}
	}
	for range signin.DefaultChallengesPerMinute {
		attacker.do("POST", "/signin/challenge", nil)
	}
	w.refused(t, attacker.do("POST", "/signin/challenge", nil), signin.CodeTooMany, signin.ReasonRateLimited)
}

// L05: a constant text, or a well-formed one that was never issued.
func attackConstantText(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	for _, kind := range bothKinds {
		other := b.beginWith(kind)
		for _, text := range []string{"TBS", "王測試,A123456789", " ", other.Request.TBS} {
			c := b.beginWith(kind)
			w.refused(t, b.finish(c, signText(t, w.card, kind, text)), signin.CodeSignature, otherText(kind))
		}
	}
	c := b.begin()
	text := strings.Replace(c.Request.TBS, c.ID, challenge, 1)
	for _, id := range []string{challenge, "", c.ID[:42], c.ID + "A", "../" + c.ID[3:]} {
		never := *c
		never.ID = id
		w.refused(t, b.finish(&never, signText(t, w.card, signin.PKCS1, text)), signin.CodeChallenge, signin.ReasonChallengeUnknown)
	}
	b.accepted(b.finish(c, sign(t, w.card, c)))
}

// L06: a challenge is redeemed from another browser, or from none.
func attackOtherBrowser(t *testing.T) {
	w := newWorld(t)
	a, b := w.browser(t), w.browser(t)
	c := a.begin()
	answer := sign(t, w.card, c)
	w.refused(t, b.finish(c, answer), signin.CodeChallenge, signin.ReasonChallengeUnknown)
	b.begin()
	w.refused(t, b.finish(c, answer), signin.CodeChallenge, signin.ReasonChallengeUnknown)
	tab := a.begin()
	a.accepted(a.finish(c, answer)) // A's attempt still works
	a.accepted(a.finish(tab, sign(t, w.card, tab)))
}

// L07: a page of another site has the victim's browser post the attacker's
// answer.
func attackLoginCSRF(t *testing.T) {
	w := newWorld(t)
	attacker := w.browser(t)
	c := attacker.begin()
	answer := sign(t, w.card, c)
	for name, header := range map[string]http.Header{
		"cross-site":      {"Sec-Fetch-Site": {"cross-site"}},
		"sub-domain":      {"Sec-Fetch-Site": {"same-site"}},
		"foreign Origin":  {"Sec-Fetch-Site": nil, "Origin": {"https://evil.example"}},
		"other port":      {"Sec-Fetch-Site": nil, "Origin": {taxOrigin + ":8443"}},
		"Origin null":     {"Sec-Fetch-Site": nil, "Origin": {"null"}},
		"a page of ours":  {"Sec-Fetch-Site": nil, "Origin": {taxOrigin}},
		"an HTML form":    {"Sec-Fetch-Site": nil, "Content-Type": {"text/plain"}},
		"a form's fields": {"Sec-Fetch-Site": nil, "Content-Type": {"application/x-www-form-urlencoded"}},
	} {
		victim := w.browser(t)
		victim.begin()
		victim.header = header
		rec := victim.finish(c, answer)
		switch {
		case name == "a page of ours": // but the challenge is not this browser's
			w.refused(t, rec, signin.CodeChallenge, signin.ReasonChallengeUnknown)
		case header["Content-Type"] != nil:
			w.refused(t, rec, signin.CodeRequest, signin.ReasonRequest)
		default:
			w.refused(t, rec, signin.CodeCrossOrigin, signin.ReasonCrossOrigin)
			if rec.Code != http.StatusForbidden || len(rec.Result().Cookies()) != 0 {
				t.Errorf("%s: got %d and cookies %v, want 403 and none", name, rec.Code, rec.Result().Cookies())
			}
		}
	}
	attacker.accepted(attacker.finish(c, answer))
}

// L08: a challenge is redeemed a second before and after the end of its life.
func attackExpired(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	for after, want := range map[time.Duration]bool{-time.Second: true, 0: false, time.Second: false, time.Hour: false} {
		w.clock.Set(noon())
		c := b.begin()
		a := sign(t, w.card, c)
		w.clock.Advance(signin.ChallengeLife + after)
		if rec := b.finish(c, a); want {
			b.accepted(rec)
		} else {
			w.refused(t, rec, signin.CodeChallenge, signin.ReasonChallengeExpired)
		}
	}
}

// L09: a signature made for one purpose is presented for another.
func attackOtherPurpose(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	for _, kind := range bothKinds {
		c := b.beginWith(kind)
		consent := strings.Replace(c.Request.TBS, "/signin/", "/consent/", 1) + "/" + digest
		w.refused(t, b.finish(c, signText(t, w.card, kind, consent)), signin.CodeSignature, otherText(kind))
	}
	c := b.beginWith(signin.PKCS7)
	signedData, err := w.card.SignPKCS7([]byte(c.Request.TBS), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.cfg.Verifier.SignedData(t.Context(), signedData, nil)
	wantVerifyReason(t, err, verify.ReasonPurpose)
	_, err = w.cfg.Verifier.SignedData(t.Context(), signedData, &verify.Options{Line: c.Request.TBS})
	wantVerifyReason(t, err, "")
}

// L10: the certificate beside the signature is replaced by another citizen's.
func attackOtherCertificate(t *testing.T) {
	w := newWorld(t)
	namesake := w.issue(t, w.G3.IssueCard)
	b := w.browser(t)
	for name, other := range map[string]*pkitest.Card{"own": w.card, "namesake": namesake, "other generation": w.issue(t, w.G2.IssueCard)} {
		c := b.begin()
		a := sign(t, w.card, c)
		a["certb64"] = sign(t, other, c)["certb64"]
		if rec := b.finish(c, a); name == "own" {
			b.accepted(rec)
		} else {
			w.refused(t, rec, signin.CodeSignature, signin.Reason(verify.ReasonBadSignature))
		}
	}
}

// L11: what the component says beside the signature is edited.
func attackEditedAnswer(t *testing.T) {
	var got []string
	w := newWorld(t, func(cfg *signin.Config) { cfg.OnSignIn = recordSubject(&got) })
	b := w.browser(t)
	b.signIn(w.card)
	for _, kind := range bothKinds {
		c := b.beginWith(kind)
		a := sign(t, w.card, c)
		a["cardSN"], a["subjectDN"], a["usage"], a["subjectID"] = "TS99999999999999", "CN=陳測試", "keyCertSign", "A123456789"
		b.accepted(b.finish(c, a))
	}
	if len(got) != 3 || got[1] != got[0] || got[2] != got[0] {
		t.Errorf("got subjects %v, want one", got)
	}
}

// L13: a session is planted in the victim's browser before it signs in.
func attackFixation(t *testing.T) {
	w := newWorld(t)
	attacker := w.browser(t)
	attacker.signIn(w.issue(t, w.G3.IssueCard))
	planted := attacker.account()

	victim := w.browser(t)
	victim.cookies[sessionCookie] = attacker.cookies[sessionCookie]
	victim.signIn(w.card)
	if got := victim.account(); got == "" || got == planted {
		t.Errorf("got session %q after signing in, want a new one", got)
	}
	if got := attacker.account(); got != "" {
		t.Errorf("planted session %s lives on", got)
	}
}
