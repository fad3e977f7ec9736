package hipki

import (
	"iter"

	"github.com/citizencert/citizencert/signin"
)

// A Class says who can do something about a failure.
type Class string

// The classes.
const (
	Holder      Class = "holder"      // the citizen: insert the card, enter the PIN
	Card        Class = "card"        // nobody here: it is the wrong card, or broken
	Setup       Class = "setup"       // whoever looks after the computer: component, reader, permissions
	Site        Class = "site"        // the relying party: the page asked for something wrong
	Certificate Class = "certificate" // the certification authority
	Internal    Class = "internal"    // nobody knows; often trying again helps
)

// A ReturnCode is a code of the component, with what it means. The list is the
// union of the two editions of the component's own table.
type ReturnCode struct {
	Code    signin.ReturnCode
	Meaning string // for the operator
	Advice  Advice
}

// ReturnCodes yields every code that the component documents, in ascending
// order, but 0, which is success.
func ReturnCodes() iter.Seq[ReturnCode] {
	return func(yield func(ReturnCode) bool) {
		for _, row := range returnCodes {
			for code := range row.codes {
				if !yield(ReturnCode{code, row.meaning, advices[row.advice]}) {
					return
				}
			}
		}
	}
}

// Explain returns what to tell the citizen about an answer with the codes
// ret_code and last_error. A code that is not in the list has the advice that
// asks to try again and to tell the help desk the code.
func Explain(ret, last signin.ReturnCode) Advice {
	if ret == loginFailed {
		if name, ok := lastErrors[last]; ok {
			return advices[name]
		}
	}
	for _, row := range returnCodes {
		if row.has(ret) {
			return advices[row.advice]
		}
	}
	return advices[cardFailed]
}

// loginFailed is the code that last_error explains.
const loginFailed signin.ReturnCode = 0x76100006

// lastErrors are the errors of the card library (PKCS#11, CKR_…) after a card
// login that failed. The last two are the library's own: tries that are left.
var lastErrors = map[signin.ReturnCode]adviceName{
	0x00000006: tryAgain,     // CKR_FUNCTION_FAILED
	0x000000A0: pinIncorrect, // CKR_PIN_INCORRECT
	0x000000A2: pinLength,    // CKR_PIN_LEN_RANGE
	0x000000A4: pinLocked,    // CKR_PIN_LOCKED
	0x00000150: tryAgain,     // CKR_BUFFER_TOO_SMALL
	0x80000001: pinLastTry,   // one
	0x80000002: pinTwoTries,  // two
}

// A codeRow is one code, or a range of them that share meaning and advice.
type codeRow struct {
	first, last signin.ReturnCode
	meaning     string
	advice      adviceName
	decimal     bool // the digits count in decimal: 09 is followed by 10
}

func (r codeRow) has(code signin.ReturnCode) bool {
	return r.first <= code && code <= r.last && (!r.decimal || isDecimal(code&0xFFFF))
}

// codes yields the codes of the row.
func (r codeRow) codes(yield func(signin.ReturnCode) bool) {
	for code := r.first; code <= r.last; code++ {
		if r.has(code) && !yield(code) {
			return
		}
	}
}

// isDecimal reports whether no hexadecimal digit of v is a letter.
func isDecimal(v signin.ReturnCode) bool {
	for ; v != 0; v >>= 4 {
		if v&0xF > 9 {
			return false
		}
	}
	return true
}

// one is a row of a single code.
func one(code signin.ReturnCode, meaning string, advice adviceName) codeRow {
	return codeRow{first: code, last: code, meaning: meaning, advice: advice}
}

// counted is a row of codes that count in decimal.
func counted(first, last signin.ReturnCode, meaning string, advice adviceName) codeRow {
	return codeRow{first, last, meaning, advice, true}
}

