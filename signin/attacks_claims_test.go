package signin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
)

func attackKeyID(t *testing.T) {
	f := newForger(t)
	var header struct{ Kid string }
	if err := json.Unmarshal([]byte(f.header), &header); err != nil {
		t.Fatal(err)
	}
	member := `"kid":"` + header.Kid + `"`
	for _, kid := range []string{`"kid":""`, `"kid":null`, `"kid":1`, `"kid":"` + strings.Repeat("A", 43) + `"`, member + "," + member,
		`"kid":"../../etc/passwd"`, `"kid":"' OR 1=1 --"`, `"kid":"https://evil.example/jwks.json"`, `"KID":"` + header.Kid + `"`, `"k":"v"`} {
		f.refused(f.forge(replace(t, f.header, member, kid), f.payload), signin.ReasonTokenHeader)
	}
	f.refused(f.forge(replace(t, f.header, member+",", ""), f.payload), signin.ReasonTokenHeader)
	f.refused(f.forge(replace(t, f.header, header.Kid, strings.Repeat("A", 1<<20)), f.payload), signin.ReasonTokenForm)
}

func attackHeaderMembers(t *testing.T) {
	f := newForger(t)
	for _, member := range []string{`"jwk":{"kty":"EC"}`, `"jku":"https://evil.example/jwks.json"`, `"x5u":"https://evil.example/c.pem"`,
		`"x5c":["MIIB"]`, `"x5t":"AAAA"`, `"crit":["exp"]`, `"crit":[]`, `"b64":false`, `"b64":false,"crit":["b64"]`, `"zip":"DEF"`, `"cty":"JWT"`, `"x":0`} {
		f.refused(f.forge(strings.TrimSuffix(f.header, "}")+","+member+"}", f.payload), signin.ReasonTokenHeader)
		f.refused(f.forge("{"+member+","+strings.TrimPrefix(f.header, "{"), f.payload), signin.ReasonTokenHeader)
	}
	for _, typ := range []string{`"typ":"JWT"`, `"typ":"citizencert-session+JWT"`, `"typ":""`, `"typ":["citizencert-session+jwt"]`} {
		f.refused(f.forge(replace(t, f.header, `"typ":"citizencert-session+jwt"`, typ), f.payload), signin.ReasonTokenHeader)
	}
	f.refused(f.forge(f.header+" ", f.payload), signin.ReasonTokenHeader)
}

// T08: what stands between quotes in a claim's name could become claims. Names
// are not open to anyone; the values that are come from the configuration.
func attackClaimNames(t *testing.T) {
	f := newForger(t)
	cfg := f.cfg
	cfg.Service = `x":0,"admin`
	if _, err := signin.New(cfg); err == nil {
		t.Error("service name with quotes was accepted")
	}
	for _, member := range []string{`"admin":true`, `"x\":0,\"admin":true`, `"":0`, `"Sub":"` + challenge + `"`} {
		f.refused(f.forge(f.header, strings.TrimSuffix(f.payload, "}")+","+member+"}"), signin.ReasonTokenClaims)
	}
}

