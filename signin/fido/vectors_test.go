package fido

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// testKey is synthetic: the bytes 0123456789abcdef0123456789abcdef.
const testKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// ticketV5 is a ticket with its digest.
const ticketV5 = "eyJ0cmFuc2FjdGlvbl9pZCI6InR4bi0xIiwib3BfY29kZSI6IlNJR04iLCJvcF9tb2RlIjoiQVBQMkFQUCIsInNwX3NlcnZpY2VfaWQiOiJzdmMtMSIsInNwX3RpY2tldF9pZCI6InRpY2tldC0xIiwiZXhwaXJhdGlvbl90aW1lIjoiMTc2MDAwMDAwMDAwMCIsImhhc2hlZF9pZF9udW0iOiJoYXNoZWQtMSJ9.vnKo5lVX05uDC7cRh_YE2fLYzuvNZ3APBs4YAuDHKUY"

// vectors are checksums that were computed apart from this package, over the fields
// of each message.
var vectors = []struct {
	name     string
	fields   []string
	checksum string
}{
	{"V1 ATH-01 request, zero IV", []string{"txn-1", "svc-1", "Z123000000", "SIGN", "APP2APP", "hint", "RE9DX0RJR0VTVA=="}, "000000000000000000000000f710906720376c6e8e4ce5b82ff8613435c2716964d9bd68ada0fc3e83c8b83c021b6ec6e4d5f8323e7ee9387b56d4559ebb7234ea0533315591486f1af4492807c2d2bbd2e980039f1098c39d2fc08a"},
	{"V2 ATH-02 request", []string{"txn-2", "svc-1", "ticket-2"}, "0102030405060708090a0b0c388e271c19c8ca8e35a55cf8e568c156bdd3668486b663512e41923c33598d2f308f2cfec3d34f56ec489c7464b035ccc8b42395335d43737a5237ecd013ce73ad80acfb6c216e61381a0419b62d0361"},
	{"V3 ATH-02 response", []string{"txn-1", "0", "hashed-subject-1", "signed-response-1"}, "0102030405060708090a0b0c68d8251a41989ed533f558ffbb3c9702b3d364818fbd38572d47c13863588d7e338d2baf93814c50e74fc02362e46fc59fbd70c56008167a270230e78346c871196410d79320e3e82b076e55ba7a3da9"},
	{"V4 ATH-01 request, Chinese hint", []string{"046b6c7f-0b8a-43b9-b35d-6489e6daee91", "svc-1", "A123456789", "SIGN", "I-SCAN", "待簽署資料", "RE9DX0RJR0VTVA=="}, "000000000000000000000000fc47963524336f688c14e4b97bf86230649d776e62d8bc35aca0f230d4cfb1385148609ab4dffb673a7ab56e265ed604ccbe7531b357606052c3136d48a61b7accb8db70230ef9d615413b0d2b52448f"},
	{"V7 WEB-01 request, ATH", []string{"txn-3", "svc-1", "ATH", "hint", ""}, "0102030405060708090a0b0c38db754f14c4c48262f70eabba68c154b4d337d789e365567c40ce3e3156dd7a31df28acc5d21e5cbe499c7364e1669f99b870c23d5c472d745e65efd341c8762f0051a133c36a4eec585eaaec164964"},
	{"V8 WEB-01 request, SIGN", []string{"txn-3", "svc-1", "SIGN", "hint", "RE9DX0RJR0VTVA=="}, "0102030405060708090a0b0c388d251912c5c98436a703a9b16ec506e2d631d18db035042713926b330a882f318f7daec3851c5dee1e9b7565b260c4c8ef7295635a177b7b5367bf81179e209f7e3cb05a4e5df6857f160d1fab64ec"},
	{"V9 WEB-01 callback", []string{"txn-3", "0", "A123456789", "c2lnbmVk"}, "0102030405060708090a0b0c3c8d281d16c598d367a20cf9b36ec702bdd239828fe736507a42ce3a33568c7c618f79abc7854451ef49cf2237b1629bc9ec2197375c152d77513fbfd142ce71ec1f2cff4ee9991f33d16ecf7812423c"},
	{"V10 ATH-01 request, ATH", []string{"txn-4", "svc-1", "A123456789", "ATH", "I-SCAN", "hint", ""}, "0102030405060708090a0b0c3a892019199dced661a409afbb399001e0823480dcb335012f429431655e8c2966dd7daa90864d05e748cd2060b66f9ccdb57992335e45797a5130bcd311c87d212d6364e98736d6ad52051630b1b4cd"},
	{"V11 ATH-03 request, device my phone", []string{"txn-5", "svc-1", "A123456789", "my phone", "SIGN", "hint", "RE9DX0RJR0VTVA=="}, "0102030405060708090a0b0c36de274a449d9e8432f55ff8b03dc905b1df33d0deb734557d12c06b650c8b2e308f2faa96dd4550b94bcb2433e163989cbf7793310a187a760630e6d31bcd21279e3b7275b245f8fa23ea1eb28f30fd"},
	{"V12 ATH-03 request, no device", []string{"txn-5", "svc-1", "A123456789", "", "SIGN", "hint", "RE9DX0RJR0VTVA=="}, "0102030405060708090a0b0c3cd1241d10ccca8232f759abb03ec202e1d1318c8abd65552647c069650ada7b61dd2daa96d04802eb49997f31e436ccc5ef749132584029760567eadf1acc76ed8b76b4c22695a9d0370c50833d5775"},
	{"V13 ATH-04 request", []string{"txn-6", "svc-1", "A123456789", "BATSIGN", "I-SCAN", "hint"}, "0102030405060708090a0b0c3f8b2119169ec5d635a603f5e53ec901e5d238808cbd34007e16943c6f0a8679318a2afeca811e50bc1d9d2361e364c8c8eb7196325d4372235360ea824198255dab0699f7eff11b4f43067bb351a963"},
	{"V14 ATH-01 response: txn-1, 0, the ticket of V5", []string{"txn-1", "0", ticketV5}, "0102030405060708090a0b0c68db721612cb998067f459fce139c801e6d16186dab4300d7d42c46d620fd82837df7ffec7821b01ba4c9c7e37bc63c5cfbb2598675d142d275631bbd241ca7da126e22be4a2f653008c2e4615f24e94"},
	{"V15 ATH-02 response, ATH", []string{"txn-4", "0", "Uf8gpXJT9_DuOpv_6GqGohQccWsvVUsr9kKd9Q5TjBM", ""}, "0102030405060708090a0b0c39d9244812c8c4d432f35bfeb56cc102e1de358287e434552e1c923963578e7f37df7cacc1824907e647cf2263e163ca9cee73953656122e735264bd8542997390a7292009475c5b510d024d205065f6"},
	{"V16 LF-01 request", []string{"txn-7", "svc-1", "A123456789"}, "0102030405060708090a0b0c6b8929191299c98e31a10ff9b63bc055e1d5338d88b238007c12c6313658887e3cdb78f9c0d41f00ec4f9b2364bd32cd98bb7595660d137375563feb8540c875960e4195f97e3d7d958397ae1cb1aec4"},
	{"V17 LF-01 response, Y, N", []string{"txn-7", "0", "Y", "N"}, "0102030405060708090a0b0c37df221f17ce9e8f35a10bfdba3dc101b2d166848ee165052b16946a365a8d28308b2aabc6d54b53be4ac8736ce067c8cfba76983158437b750160bcde139a75b61f7149f24f6ef06158fdee9c5616f3"},
}

