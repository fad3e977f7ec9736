package signin

// A Code tells the page what happened. The list is closed but for the codes that
// package fido adds for phones; the texts are stable.
type Code string

// The codes, each with one sentence for the citizen, who may be signing in, consenting
// or filing.
const (
	CodeRequest     Code = "request"
	CodeHost        Code = "host"
	CodeCrossOrigin Code = "cross-origin"
	CodeChallenge   Code = "challenge"
	CodeSignature   Code = "signature"
	CodeCertificate Code = "certificate"
	CodeExpired     Code = "certificate-expired"
	CodeNotYetValid Code = "certificate-not-yet-valid"
	CodeRevoked     Code = "certificate-revoked"
	CodeSuspended   Code = "certificate-suspended"
	CodeRefused     Code = "refused"
	CodeBusy        Code = "busy"
	CodeUnavailable Code = "unavailable"
	CodeSession     Code = "session"
	CodeSignInAgain Code = "sign-in-again"
	CodeAssurance   Code = "assurance"
	CodeTooMany     Code = "too-many-requests"
	CodeTextChanged Code = "text-changed"
	CodeOtherHolder Code = "other-holder"
	CodeInternal    Code = "internal"

	CodeCardMissing    Code = "card-missing"
	CodeReaderMissing  Code = "reader-missing"
	CodePINIncorrect   Code = "pin-incorrect"
	CodePINLastTry     Code = "pin-last-try"
	CodePINLocked      Code = "pin-locked"
	CodeCanceled       Code = "canceled"
	CodeSiteNotTrusted Code = "site-not-trusted"
	CodeCardFailed     Code = "card-failed"
)

var sentences = map[Code]Text{
	CodeRequest: {
		"網頁送出的資料無法處理，請重新整理頁面後再試一次。",
		"What the page sent could not be processed. Reload the page and try again.",
	},
	CodeHost: {
		"此網址不提供登入服務，請確認網址是否正確。",
		"Sign-in is not offered at this address. Check that the address is correct.",
	},
	CodeCrossOrigin: {
		"此要求並非由本網站的頁面送出，系統已拒絕處理。",
		"This request was not sent by a page of this site and has been refused.",
	},
	CodeChallenge: {
		"本次作業已逾時或已使用，請重新開始。",
		"The time for this has run out, or it has already been used. Please start again.",
	},
	CodeSignature: {
		"簽章驗證失敗，請重新開始。",
		"The signature could not be verified. Please start again.",
	},
	CodeCertificate: {
		"本網站不接受此憑證，請確認您使用的是有效的自然人憑證。",
		"This site does not accept this certificate. Check that you are using a valid Citizen Digital Certificate.",
	},
	CodeExpired: {
		"您的憑證已過期，請辦理展期或換發後再使用。",
		"Your certificate has expired. Have it extended or replaced before you use it again.",
	},
	CodeNotYetValid: {
		"您的憑證尚未生效，請於生效後再使用。",
		"Your certificate is not valid yet. Use it once it is.",
	},
	CodeRevoked: {
		"您的憑證已廢止，無法使用。",
		"Your certificate has been revoked and cannot be used.",
	},
	CodeSuspended: {
		"您的憑證已暫時停用，請辦理復用後再使用。",
		"Your certificate is suspended. Have it reinstated before you use it again.",
	},
	CodeRefused: {
		"本網站目前無法讓您登入，請洽本網站服務窗口。",
		"This site cannot sign you in at present. Please contact its help desk.",
	},
	CodeBusy: {
		"目前登入人數過多，請稍後再試。",
		"Too many people are signing in at the moment. Please try again later.",
	},
	CodeUnavailable: {
		"系統暫時無法完成查驗，請稍後再試。",
		"The check cannot be completed at the moment. Please try again later.",
	},
	CodeSession: {
		"您尚未登入或登入已逾時，請重新登入。",
		"You are not signed in, or your sign-in has timed out. Please sign in again.",
	},
	CodeSignInAgain: {
		"為確保安全，請重新登入後再繼續。",
		"For your security, please sign in again to continue.",
	},
	CodeAssurance: {
		"此項服務不接受您目前的登入方式，請改用其他憑證載具重新登入。",
		"This service does not accept the way you signed in. Please sign in again by another means.",
	},
	CodeTooMany: {
		"請求過於頻繁，請稍後再試。",
		"There have been too many requests. Please try again later.",
	},
	CodeTextChanged: {
		"同意的內容已變更，請重新閱讀後再簽署。",
		"The text has changed since it was shown. Read it again before you sign.",
	},
	CodeOtherHolder: {
		"簽署的憑證與登入者不符，請使用本人的憑證簽署。",
		"The certificate that signed is not of the person who is signed in. Please sign with your own.",
	},
	CodeInternal: {
		"系統發生錯誤，請稍後再試。",
		"A system error has occurred. Please try again later.",
	},
	CodeCardMissing: {
		"請插入自然人憑證卡片後再試一次。",
		"Insert your Citizen Digital Certificate card and try again.",
	},
	CodeReaderMissing: {
		"找不到讀卡機，請連接讀卡機後再試一次。",
		"No card reader was found. Connect one and try again.",
	},
	CodePINIncorrect: {
		"PIN 碼錯誤，請確認後再試一次；連續錯誤達三次，卡片將被鎖定。",
		"The PIN is wrong. Check it and try again; three wrong tries in a row lock the card.",
	},
	CodePINLastTry: {
		"PIN 碼錯誤，僅剩一次機會；如再次錯誤，卡片將被鎖定。",
		"The PIN is wrong and one try is left; another wrong try locks the card.",
	},
	CodePINLocked: {
		"卡片已鎖定，請先辦理解鎖。",
		"The card is locked. Have it unlocked first.",
	},
	CodeCanceled: {
		"您已取消簽章。",
		"You have canceled signing.",
	},
	CodeSiteNotTrusted: {
		"請在憑證元件中將本網站加入信任網站後再試一次。",
		"Add this site to the trusted sites of the card software and try again.",
	},
	CodeCardFailed: {
		"卡片無法完成簽章，請再試一次；如仍失敗，請將錯誤代碼提供給本網站服務窗口。",
		"The card could not sign. Try again; if it fails again, give the error code to this site's help desk.",
	},
}

// componentCode maps the codes that a citizen can act on. A failed card login is
// explained by the last error of the card library (PKCS#11, CKR_PIN_*).
func componentCode(ret, last ReturnCode) Code {
	switch ret {
	case 0x76000006:
		return CodeCardMissing
	case 0x76100003:
		return CodeReaderMissing
	case 0x76000999:
		return CodeCanceled
	case 0x7600000F, 0x76000031:
		return CodeSiteNotTrusted
	case 0x76100006:
		switch last {
		case 0xA0, 0x80000002:
			return CodePINIncorrect
		case 0x80000001:
			return CodePINLastTry
		case 0xA4:
			return CodePINLocked
		}
	}
	return CodeCardFailed
}
