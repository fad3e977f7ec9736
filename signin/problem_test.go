package signin

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Every reason that this package and package verify can give has a code, and every
// code its sentence in both languages. The lists are read out of the source, where
// one can be added and forgotten here.
func TestProblems(t *testing.T) {
	reasons := append(constants(t, ".", "Reason"), constants(t, "../verify", "Reason")...)
	for _, reason := range reasons {
		code, ok := codes[Reason(reason)]
		if !ok {
			t.Errorf("reason %s has no code", reason)
			continue
		}
		p := (&Error{Reason: Reason(reason)}).Problem()
		if p.Code != code || p.Status < 400 || p.Retryable != (p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests) {
			t.Errorf("%s: got %+v, want code %s", reason, p, code)
		}
		if (p.Status == http.StatusInternalServerError) != (Reason(reason) == ReasonInternal) {
			t.Errorf("%s: got status %d", reason, p.Status)
		}
	}
	known := constants(t, ".", "Code")
	for _, code := range known {
		text := sentences[Code(code)]
		if !strings.HasSuffix(text.ZhTW, "。") || !strings.HasSuffix(text.En, ".") {
			t.Errorf("code %s: got %+v, want a sentence in each language", code, text)
		}
	}
	if len(reasons) < 50 || len(known) != len(sentences) || len(reasons) != len(codes) {
		t.Errorf("got %d reasons, %d with a code; %d codes, %d with a sentence", len(reasons), len(codes), len(known), len(sentences))
	}
	if p := (&Error{Reason: "of the future"}).Problem(); p.Code != CodeInternal || p.Status != http.StatusInternalServerError {
		t.Errorf("got %+v for a reason that is not known", p)
	}
}

// constants returns the values of the constants of a type that the files of a
// folder declare.
func constants(t *testing.T, dir, typeName string) (values []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			of, named := spec.Type.(*ast.Ident)
			literal, isLiteral := spec.Values[0].(*ast.BasicLit)
			if named && of.Name == typeName && isLiteral {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
			return true
		})
	}
	if len(values) == 0 {
		t.Fatal(fs.ErrNotExist)
	}
	return values
}
