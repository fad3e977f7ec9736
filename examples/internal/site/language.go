package site

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Language is one of those in which every page exists.
type Language string

// The languages, named as in the lang attribute of a page.
const (
	Chinese Language = "zh-Hant-TW"
	English Language = "en"
)

// Languages has the default first.
var Languages = []Language{Chinese, English}

const languageCookie = "lang"

// languageOf chooses the language of an answer: the one asked for by ?lang,
// which is remembered, then the remembered one, then what the browser prefers.
func languageOf(w http.ResponseWriter, r *http.Request) Language {
	if lang, ok := parseLanguage(r.URL.Query().Get("lang")); ok {
		http.SetCookie(w, &http.Cookie{
			Name: languageCookie, Value: string(lang),
			Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		return lang
	}
	if c, err := r.Cookie(languageCookie); err == nil {
		if lang, ok := parseLanguage(c.Value); ok {
			return lang
		}
	}
	return preferred(r.Header.Get("Accept-Language"))
}

// preferred reads Accept-Language (RFC 9110, Section 12.5.4). Of equal weights
// the first wins, as browsers mean it.
func preferred(header string) Language {
	best, weight := Languages[0], 0.0
	for item := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(item, ";")
		lang, ok := parseLanguage(strings.TrimSpace(tag))
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

// parseLanguage knows a language by the first part of its tag: a reader of any
// Chinese is better served by Traditional Chinese than by English.
func parseLanguage(tag string) (Language, bool) {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	switch primary {
	case "zh":
		return Chinese, true
	case "en":
		return English, true
	}
	return "", false
}

// texts are the sentences of one language by key.
type texts map[string]string

// readTexts merges catalogues. A key that two of them have is a mistake.
func readTexts(lang Language, from ...fs.FS) (texts, error) {
	name := map[Language]string{Chinese: "texts/zh-TW.json", English: "texts/en.json"}[lang]
	all := make(texts)
	for _, fsys := range from {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("site: %w", err)
		}
		var some texts
		if err := json.Unmarshal(data, &some); err != nil {
			return nil, fmt.Errorf("site: %s: %w", name, err)
		}
		for key, text := range some {
			if _, twice := all[key]; twice {
				return nil, fmt.Errorf("site: %s: %q is there twice", name, key)
			}
			all[key] = text
		}
	}
	return all, nil
}

// functions are what templates can call:
//
//	{{t "key" args…}}   the sentence, with its verbs filled in
//	{{word "kind" .V}}  the text kind.V, or V itself if there is none
//	{{when .Time}}      a time of day in Taiwan
func (all texts) functions(lang Language) template.FuncMap {
	return template.FuncMap{
		"lang": func() Language { return lang },
		"t": func(key string, args ...any) (string, error) {
			text, ok := all[key]
			if !ok {
				return "", fmt.Errorf("no text %q in %s", key, lang)
			}
			if len(args) > 0 {
				text = fmt.Sprintf(text, args...)
			}
			return text, nil
		},
		"word": func(kind string, value any) string {
			v := fmt.Sprint(value)
			return cmp.Or(all[kind+"."+v], v)
		},
		"when": func(t time.Time) string {
			if t.IsZero() {
				return "–"
			}
			return t.In(taiwan).Format("2006-01-02 15:04:05 (UTC+8)")
		},
	}
}
