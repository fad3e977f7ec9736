package signin

import (
	"strconv"
	"strings"
)

// A Language is one of those in which the citizen is told things, named as in
// the lang attribute of a page.
type Language string

// The languages.
const (
	Chinese Language = "zh-Hant-TW"
	English Language = "en"
)

// In returns the sentence in a language: in Chinese unless it is English.
func (t Text) In(lang Language) string {
	if lang == English {
		return t.En
	}
	return t.ZhTW
}

// ParseLanguage knows a language by the first part of its tag (RFC 5646): a
// reader of any Chinese is better served by Traditional Chinese than by English.
func ParseLanguage(tag string) (Language, bool) {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	switch primary {
	case "zh":
		return Chinese, true
	case "en":
		return English, true
	}
	return "", false
}

// PreferredLanguage returns what the header Accept-Language asks for (RFC 9110,
// Section 12.5.4), and Chinese if that is nothing we have. Of equal weights the
// first wins, as browsers mean it.
func PreferredLanguage(header string) Language {
	best, weight := Chinese, 0.0
	for item := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(item, ";")
		lang, ok := ParseLanguage(strings.TrimSpace(tag))
		if !ok {
			continue
		}
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			q, _ = strconv.ParseFloat(value, 64) // 0 if unreadable: not wanted
		}
		if q > weight {
			best, weight = lang, q
		}
	}
	return best
}
