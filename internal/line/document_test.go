package line_test

import (
	"testing"

	"github.com/citizencert/citizencert/internal/line"
)

func TestBegins(t *testing.T) {
	wide := ""
	for _, c := range line.Prefix {
		wide += string(c) + "\x00"
	}
	for content, want := range map[string]bool{
		"":                              false,
		"a document":                    false,
		"citizencert":                   false,
		" " + line.Prefix:               false,
		line.Prefix:                     true,
		line.Prefix + "1/file/":         true,
		"\xef\xbb\xbf" + line.Prefix:    true,
		wide:                            true,
		"\xff\xfe" + wide:               true,
		"\xff\xfe" + wide[:len(wide)-1]: false,
	} {
		if got := line.Begins([]byte(content)); got != want {
			t.Errorf("%q: got %t, want %t", content, got, want)
		}
	}
}
