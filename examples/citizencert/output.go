package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// writeReport writes what a command has found out, in either form.
func writeReport(w io.Writer, r report, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(r)
	}
	text := &textWriter{w: w}
	r.writeText(text)
	return text.err
}

// A textWriter writes lines of a label and a value, the values in one column. It
// keeps its first error.
type textWriter struct {
	w      io.Writer
	indent string
	err    error
}

// labelWidth is the column in which values begin.
const labelWidth = 20

// line writes a label and a value, or nothing if there is no value.
func (t *textWriter) line(label, format string, args ...any) {
	value := printable(fmt.Sprintf(format, args...))
	if t.err != nil || value == "" {
		return
	}
	_, t.err = fmt.Fprintf(t.w, "%-*s %s\n", labelWidth, t.indent+label, value)
}

// lines writes several values under one label.
func (t *textWriter) lines(label string, values []string) {
	for _, value := range values {
		t.line(label, "%s", value)
		label = ""
	}
}

// title writes a line of its own.
func (t *textWriter) title(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, "%s%s\n", t.indent, printable(fmt.Sprintf(format, args...)))
	}
}

// nested writes what f writes, indented.
func (t *textWriter) nested(f func()) {
	outer := t.indent
	t.indent += "  "
	f()
	t.indent = outer
}

// printable replaces what a terminal could obey: values come from certificates
// that nobody has vouched for.
func printable(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// timeText returns a time as it stands in JSON, or nothing for none.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// period returns two times as one.
func period(from, to time.Time) string {
	if to.IsZero() {
		return "from " + timeText(from)
	}
	return timeText(from) + " to " + timeText(to)
}