func mustKey(t testing.TB) Key {
	t.Helper()
	key, err := ParseKey(testKey)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Sealing under the vector's IV gives the vector; opening accepts it, and refuses
// each changed digit and each changed field.
func TestVectors(t *testing.T) {
	key := mustKey(t)
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			raw, err := hex.DecodeString(v.checksum)
			if err != nil {
				t.Fatal(err)
			}
			if got := key.seal([ivSize]byte(raw), v.fields); got != v.checksum {
				t.Errorf("got %s, want %s", got, v.checksum)
			}
			if !key.verify(v.checksum, v.fields...) {
				t.Error("the vector is refused")
			}
			for i := range v.checksum {
				if key.verify(changed(v.checksum, i), v.fields...) {
					t.Errorf("accepted with digit %d changed", i)
				}
			}
			for i := range v.fields {
				fields := append([]string(nil), v.fields...)
				fields[i] += "x"
				if key.verify(v.checksum, fields...) {
					t.Errorf("accepted with field %d changed", i)
				}
			}
		})
	}
}

// changed returns text with another hexadecimal digit at i.
func changed(text string, i int) string {
	b := []byte(text)
	if b[i] == '0' {
		b[i] = '1'
	} else {
		b[i] = '0'
	}
	return string(b)
}

func TestTicketVector(t *testing.T) {
	got, err := parseTicket(ticketV5)
	want := ticketBody{
		TransactionID: "txn-1", ServiceID: "svc-1", Operation: "SIGN", Mode: "APP2APP",
		ID: "ticket-1", Expiry: "1760000000000", HashedID: "hashed-1",
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for i := range ticketV5 {
		if _, err := parseTicket(ticketV5[:i]); err == nil {
			t.Errorf("the first %d characters are accepted", i)
		}
	}
}

func TestHashVectors(t *testing.T) {
	for id, want := range map[string]string{
		"A123456789": "Uf8gpXJT9_DuOpv_6GqGohQccWsvVUsr9kKd9Q5TjBM",
		"Z123000000": "YjwOkXXRVlTfQE4Dfv2te5tGY1J7WgPWAdFYjSVaNuk",
		"A800000014": "fEsSCt5JcKuHNPJTaTEJfXAZJiDcH2J85DJoSv0X5J0",
	} {
		if got := hashID(id); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
}

// A key is read in four spellings and printed in none.
func TestKey(t *testing.T) {
	const urlSafe = "_-8tMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmM"
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(urlSafe)
	sum := ""
	for _, text := range []string{urlSafe, urlSafe + "=", standard, standard + "="} {
		key, err := ParseKey(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if sum == "" {
			sum = key.checksum("a")
		}
		if !key.verify(sum, "a") {
			t.Errorf("%s is another key", text)
		}
	}
	for _, text := range []string{"", "abc", testKey + "AAAA", testKey[:40], "0123456789abcdef0123456789abcdef", strings.Repeat("!", 43)} {
		if _, err := ParseKey(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
	key := mustKey(t)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", key)
	encoded, _ := json.Marshal(key)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %x %d", key, key, key, key, key, key), log.String(), string(encoded)} {
		if !strings.Contains(text, "redacted") || strings.Contains(text, "0123456789abcdef") || strings.Contains(text, "48 49 50") {
			t.Errorf("the key shows: %s", text)
		}
	}
}

// The link of the specification's samples: base64url without padding.
func TestLink(t *testing.T) {
	ticket := &Ticket{Text: "abc.d_-e"}
	want := "mobilemoica://moica.moi.gov.tw/w2a/verifySign?sp_ticket=abc.d_-e&rtn_url=aHR0cHM6Ly9ycC5leGFtcGxlL3JldHVybj94PTE&rtn_val=bm9uY2UtMQ"
	if got := ticket.Link(ModeWeb, "https://rp.example/return?x=1", "nonce-1"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := ticket.Link(ModeApp, "https://rp.example/return?x=1", "nonce-1"); got != strings.Replace(want, "w2a", "a2a", 1) {
		t.Errorf("got %s", got)
	}
	if got := percentEncode("a b+c/~._-=字"); got != "a%20b%2Bc%2F~._-%3D%E5%AD%97" {
		t.Errorf("got %s", got)
	}
}

func TestCodes(t *testing.T) {
	for wire, want := range map[string]Class{
		"SP-API-ATH-02-SPTKTID_TXNLOG_NF":         ClassPending,
		"SPTKTID_TXNLOG_NF":                       ClassPending,
		" SP-API-ATH-02-SPTKTID_TXNLOG_NF : 尚未完成": ClassPending,
		"20002":                          ClassPending,
		"20003: pending":                 ClassPending,
		"9007":                           ClassPending,
		"SP-API-ATH-01-INV_SP_CHECKSUM":  ClassCredentials,
		"SP-API-LF-01-IDNUM_USERPROF_NF": ClassNotEnrolled,
		"APP_USER_CANCEL":                ClassCanceled,
		"PS_FCM_UNAVAILABLE":             ClassPushFault,
		"SPTKTID_TXNLOG_NF2":             ClassUnknownCode,
		"XSPTKTID_TXNLOG_NF":             ClassUnknownCode,
		"sptktid_txnlog_nf":              ClassUnknownCode,
		"A123456789":                     ClassUnknownCode,
		"00":                             ClassUnknownCode,
		"":                               ClassUnknownCode,
	} {
		if got := codeError(wire); got.Class != want {
			t.Errorf("%q: got %s, want %s", wire, got.Class, want)
		}
	}
	if got := codeError("A123456789").Error(); strings.Contains(got, "A123") {
		t.Errorf("an unlisted code that may be a number shows: %s", got)
	}
}

// Every class has both sentences, and every code a class.
func TestSentences(t *testing.T) {
	for code, entry := range codes {
		p := codeError(code).Problem()
		if entry.class == "" || p.Message.ZhTW == "" || p.Message.En == "" || p.Status < 400 {
			t.Errorf("%s: got %+v", code, p)
		}
	}
	for _, class := range []Class{ClassIDNumber, ClassTransport, ClassAnswer, ClassChecksum, ClassUnknownCode} {
		if text := sentences[class]; text.ZhTW == "" || text.En == "" {
			t.Errorf("%s has no sentence", class)
		}
	}
}
