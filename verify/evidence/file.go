package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// Format is what a file of evidence says that it is.
const Format = "citizencert-evidence/1"

// MaxFile is the largest line that Parse reads, in bytes: a message of the largest
// size in base64, with room for what its verdict rests on.
const MaxFile = 160 << 20

// A File is a Record as it is kept, perhaps with seals: one line of JSON.
type File struct {
	Record *Record
	Seals  []Seal

	record []byte // the JSON of Record, which the hash and the seals are over
}

// line is the JSON of a file, in the order of its members.
type line struct {
	Format string          `json:"format"`
	SHA256 Hash            `json:"sha256"`
	Record json.RawMessage `json:"record"`
	Seals  []Seal          `json:"seals,omitempty"`
}

// NewFile encodes a record, which must not be modified afterwards.
func NewFile(record *Record) (*File, error) {
	data, err := encode(record)
	if err != nil {
		return nil, fmt.Errorf("evidence: encoding a record: %w", err)
	}
	return &File{Record: record, record: data}, nil
}

// Bytes returns the JSON of the record, of which Hash is the SHA-256. It must not be
// modified.
func (f *File) Bytes() []byte { return f.record }

// Hash returns the SHA-256 of the record.
func (f *File) Hash() Hash { return HashOf(f.record) }

// Encode returns the file: one line, with its line feed.
func (f *File) Encode() ([]byte, error) {
	data, err := encode(line{Format, f.Hash(), f.record, f.Seals})
	if err != nil {
		return nil, fmt.Errorf("evidence: encoding a file: %w", err)
	}
	return append(data, '\n'), nil
}

// LogValue says nothing of whom the verdict is about.
func (f *File) LogValue() slog.Value {
	return slog.GroupValue(slog.String("sha256", f.Hash().String()), slog.Any("record", f.Record))
}

// String is LogValue for package fmt.
func (f *File) String() string { return "evidence " + f.Hash().String() }

// GoString returns String.
func (f *File) GoString() string { return f.String() }

// LogValue says nothing of whom the verdict is about.
func (r *Record) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("method", string(r.Asked.Method)), slog.String("outcome", string(r.Verdict.Outcome))}
	if r.Verdict.Refusal != nil {
		attrs = append(attrs, slog.String("reason", string(r.Verdict.Refusal.Reason)))
	}
	return slog.GroupValue(append(attrs, slog.String("policy", r.Basis.Policy), slog.String("environment", r.Basis.Environment))...)
}

// String is LogValue for package fmt.
func (r *Record) String() string {
	return fmt.Sprintf("evidence record(%s %s)", r.Asked.Method, r.Verdict.Outcome)
}

// GoString returns String.
func (r *Record) GoString() string { return r.String() }

// encode writes a value in the one form there is: no space between tokens, members
// in the order of the struct, characters as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(4 << 10) // of a record whose objects are in a store
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Parse reads a file: one line, with or without its line feed. Every byte of it
// counts: what is not exactly as [File.Encode] writes it is a [*DamageError], which
// names the part and, if the bytes of an object have changed, the object.
//
// Nothing is verified but that the file is whole: whoever can write it can write
// another. See [Judge] and [File.CheckKey].
func Parse(data []byte) (*File, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("evidence: file of %d bytes, want at most %d", len(data), MaxFile)
	}
	data = bytes.TrimSuffix(data, []byte("\n"))
	var l line
	if err := json.Unmarshal(data, &l); err != nil {
		return nil, syntaxDamage(err)
	}
	if l.Format != Format {
		return nil, &DamageError{Part: "file", Err: fmt.Errorf("its format is %.40q, want %q", l.Format, Format)}
	}
	f := &File{Seals: l.Seals, record: l.Record}
	start := int64(max(0, bytes.Index(data, l.Record)))
	if err := f.parseRecord(l.SHA256, start); err != nil {
		return nil, err
	}
	for i := range f.Seals {
		if s := &f.Seals[i]; !s.intact() {
			return nil, &DamageError{Part: "seal", Object: s.SHA256, Offset: start + int64(len(l.Record)), Err: errChanged}
		}
	}
	again, err := f.Encode()
	if err != nil {
		return nil, err
	}
	if at := difference(data, again[:len(again)-1]); at >= 0 {
		return nil, &DamageError{Part: "file", Offset: int64(at), Err: errNotCanonical}
	}
	return f, nil
}

var (
	errChanged      = errors.New("it has changed")
	errNotCanonical = errors.New("it is not written as it would be")
)

// parseRecord reads the record, which begins at an offset of the file.
func (f *File) parseRecord(want Hash, start int64) error {
	changed := HashOf(f.record) != want
	f.Record = new(Record)
	if err := json.Unmarshal(f.record, f.Record); err != nil {
		damage := syntaxDamage(err)
		damage.Part, damage.Offset = "record", damage.Offset+start
		return damage
	}
	for i := range f.Record.Objects {
		o := &f.Record.Objects[i]
		if err := o.check(); err != nil {
			at := bytes.Index(f.record, fmt.Appendf(nil, `"sha256":"%v"`, o.SHA256))
			return &DamageError{Part: string(o.Kind), Object: o.SHA256, Offset: start + int64(max(0, at)), Err: err}
		}
	}
	again, err := encode(f.Record)
	if err != nil {
		return err
	}
	if at := difference(f.record, again); at >= 0 {
		return &DamageError{Part: "record", Offset: start + int64(at), Err: errNotCanonical}
	}
	if changed {
		return &DamageError{Part: "record", Object: want, Offset: start, Err: errors.New("something but the objects in it has changed")}
	}
	return f.Record.check(start)
}

// check checks an object against its hash, if it is there.
func (o *Object) check() error {
	if o.Data == nil && o.Size > 0 || o.Size < 0 {
		return nil
	}
	if int64(len(o.Data)) != o.Size || HashOf(o.Data) != o.SHA256 {
		return errChanged
	}
	return nil
}

// check checks that a record is one that this package has written, as far as it
// goes on with it.
func (r *Record) check(start int64) error {
	fail := func(format string, args ...any) error {
		return &DamageError{Part: "record", Offset: start, Err: fmt.Errorf(format, args...)}
	}
	seen := make(map[Hash]bool, len(r.Objects))
	for _, o := range r.Objects {
		if seen[o.SHA256] || o.Size < 0 {
			return fail("object %v is there twice, or has no size", o.SHA256)
		}
		seen[o.SHA256] = true
	}
	v := &r.Verdict
	if (v.Outcome == Accepted) == (v.Refusal != nil) || v.Outcome != Accepted && v.Outcome != Refused {
		return fail("outcome %.20q does not fit", v.Outcome)
	}
	for _, s := range v.Signers {
		if len(s.Path) == 0 {
			return fail("signer %d has no path", s.Index)
		}
		for _, t := range s.Timestamps {
			if t.Reason == "" && len(t.Path) == 0 {
				return fail("a time-stamp of signer %d has no path", s.Index)
			}
		}
	}
	return nil
}

func syntaxDamage(err error) *DamageError {
	damage := &DamageError{Part: "file", Err: err}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		damage.Offset = e.Offset
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		damage.Offset = e.Offset
	}
	return damage
}

// difference returns where two texts begin to differ, or -1.
func difference(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
