package signin_test

import (
	"strings"
	"testing"

	"github.com/citizencert/citizencert/signin"
)

func TestPreferredLanguage(t *testing.T) {
	for header, want := range map[string]signin.Language{
		"":                                signin.Chinese,
		"fr, de;q=0.5":                    signin.Chinese,
		"en":                              signin.English,
		"en-GB, zh-TW":                    signin.English,
		"zh-CN":                           signin.Chinese,
		"en;q=0.3, zh-TW;q=0.8":           signin.Chinese,
		"fr, zh;q=0.2, en ; q=0.4":        signin.English,
		"en;q=nonsense":                   signin.Chinese,
		"en;q=0":                          signin.Chinese,
		strings.Repeat("fr,", 100) + "en": signin.English,
	} {
		if got := signin.PreferredLanguage(header); got != want {
			t.Errorf("Accept-Language %q: got %s, want %s", header, got, want)
		}
	}
}

func TestTextIn(t *testing.T) {
	text := signin.Text{ZhTW: "測試", En: "test"}
	for lang, want := range map[signin.Language]string{signin.Chinese: "測試", signin.English: "test", "": "測試"} {
		if got := text.In(lang); got != want {
			t.Errorf("in %q: got %q, want %q", lang, got, want)
		}
	}
}