var returnCodes = [...]codeRow{
	one(0x76000001, "no key given", siteWrong),
	one(0x76000002, "no certificate given", siteWrong),
	one(0x76000003, "nothing to sign", siteWrong),
	one(0x76000004, "no ciphertext", siteWrong),
	one(0x76000005, "no library path", reinstall),
	one(0x76000006, "no card inserted", cardMissing),
	one(0x76000007, "not logged in to the card", tryAgain),
	one(0x76000008, "wrong type", siteWrong),
	one(0x76000009, "file error", tryAgain),
	one(0x7600000A, "file too large", siteWrong),
	one(0x7600000B, "JSON format", siteWrong),
	one(0x7600000C, "parameter", siteWrong),
	one(0x7600000D, "helper failed or timed out", restart),
	one(0x7600000E, "method not supported", update),
	one(0x7600000F, "domain forbidden", siteNotTrusted),
	one(0x76000031, "used from an unauthorised site", siteNotTrusted),
	one(0x76000998, "no PIN given", pinMissing),
	one(0x76000999, "cancelled by the user", canceled),
	one(0x76001000, "parameter: no SO PIN", siteWrong),
	one(0x76001001, "parameter: no cert1", siteWrong),
	one(0x76001002, "parameter: no cert2", siteWrong),
	one(0x76001003, "parameter: no user PIN", siteWrong),
	one(0x76001004, "parameter: no ToBeSign", siteWrong),
	one(0x76001005, "parameter: no SignKeyNo", siteWrong),
	one(0x76100001, "card library cannot be loaded", reinstall),
	one(0x76100002, "card library did not close", tryAgain),
	one(0x76100003, "no reader available", readerMissing),
	one(0x76100004, "reader information failed", reconnect),
	one(0x76100005, "no session", reinsert),
	one(loginFailed, "card login failed; last_error says why", cardFailed),
	one(0x76100007, "card logout failed", tryAgain),
	one(0x76100008, "key cannot be read", cardUnusable),
	one(0x76100009, "certificate cannot be read", cardUnusable),
	one(0x7610000A, "library information failed", reinstall),
	one(0x7610000B, "card information failed", reinsertCard),
	one(0x7610000C, "certificate not found", noCertificate),
	one(0x7610000D, "key not found", noCertificate),
	one(0x76200001, "pfx: initialisation failed", tryAgain),
	one(0x76200006, "pfx: login failed", passwordIncorrect),
	one(0x76200007, "pfx: logout failed", tryAgain),
	one(0x76200008, "CA not supported", kindNotAccepted),
	one(0x76210001, "ID number or ARC number does not match", numberMismatch),
	one(0x76210002, "certificate type not supported", kindNotAccepted),
	one(0x76210003, "not a certificate of the named broker", kindNotAccepted),
	one(0x76210004, "not a certificate of Chunghwa Public CA", kindNotAccepted),
	one(0x76300001, "signing: initialisation", cardFailed),
	one(0x76300002, "signing: type", siteWrong),
	one(0x76300003, "signing: content", siteWrong),
	one(0x76300004, "signing: execution", cardFailed),
	one(0x76300005, "signing: certificate", signingCertificate),
	one(0x76300006, "signing: DER", cardFailed),
	one(0x76300007, "signing: final step", cardFailed),
	one(0x76300008, "signing: own verification", cardFailed),
	one(0x76300009, "signing: BIO", cardFailed),
	one(0x76400001, "decryption: DER", decryptionFailed),
	one(0x76400002, "decryption: type", decryptionFailed),
	one(0x76400003, "decryption failed", decryptionFailed),
	one(0x76500001, "certificate not yet valid", notYetValid),
	one(0x76500002, "certificate expired", expired),
	one(0x76600001, "base64 encoding", siteWrong),
	one(0x76600002, "base64 decoding", siteWrong),
	one(0x76700001, "server key: decryption", siteWrong),
	one(0x76700002, "server key: not registered", siteWrong),
	one(0x76700003, "server key: encryption", siteWrong),
	one(0x77100001, "image code does not match", cardFailed),
	counted(0x77200001, 0x77200011, "secondary-card authorisation (SCAP)", companyCard),
	counted(0x77200101, 0x77200103, "writing a new certificate", cardFailed),
	counted(0x77301001, 0x77301030, "console, unblocking, PIN reset, card opening: parameter", cardFailed),
	counted(0x77301031, 0x77301042, "signing helper", cardFailed),
	counted(0x81000001, 0x81000005, "card opening and unlock server", cardFailed),
	counted(0x81000111, 0x81000115, "card opening and unlock server", cardFailed),
	counted(0x81000201, 0x81000203, "card opening and unlock server: user code wrong", cardFailed),
	counted(0x81000221, 0x81000233, "card opening and unlock server", cardFailed),
	counted(0x81000301, 0x81000302, "card opening and unlock server", cardFailed),
	counted(0x81011000, 0x81011006, "card opening and unlock server", cardFailed),
	counted(0x82000003, 0x82000004, "card opening and unlocking, client side", cardFailed),
	counted(0x82000111, 0x82000118, "card opening and unlocking, client side", cardFailed),
	one(0x83000100, "not a GPKI card", notGovernment),
	one(0x83000101, "wrong service: a MOICA card", otherCard),
	one(0x83000102, "wrong service: a MOEACA card", otherCard),
	one(0x83000103, "wrong service: a GCA card", otherCard),
	one(0x83000104, "wrong service: an XCA card", otherCard),
	one(0x83000105, "PIN format", pinFormat),
	one(0x83000106, "user code format", userCodeFormat),
	one(0xE0000001, "certificate store: no matching certificate", noCertificate),
	one(0xE0000002, "certificate store: memory", tryAgain),
	one(0xE0000003, "certificate store: key hash differs", noCertificate),
	one(0xE0000004, "certificate store: unit code not supported", kindNotAccepted),
	one(0xE0000005, "certificate store: class of certificate not found", noCertificate),
	one(0xE0000006, "certificate store: certificate of another CA", noCertificate),
	one(0xE0000007, "certificate store: file path needed", siteWrong),
	one(0xE0000008, "certificate store: import", tryAgain),
	one(0xE0000009, "certificate store: export", tryAgain),
	one(0xE000000A, "certificate store: opening", tryAgain),
	one(0xE000000B, "certificate store: wide string", tryAgain),
	one(0xE000000C, "certificate store: length of hexadecimal text", siteWrong),
	one(0xE000000D, "certificate store: form of hexadecimal text", siteWrong),
	one(0xE000000E, "certificate store: p7b", tryAgain),
	one(0xE000000F, "certificate store: certificate not found", noCertificate),
	one(0xE0000010, "certificate store: key container, permission", restart),
	one(0xE0000012, "certificate store: cancelled by the user", canceled),
	one(0xE0000013, "certificate store: key mismatch", noCertificate),
}
