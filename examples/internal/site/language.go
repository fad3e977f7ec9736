package site

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/signin"
)

// languages are those in which every page exists.
var languages = []signin.Language{signin.Chinese, signin.English}

const languageCookie = "lang"

// languageOf chooses the language of an answer: the one asked for by ?lang,
// which is remembered, then the remembered one, then what the browser prefers.
func languageOf(w http.ResponseWriter, r *http.Request) signin.Language {
	if lang, ok := signin.ParseLanguage(r.URL.Query().Get("lang")); ok {
		http.SetCookie(w, &http.Cookie{
			Name: languageCookie, Value: string(lang),
			Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		return lang
	}
	if c, err := r.Cookie(languageCookie); err == nil {
		if lang, ok := signin.ParseLanguage(c.Value); ok {
			return lang
		}
	}
	return signin.PreferredLanguage(r.Header.Get("Accept-Language"))
}

// texts are the sentences of one language by key.
type texts map[string]string

// readTexts merges catalogues. A key that two of them have is a mistake.
func readTexts(lang signin.Language, from ...fs.FS) (texts, error) {
	name := map[signin.Language]string{signin.Chinese: "texts/zh-TW.json", signin.English: "texts/en.json"}[lang]
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
func (all texts) functions(lang signin.Language) template.FuncMap {
	return template.FuncMap{
		"lang": func() signin.Language { return lang },
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