func attackClaims(t *testing.T) {
	f := newForger(t)
	var claims map[string]any
	if err := json.Unmarshal([]byte(f.payload), &claims); err != nil {
		t.Fatal(err)
	}
	now := noon().Unix()
	if len(claims) != 12 {
		t.Errorf("got %d claims, want 12: %s", len(claims), f.payload)
	}
	for name, value := range claims {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := value.(float64); ok {
			text = fmt.Appendf(nil, "%.0f", value)
		}
		member := `"` + name + `":` + string(text)
		without := strings.Replace(strings.Replace(f.payload, member+",", "", 1), ","+member, "", 1)
		f.refused(f.forge(f.header, without), signin.ReasonTokenClaims)
		for _, other := range []string{"null", "true", `"` + string(text) + `"`, "1e99", "1e9", "1.5", "[]", "{}", "[" + string(text) + "]", " " + string(text)} {
			if quoted := `"` + string(text) + `"`; other == quoted && text[0] == '"' {
				other = `"\u0041"`
			}
			f.refused(f.forge(f.header, replace(t, f.payload, member, `"`+name+`":`+other)), signin.ReasonTokenClaims)
		}
		f.refused(f.forge(f.header, replace(t, f.payload, member, member+","+member)), signin.ReasonTokenClaims)
		f.refused(f.forge(f.header, replace(t, f.payload, `"`+name+`"`, `"`+strings.ToUpper(name)+`"`)), signin.ReasonTokenClaims)
	}

	// Times, each beside the neighbour that passes.
	times := func(iat, nbf, exp, authTime int64) string {
		payload := f.payload
		payload = replace(t, payload, fmt.Sprintf(`"iat":%d`, now), fmt.Sprintf(`"iat":%d`, now+iat))
		payload = replace(t, payload, fmt.Sprintf(`"nbf":%d`, now), fmt.Sprintf(`"nbf":%d`, now+nbf))
		payload = replace(t, payload, fmt.Sprintf(`"exp":%d`, now+900), fmt.Sprintf(`"exp":%d`, now+exp))
		payload = replace(t, payload, fmt.Sprintf(`"auth_time":%d`, now), fmt.Sprintf(`"auth_time":%d`, now+authTime))
		return f.forge(f.header, payload)
	}
	f.accepted(times(5, 5, 900, 5))
	f.refused(times(6, 6, 900, 6), signin.ReasonTokenNotYetValid)
	f.accepted(times(0, 0, 1, 0))
	f.accepted(times(-899, -899, 1, -899))
	f.unrenewed(times(-900, -900, 0, -900))
	f.accepted(times(-1799, -1799, -1200, -1799)) // it can be renewed, and was
	f.refused(times(-1800, -1800, -1200, -1800), signin.ReasonTokenExpired)
	f.accepted(times(-1799, -1799, -1200, -8*3600+1))
	f.refused(times(-1799, -1799, -1200, -8*3600), signin.ReasonTokenExpired)
	f.refused(times(0, 0, 901, 0), signin.ReasonTokenClaims)
	f.refused(times(0, 0, 0, 0), signin.ReasonTokenClaims)
	f.refused(times(0, 0, -1, 0), signin.ReasonTokenClaims)
	f.refused(times(0, 1, 900, 0), signin.ReasonTokenClaims)
	f.refused(times(0, 0, 900, 1), signin.ReasonTokenClaims)
	f.accepted(times(0, 0, 900, -3600))

	f.clock.Set(noon().Add(signin.MaxTokenLife - time.Second))
	f.accepted(f.token)
	f.clock.Advance(time.Second)
	f.unrenewed(f.token)
	f.clock.Set(noon().Add(signin.MaxIdleLife))
	f.refused(f.token, signin.ReasonTokenExpired)
}

func attackSerializations(t *testing.T) {
	f := newForger(t)
	parts := strings.Split(f.token, ".")
	delete(f.b.cookies, sessionCookie)
	f.b.header.Set("Cookie", fmt.Sprintf(`%s={"protected":%q,"payload":%q,"signature":%q}`, sessionCookie, parts[0], parts[1], parts[2]))
	f.world.refused(t, f.b.do("GET", "/account", nil), signin.CodeSession, signin.ReasonNoSession) // quotes cannot be in a cookie
	f.b.header.Del("Cookie")
	for _, token := range []string{
		parts[0] + "." + parts[1] + "." + parts[2] + "." + parts[2],                  // two signatures
		parts[0] + "." + parts[1] + "." + parts[2] + "." + parts[1] + "." + parts[2], // JWE
		parts[0] + ".." + parts[2], // detached
		"." + parts[1] + "." + parts[2],
		strings.Repeat("A", signin.MaxToken),
		f.token + strings.Repeat("A", signin.MaxToken),
	} {
		f.refused(token, signin.ReasonTokenForm)
	}
	f.refused(f.forge(f.header, f.token), signin.ReasonTokenClaims) // nested
	f.refused(f.forge(f.header, b64([]byte(f.payload))), signin.ReasonTokenClaims)
	f.refused(f.forge(f.header, f.payload+f.payload), signin.ReasonTokenClaims)
	f.refused(f.forge(f.header, "["+f.payload+"]"), signin.ReasonTokenClaims)
}
