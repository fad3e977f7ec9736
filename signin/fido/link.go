package fido

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// appLink is where the app on the phone listens.
const appLink = "mobilemoica://moica.moi.gov.tw/"

// Link returns the address that opens the app on the same phone, and has the app
// open returnURL with returnValue afterwards: mode ModeApp from an app, ModeWeb from
// a web page. Whatever opens returnURL proves nothing, since every app can: it only
// tells that it may be worth asking for the result.
func (t *Ticket) Link(mode Mode, returnURL, returnValue string) string {
	path := "w2a"
	if mode == ModeApp {
		path = "a2a"
	}
	encode := base64.RawURLEncoding.EncodeToString
	return appLink + path + "/verifySign?sp_ticket=" + percentEncode(t.Text) +
		"&rtn_url=" + percentEncode(encode([]byte(returnURL))) +
		"&rtn_val=" + percentEncode(encode([]byte(returnValue)))
}

// percentEncode leaves A-Z a-z 0-9 - . _ ~ as they are and nothing else. It differs
// from url.QueryEscape in the space.
func percentEncode(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
