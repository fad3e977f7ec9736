package signin_test

import (
	"testing"

	"github.com/citizencert/citizencert/signin"
)

// L12: the component reports a failure, and a good signature is there all the
// same.
func attackFailedComponent(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	c := b.begin()
	for _, tt := range []struct {
		code, last any
		want       signin.Code
	}{
		{1979711494, 0, signin.CodeCardMissing}, // 0x76000006
		{-1, 0, signin.CodeCardFailed},
		{0x76000999, 0, signin.CodeCanceled},
		{0x7600000F, 0, signin.CodeSiteNotTrusted},
		{0x76100003, 0, signin.CodeReaderMissing},
		{0x76100006, 0xA0, signin.CodePINIncorrect},
		{0x76100006, -2147483646, signin.CodePINIncorrect},
		{0x76100006, -2147483647, signin.CodePINLastTry},
		{0x76100006, uint64(0xFFFFFFFF80000001), signin.CodePINLastTry},
		{0x76100006, 0xA4, signin.CodePINLocked},
		{-2113928959, 0, signin.CodeCardFailed}, // 0x82000001
	} {
		a := sign(t, w.card, c)
		a["ret_code"], a["last_error"] = tt.code, tt.last
		w.refused(t, b.finish(c, a), tt.want, signin.ReasonComponent)
	}
	for _, code := range []any{nil, "0", 0.5, 1 << 32, -1 << 32, uint64(1 << 63), true, []int{0}} {
		a := sign(t, w.card, c)
		a["ret_code"] = code
		w.refused(t, b.finish(c, a), signin.CodeRequest, signin.ReasonRequest)
	}
	a := sign(t, w.card, c)
	delete(a, "ret_code")
	w.refused(t, b.finish(c, a), signin.CodeRequest, signin.ReasonRequest)
	b.accepted(b.finish(c, sign(t, w.card, c))) // nothing was tried so far
}
