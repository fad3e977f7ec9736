package webpage

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

func TestAssets(t *testing.T) {
	files := fstest.MapFS{"assets/a.js": {Data: []byte("one")}, "assets/b.js": {Data: []byte("two")}}
	a, b := NewAsset(files, "assets/a.js"), NewAsset(files, "assets/b.js")
	for name, want := range map[string]string{a.Name: "200 one", b.Name: "200 two", "a.js": "404 404 page not found\n"} {
		w := httptest.NewRecorder()
		Serve(w, httptest.NewRequest("GET", "/", nil), name, a, b)
		if got := fmt.Sprint(w.Code, " ", w.Body); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestIsPath(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/a/b?c": true, "": false, "a": false, "//elsewhere.example": false, `/\elsewhere.example`: false,
		"/\t/elsewhere.example": false, "/\n/elsewhere.example": false, "/\r/elsewhere.example": false, "/中文": true,
	} {
		if got := IsPath(path); got != want {
			t.Errorf("%q: got %t", path, got)
		}
	}
}

func TestOnPhone(t *testing.T) {
	const iPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	for _, test := range []struct {
		agent, hint string
		want        bool
	}{
		{"", "", false},
		{"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "", false},
		{iPhone, "", true},
		{"", "?1", true},
		{iPhone, "?0", false}, // somebody asks for the page of a computer
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("User-Agent", test.agent)
		if test.hint != "" {
			r.Header.Set("Sec-CH-UA-Mobile", test.hint)
		}
		if got := OnPhone(r); got != test.want {
			t.Errorf("%q, %q: got %t", test.agent, test.hint, got)
		}
	}
}
