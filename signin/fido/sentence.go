package fido

import "github.com/citizencert/citizencert/signin"

// sentences are what the citizen is told.
var sentences = map[Class]signin.Text{
	ClassPending: {
		ZhTW: "請開啟手機的行動自然人憑證 App，確認後完成驗證。",
		En:   "Open the TW FidO app on your phone and confirm.",
	},
	ClassCanceled: {
		ZhTW: "您已在手機上取消，如要繼續請重新開始。",
		En:   "You have canceled on your phone. Start again if you want to go on.",
	},
	ClassAppFailed: {
		ZhTW: "手機未能完成簽章，請再試一次。",
		En:   "Your phone could not sign. Please try again.",
	},
	ClassExpired: {
		ZhTW: "手機驗證已逾時，請重新開始。",
		En:   "The time to confirm on your phone is over. Please start again.",
	},
	ClassUnknownTicket: {
		ZhTW: "此次手機驗證已失效，請重新開始。",
		En:   "This request to your phone is no longer valid. Please start again.",
	},
	ClassUsed: {
		ZhTW: "此次手機驗證已使用過，請重新開始。",
		En:   "This request to your phone has already been used. Please start again.",
	},
	ClassNotEnrolled: {
		ZhTW: "查無您的行動自然人憑證，請先至內政部行動自然人憑證網站註冊。",
		En:   "No Mobile Citizen Digital Certificate was found for you. Register at the TW FidO site of the Ministry of the Interior first.",
	},
	ClassDeviceGone: {
		ZhTW: "您的行動裝置尚未綁定或憑證已失效，請至內政部行動自然人憑證網站重新綁定。",
		En:   "Your device is not registered, or its certificate is no longer valid. Register it again at the TW FidO site of the Ministry of the Interior.",
	},
	ClassEnrollment: {
		ZhTW: "行動自然人憑證的註冊尚未完成，請在 App 中重新註冊。",
		En:   "The registration of your Mobile Citizen Digital Certificate is not complete. Register again in the app.",
	},
	ClassWrongPerson: {
		ZhTW: "手機的持有人與您輸入的身分證統一編號不符，請使用本人的手機。",
		En:   "The phone does not belong to the ID number that you entered. Please use your own phone.",
	},
	ClassMismatch: {
		ZhTW: "身分資料比對不符或系統忙碌，請確認身分證統一編號後再試一次。",
		En:   "The ID number does not match, or the system is busy. Check the number and try again.",
	},
	ClassContent: {
		ZhTW: "手機傳回的簽章無法接受，請重新開始。",
		En:   "The signature from your phone cannot be accepted. Please start again.",
	},
	ClassRequest: {
		ZhTW: "本網站的系統發生錯誤，請改用其他方式，或洽本網站服務窗口。",
		En:   "This site has a system error. Use another way, or contact its help desk.",
	},
	ClassCredentials: {
		ZhTW: "本網站暫時無法使用行動自然人憑證，請改用其他方式。",
		En:   "This site cannot use the Mobile Citizen Digital Certificate at present. Please use another way.",
	},
	ClassUndeliverable: {
		ZhTW: "無法將通知送達您的手機，請開啟行動自然人憑證 App 後再試一次，或改用 QR Code。",
		En:   "The notification could not reach your phone. Open the TW FidO app and try again, or use the QR code.",
	},
	ClassPushFault: {
		ZhTW: "推播服務暫時無法使用，請稍後再試，或改用 QR Code。",
		En:   "The notification service is not available at the moment. Try again later, or use the QR code.",
	},
	ClassFault: {
		ZhTW: "行動自然人憑證系統暫時無法使用，請稍後再試。",
		En:   "The Mobile Citizen Digital Certificate system is not available at the moment. Please try again later.",
	},
	ClassUnknownCode: {
		ZhTW: "行動自然人憑證系統無法完成驗證，請重新開始。",
		En:   "The Mobile Citizen Digital Certificate system could not complete the check. Please start again.",
	},
	ClassIDNumber: {
		ZhTW: "身分證統一編號或統一證號的格式不正確，請確認後重新輸入。",
		En:   "The national ID number or resident certificate number has the wrong form. Check it and enter it again.",
	},
	ClassTransport: {
		ZhTW: "目前無法連線至行動自然人憑證系統，請稍後再試。",
		En:   "The Mobile Citizen Digital Certificate system cannot be reached at the moment. Please try again later.",
	},
	ClassAnswer: {
		ZhTW: "行動自然人憑證系統的回覆無法接受，請重新開始。",
		En:   "The answer of the Mobile Citizen Digital Certificate system cannot be accepted. Please start again.",
	},
	ClassChecksum: {
		ZhTW: "行動自然人憑證系統的回覆無法確認真偽，為保護您的安全，本次作業已終止。",
		En:   "The answer of the Mobile Citizen Digital Certificate system could not be authenticated. For your security, this has been ended.",
	},
}
