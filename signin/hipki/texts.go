package hipki

import "github.com/citizencert/citizencert/signin"

// The texts on the button.
var (
	labelSignIn  = signin.Text{ZhTW: "登入", En: "Sign in"}
	labelConsent = signin.Text{ZhTW: "同意並簽署", En: "Agree and sign"}
	labelSign    = signin.Text{ZhTW: "簽署", En: "Sign"}
)

// formTexts are the texts of a form.
type formTexts struct {
	PIN, Hint, Remaining, Renew, NoScript signin.Text
}

var texts = formTexts{
	PIN: signin.Text{ZhTW: "PIN 碼", En: "PIN"},
	Hint: signin.Text{
		ZhTW: "PIN 碼只會交給這台電腦上的憑證元件，不會傳送到本網站。連續輸入錯誤三次，卡片將被鎖定。",
		En:   "The PIN goes to the card software on this computer only, never to this site. Three wrong tries in a row lock the card.",
	},
	Remaining: signin.Text{ZhTW: "剩餘時間", En: "Time left"},
	Renew:     signin.Text{ZhTW: "重新開始", En: "Start again"},
	NoScript: signin.Text{
		ZhTW: "使用卡片需要 JavaScript，請在瀏覽器啟用後重新整理頁面。",
		En:   "Using a card needs JavaScript. Enable it in the browser and reload the page.",
	},
}

// scriptTexts are what the page script says while nothing has failed, and the
// words around it.
var scriptTexts = map[string]signin.Text{
	"opening":  {ZhTW: "正在開啟憑證元件……", En: "Opening the card software …"},
	"waiting":  {ZhTW: "憑證元件處理中，請等候其視窗自動關閉。", En: "The card software is at work. Wait until its window closes by itself."},
	"received": {ZhTW: "已收到簽章，驗證中……", En: "The signature has been received and is being verified …"},
	"minute":   {ZhTW: "剩餘時間不到一分鐘。", En: "Less than a minute is left."},
	"failed":   {ZhTW: "未完成：", En: "Not done: "},
	"code":     {ZhTW: "（代碼：{code}）", En: " (Code: {code})"},
}

// pageTexts are the texts of the page that the Handler serves.
type pageTexts struct {
	Title, Lead, Card, CardLead, Skip, Language, Problem, Code, Again signin.Text
}

var page = pageTexts{
	Title: signin.Text{ZhTW: "登入", En: "Sign in"},
	Lead:  signin.Text{ZhTW: "請選擇一種登入方式。", En: "Choose one way to sign in."},
	CardLead: signin.Text{
		ZhTW: "請將自然人憑證插入讀卡機，輸入 PIN 碼後按「登入」。憑證元件會開啟視窗，完成後自動關閉。",
		En:   "Put your Citizen Digital Certificate into the card reader, enter your PIN and press “Sign in”. The card software opens a window, which closes by itself.",
	},
	Card:     signin.Text{ZhTW: "自然人憑證（卡片）", En: "Citizen Digital Certificate (card)"},
	Skip:     signin.Text{ZhTW: "跳至主要內容", En: "Skip to the main content"},
	Language: signin.Text{ZhTW: "語言", En: "Language"},
	Problem:  signin.Text{ZhTW: "無法登入：", En: "Sign-in failed: "},
	Code:     signin.Text{ZhTW: "代碼", En: "Code"},
	Again:    signin.Text{ZhTW: "再試一次", En: "Try again"},
}
