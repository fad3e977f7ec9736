package hipki

import (
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// An Advice is what a citizen can do about a failure.
type Advice struct {
	Class Class
	Text  signin.Text
	PIN   bool // the PIN has to be entered again; never do so automatically
}

// An adviceName names an advice for the page script.
type adviceName string

const (
	siteWrong          adviceName = "site-wrong"
	reinstall          adviceName = "reinstall"
	cardMissing        adviceName = "card-missing"
	tryAgain           adviceName = "try-again"
	restart            adviceName = "restart"
	update             adviceName = "update"
	siteNotTrusted     adviceName = "site-not-trusted"
	pinMissing         adviceName = "pin-missing"
	pinIncorrect       adviceName = "pin-incorrect"
	pinTwoTries        adviceName = "pin-two-tries"
	pinLastTry         adviceName = "pin-last-try"
	pinLocked          adviceName = "pin-locked"
	pinLength          adviceName = "pin-length"
	pinFormat          adviceName = "pin-format"
	userCodeFormat     adviceName = "user-code-format"
	canceled           adviceName = "canceled"
	readerMissing      adviceName = "reader-missing"
	reconnect          adviceName = "reconnect"
	reinsert           adviceName = "reinsert"
	reinsertCard       adviceName = "reinsert-card"
	cardUnusable       adviceName = "card-unusable"
	noCertificate      adviceName = "no-certificate"
	passwordIncorrect  adviceName = "password-incorrect"
	kindNotAccepted    adviceName = "kind-not-accepted"
	numberMismatch     adviceName = "number-mismatch"
	cardFailed         adviceName = "card-failed"
	signingCertificate adviceName = "signing-certificate"
	decryptionFailed   adviceName = "decryption-failed"
	notYetValid        adviceName = "not-yet-valid"
	expired            adviceName = "expired"
	companyCard        adviceName = "company-card"
	notGovernment      adviceName = "not-government"
	otherCard          adviceName = "other-card"

	// What the page script finds out by itself.
	popupBlocked     adviceName = "popup-blocked"
	componentMissing adviceName = "component-missing"
	componentSlow    adviceName = "component-slow"
	windowClosed     adviceName = "window-closed"
	timedOut         adviceName = "timed-out"
)

// advices are the texts. Where package signin has a sentence it is that one, so
// that a citizen reads the same wherever a failure is noticed.
var advices = map[adviceName]Advice{
	cardMissing:    {Class: Holder, Text: told(0x76000006, 0)},
	readerMissing:  {Class: Holder, Text: told(0x76100003, 0)},
	canceled:       {Class: Holder, Text: told(0x76000999, 0)},
	siteNotTrusted: {Class: Setup, Text: told(0x7600000F, 0)},
	pinIncorrect:   {Class: Holder, Text: told(loginFailed, 0xA0), PIN: true},
	pinLastTry:     {Class: Holder, Text: told(loginFailed, 0x80000001), PIN: true},
	pinLocked:      {Class: Card, Text: told(loginFailed, 0xA4)},
	cardFailed:     {Class: Internal, Text: told(0x76300001, 0)},
	expired:        {Class: Certificate, Text: sentence(signin.Reason(verify.ReasonExpired))},

	siteWrong: {Class: Site, Text: signin.Text{
		ZhTW: "本網站送給憑證元件的資料有誤，請洽本網站服務窗口。",
		En:   "What this site sent to the card software is wrong. Please contact its help desk.",
	}},
	reinstall: {Class: Setup, Text: signin.Text{
		ZhTW: "憑證元件無法運作，請重新安裝憑證元件後再試一次。",
		En:   "The card software does not work. Reinstall it and try again.",
	}},
	tryAgain: {Class: Internal, Text: signin.Text{
		ZhTW: "卡片作業未完成，請再試一次。",
		En:   "The card did not finish. Please try again.",
	}},
	restart: {Class: Setup, Text: signin.Text{
		ZhTW: "憑證元件沒有回應，請重新啟動憑證元件，並檢查讀卡機是否接妥。",
		En:   "The card software does not respond. Restart it, and check that the card reader is connected.",
	}},
	update: {Class: Setup, Text: signin.Text{
		ZhTW: "憑證元件的版本過舊，請更新憑證元件後再試一次。",
		En:   "The card software is too old. Update it and try again.",
	}},
	pinMissing: {Class: Holder, PIN: true, Text: signin.Text{
		ZhTW: "請輸入 PIN 碼。",
		En:   "Enter your PIN.",
	}},
	pinTwoTries: {Class: Holder, PIN: true, Text: signin.Text{
		ZhTW: "PIN 碼錯誤，還有兩次機會；連續錯誤達三次，卡片將被鎖定。",
		En:   "The PIN is wrong and two tries are left; three wrong tries in a row lock the card.",
	}},
	pinLength: {Class: Holder, PIN: true, Text: signin.Text{
		ZhTW: "PIN 碼長度不正確，請確認後再試一次。",
		En:   "The PIN has the wrong length. Check it and try again.",
	}},
	pinFormat: {Class: Holder, PIN: true, Text: signin.Text{
		ZhTW: "PIN 碼格式不正確，請確認後再試一次。",
		En:   "The PIN has the wrong form. Check it and try again.",
	}},
	userCodeFormat: {Class: Holder, Text: signin.Text{
		ZhTW: "用戶代碼格式不正確，請確認後再試一次。",
		En:   "The user code has the wrong form. Check it and try again.",
	}},
	reconnect: {Class: Setup, Text: signin.Text{
		ZhTW: "無法讀取讀卡機的資訊，請重新連接讀卡機後再試一次。",
		En:   "The card reader cannot be used. Reconnect it and try again.",
	}},
	reinsert: {Class: Internal, Text: signin.Text{
		ZhTW: "請取出卡片並重新插入後，再試一次。",
		En:   "Take the card out, put it back, and try again.",
	}},
	reinsertCard: {Class: Card, Text: signin.Text{
		ZhTW: "無法讀取卡片資訊，請取出卡片並重新插入後，再試一次。",
		En:   "The card cannot be read. Take it out, put it back, and try again.",
	}},
	cardUnusable: {Class: Card, Text: signin.Text{
		ZhTW: "無法使用此卡片，請確認您插入的是自然人憑證。",
		En:   "This card cannot be used here. Check that it is your Citizen Digital Certificate.",
	}},
	noCertificate: {Class: Card, Text: signin.Text{
		ZhTW: "卡片中找不到所需的憑證，請確認您插入的是自然人憑證。",
		En:   "The card has no matching certificate. Check that it is your Citizen Digital Certificate.",
	}},
	passwordIncorrect: {Class: Holder, Text: signin.Text{
		ZhTW: "密碼錯誤，請確認後再試一次。",
		En:   "The password is wrong. Check it and try again.",
	}},
	kindNotAccepted: {Class: Certificate, Text: signin.Text{
		ZhTW: "本網站不接受此種憑證，請使用自然人憑證。",
		En:   "This kind of certificate is not accepted. Use your Citizen Digital Certificate.",
	}},
	numberMismatch: {Class: Holder, Text: signin.Text{
		ZhTW: "證號與卡片不符，請使用本人的卡片。",
		En:   "The number does not match the card. Use your own card.",
	}},
	signingCertificate: {Class: Certificate, Text: signin.Text{
		ZhTW: "卡片的憑證無法用於簽章，請確認憑證是否有效。",
		En:   "The card's certificate could not be used to sign. Check that it is valid.",
	}},
	decryptionFailed: {Class: Internal, Text: signin.Text{
		ZhTW: "解密失敗，請再試一次。",
		En:   "Decryption failed. Please try again.",
	}},
	notYetValid: {Class: Certificate, Text: signin.Text{
		ZhTW: "憑證尚未生效，請檢查電腦的日期與時間是否正確。",
		En:   "The certificate is not valid yet. Check that the date and time of this computer are right.",
	}},
	companyCard: {Class: Card, Text: signin.Text{
		ZhTW: "無法讀取工商憑證的附卡授權資料，請改用自然人憑證。",
		En:   "The company card's authorisation could not be read. Use your Citizen Digital Certificate.",
	}},
	notGovernment: {Class: Card, Text: signin.Text{
		ZhTW: "這不是政府憑證卡，請插入自然人憑證後再試一次。",
		En:   "This is not a government certificate card. Insert your Citizen Digital Certificate and try again.",
	}},
	otherCard: {Class: Holder, Text: signin.Text{
		ZhTW: "您插入的是其他種類的憑證卡，請換一張卡片後再試一次。",
		En:   "You inserted another kind of certificate card. Change the card and try again.",
	}},

	popupBlocked: {Class: Holder, Text: signin.Text{
		ZhTW: "瀏覽器封鎖了憑證元件的視窗，請允許本網站開啟彈出式視窗後再試一次。",
		En:   "The browser has blocked the window of the card software. Allow pop-ups for this site and try again.",
	}},
	componentMissing: {Class: Setup, Text: signin.Text{
		ZhTW: "找不到憑證元件，請確認這台電腦已安裝並啟動憑證元件，且瀏覽器未封鎖本機連線。手機無法使用卡片。",
		En:   "The card software was not found. Check that it is installed and running on this computer, and that the browser does not block local connections. Cards cannot be used on a phone.",
	}},
	componentSlow: {Class: Setup, Text: signin.Text{
		ZhTW: "憑證元件太久沒有回應，簽章未完成。請檢查卡片與讀卡機後再試一次。",
		En:   "The card software took too long, and nothing was signed. Check card and reader, and try again.",
	}},
	windowClosed: {Class: Holder, Text: signin.Text{
		ZhTW: "憑證元件的視窗已關閉，簽章未完成。請再試一次，並等候視窗自動關閉。",
		En:   "The window of the card software was closed before signing was done. Try again, and let the window close by itself.",
	}},
	timedOut: {Class: Holder, Text: signin.Text{
		ZhTW: "本次作業已逾時，請重新開始。",
		En:   "The time for this has run out. Please start again.",
	}},
}

// told returns what package signin tells about an answer of the component.
func told(ret, last signin.ReturnCode) signin.Text {
	return (&signin.Error{Reason: signin.ReasonComponent, ReturnCode: ret, LastError: last}).Problem().Message
}

func sentence(reason signin.Reason) signin.Text {
	return (&signin.Error{Reason: reason}).Problem().Message
}
