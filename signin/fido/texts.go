package fido

import "github.com/citizencert/citizencert/signin"

// sectionTitle names the way to sign in.
var sectionTitle = signin.Text{ZhTW: "行動自然人憑證（手機）", En: "Mobile Citizen Digital Certificate (phone)"}

// formTexts are the texts of a form.
type formTexts struct {
	Number, Hint, Remaining, Cancel, NoScript signin.Text
}

var texts = formTexts{
	Number: signin.Text{ZhTW: "身分證統一編號或統一證號", En: "National ID number or resident certificate number"},
	Hint: signin.Text{
		ZhTW: "手機須已安裝「行動自然人憑證」App 並完成註冊。",
		En:   "Your phone needs the TW FidO app, and you have to be registered in it.",
	},
	Remaining: signin.Text{ZhTW: "剩餘時間", En: "Time left"},
	Cancel:    signin.Text{ZhTW: "取消", En: "Cancel"},
	NoScript: signin.Text{
		ZhTW: "使用手機需要 JavaScript，請在瀏覽器啟用後重新整理頁面。",
		En:   "Using a phone needs JavaScript. Enable it in the browser and reload the page.",
	},
}

// scriptTexts are what the page script says. What has failed is told by the server.
var scriptTexts = map[string]signin.Text{
	"begin": {ZhTW: "正在準備……", En: "Getting ready …"},
	"scan": {
		ZhTW: "請以手機上的「行動自然人憑證」App 掃描此 QR Code，並在手機上確認。",
		En:   "Scan this QR code with the TW FidO app on your phone, and confirm there.",
	},
	"code":   {ZhTW: "供「行動自然人憑證」App 掃描的 QR Code", En: "QR code for the TW FidO app"},
	"follow": {ZhTW: "請開啟這支手機上的 App 確認，完成後返回本頁。", En: "Open the app on this phone, confirm, and come back to this page."},
	"open":   {ZhTW: "開啟「行動自然人憑證」App", En: "Open the TW FidO app"},
	"pushed": {
		ZhTW: "如您已註冊，手機將收到通知，請開啟 App 確認。",
		En:   "If you are registered, your phone gets a notification. Open the app to confirm.",
	},
	"caution": {
		ZhTW: "請只確認您自己在本網站開始的作業；若有人傳 QR Code 或連結給您，請勿確認。",
		En:   "Confirm only what you have started on this site yourself. Do not confirm if somebody has sent you a QR code or a link.",
	},
	"wait":        {ZhTW: "等待手機確認中……", En: "Waiting for your phone …"},
	"minute":      {ZhTW: "剩餘時間不到一分鐘。", En: "Less than a minute is left."},
	"offline":     {ZhTW: "連線中斷，正在重試……", En: "The connection was lost. Trying again …"},
	"unreachable": {ZhTW: "無法連線，請稍後再試一次。", En: "There is no connection. Please try again later."},
	"elsewhere":   {ZhTW: "本次作業已在另一個分頁繼續。", En: "This has gone on in another tab."},
	"canceled":    {ZhTW: "已取消。", En: "Canceled."},
	"done":        {ZhTW: "手機已確認，正在繼續……", En: "Confirmed on your phone. Going on …"},
	"failed":      {ZhTW: "未完成：", En: "Not done: "},
}
