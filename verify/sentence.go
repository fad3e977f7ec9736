package verify

import "strings"

// A sentence is one statement in both languages.
type sentence struct{ zh, en string }

// sentences tell citizens what a service cannot accept and, where there is
// something to do, what. They name no technique that a citizen has no part in:
// that is for the trace.
var sentences = map[Reason]sentence{
	ReasonLimit:             {"簽章檔過大或結構過於複雜，無法受理。", "The signature file is too large or too complex to be accepted."},
	ReasonMalformed:         {"簽章檔格式不正確，請重新簽章後再送出。", "The signature file has the wrong format. Please sign again and resubmit."},
	ReasonNotDER:            {"簽章檔的編碼不符規定，請重新簽章後再送出。", "The signature file is not encoded as required. Please sign again and resubmit."},
	ReasonNoSigner:          {"簽章檔中沒有簽章，或缺少簽章憑證。", "The signature file contains no signature, or the signing certificate is missing."},
	ReasonContentType:       {"簽章檔的內容類型不符規定。", "The signature file has a type of content that is not accepted."},
	ReasonContentMissing:    {"缺少被簽署的文件，請一併送出。", "The signed document is missing. Please submit it as well."},
	ReasonSignedAttributes:  {"簽章檔的簽署屬性缺漏、重複或互相矛盾。", "The signed attributes in the signature file are missing, repeated or contradictory."},
	ReasonDigestMismatch:    {"文件內容與簽署時不同，請確認文件後重新簽章。", "The document is not the one that was signed. Please check it and sign again."},
	ReasonAlgorithm:         {"簽章或憑證使用的演算法或金鑰長度不符規定。", "The signature or a certificate uses an algorithm or key length that is not accepted."},
	ReasonBadSignature:      {"簽章驗證失敗，請重新簽章。", "The signature could not be verified. Please sign again."},
	ReasonUntrusted:         {"簽章憑證不是由本服務接受的憑證機構簽發。", "The signing certificate was not issued by a certification authority that this service accepts."},
	ReasonExpired:           {"憑證已過期，請先完成憑證展期或換發。", "The certificate has expired. Please have it extended or replaced first."},
	ReasonNotYetValid:       {"憑證尚未生效。", "The certificate is not valid yet."},
	ReasonConstraints:       {"簽章憑證的憑證鏈不符規定。", "The certification path of the signing certificate does not follow the rules."},
	ReasonProfile:           {"此憑證不能用於此項服務，請改用本人的簽章憑證。", "This certificate cannot be used for this service. Please use your own signature certificate."},
	ReasonPolicy:            {"簽章憑證的憑證政策不符規定。", "The certificate policy of the signing certificate is not accepted."},
	ReasonEnvironment:       {"測試用與正式的憑證不得混用。", "Test certificates and production certificates must not be mixed."},
	ReasonPurpose:           {"此簽章是為其他用途而作，不能用於此項服務。", "This signature was made for another purpose and cannot be used for this service."},
	ReasonRevoked:           {"憑證已廢止，請向發證機關申請新憑證。", "The certificate has been revoked. Please apply to the issuing authority for a new one."},
	ReasonSuspended:         {"憑證目前停用中，請先辦理復用。", "The certificate is suspended. Please have it reinstated first."},
	ReasonStatusUnknown:     {"憑證機構查無此憑證的狀態。", "The certification authority does not know the status of this certificate."},
	ReasonStatusUnavailable: {"目前無法查詢憑證狀態，請稍後再試。", "The status of the certificate cannot be looked up at the moment. Please try again later."},
	ReasonStatusStale:       {"可取得的憑證狀態資訊不在有效期間內，請稍後再試。", "The certificate status information that could be obtained is not current. Please try again later."},
	ReasonCanceled:          {"查驗未能完成，請稍後再試。", "The check could not be completed. Please try again later."},
}

// other is for a reason of a later version.
var other = sentence{"無法受理此簽章。", "This signature cannot be accepted."}

var (
	passedSignature   = sentence{"簽章驗證通過。", "The signature has been verified."}
	passedCertificate = sentence{"憑證驗證通過。", "The certificate has been verified."}
)

// in chooses a language by the first part of its tag (RFC 5646): Traditional
// Chinese for any Chinese, English for everything else.
func (s sentence) in(lang string) string {
	primary, _, _ := strings.Cut(lang, "-")
	if strings.EqualFold(primary, "zh") {
		return s.zh
	}
	return s.en
}

// Sentence returns one sentence for the citizen, in Traditional Chinese for
// "zh-TW" and other tags of Chinese, and in English otherwise. It is plain text:
// escape it like any other.
func (r Reason) Sentence(lang string) string {
	if s, ok := sentences[r]; ok {
		return s.in(lang)
	}
	return other.in(lang)
}

// Sentence returns one sentence for the citizen, as [Reason.Sentence] does. What
// the log needs is in Error.
func (e *Error) Sentence(lang string) string { return e.Reason.Sentence(lang) }

// Sentence returns one sentence for the citizen, as [Reason.Sentence] does.
func (r *Result) Sentence(lang string) string {
	if r.setting.question == askedCertificate {
		return passedCertificate.in(lang)
	}
	return passedSignature.in(lang)
}
