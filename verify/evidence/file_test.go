package evidence_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// smallFile is a sealed record with little inside, so that every byte can be tried.
func smallFile(t testing.TB) []byte {
	t.Helper()
	w := newWorld(t)
	r := w.recorder(t)
	r.Store = new(evidence.Memory)
	f := ask(t, r, evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", nil)}, nil, "")
	if err := f.SealWith(sealKeys(t)[0]); err != nil {
		t.Fatal(err)
	}
	data, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A changed byte is found wherever it is, whatever it is changed to.
func TestFlippedByte(t *testing.T) {
	data := smallFile(t)
	last := len(data) - 1 // a file without its line feed is whole
	for i := range data[:last] {
		for _, mask := range []byte{0x01, 0x20} {
			data[i] ^= mask
			_, err := evidence.Parse(data)
			if e, ok := errors.AsType[*evidence.DamageError](err); !ok {
				t.Fatalf("byte %d (%q) changed to %q: got %v, want damage", i, data[i]^mask, data[i], err)
			} else if e.Offset < 0 || e.Offset > int64(len(data)) || e.Part == "" {
				t.Errorf("byte %d changed: got %+v", i, e)
			}
			data[i] ^= mask
		}
	}
	for n := range last {
		if _, err := evidence.Parse(data[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes pass for a file", n, len(data))
		}
	}
	if _, err := evidence.Parse(data); err != nil {
		t.Errorf("unchanged: %v", err)
	}
	if _, err := evidence.Parse(data[:last]); err != nil {
		t.Errorf("without line feed: %v", err)
	}
}

// What has changed inside an object is told by the name of the object.
func TestDamageIsNamed(t *testing.T) {
	w := newWorld(t)
	f := ask(t, w.recorder(t), evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", nil)}, nil, "")
	data, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Record.Objects) == 0 {
		t.Fatal("the record has no objects")
	}
	for _, o := range f.Record.Objects {
		start := bytes.Index(data, []byte(`"sha256":"`+o.SHA256.String()))
		inside := start + bytes.Index(data[start:], []byte(`"data":"`)) + 100
		changed := bytes.Clone(data)
		if changed[inside]++; changed[inside] > 'y' || changed[inside] < 'B' {
			changed[inside] = 'C'
		}
		_, err := evidence.Parse(changed)
		e, ok := errors.AsType[*evidence.DamageError](err)
		if !ok || e.Part != string(o.Kind) || e.Object != o.SHA256 || e.Offset != int64(start) {
			t.Errorf("%s %v at %d changed: got %v", o.Kind, o.SHA256, start, err)
		}
	}
}

// Only one spelling of a file passes.
func TestCanonical(t *testing.T) {
	data := string(smallFile(t))
	for name, change := range map[string]string{
		"white space":       strings.Replace(data, `{"format":`, `{ "format":`, 1),
		"another case":      strings.Replace(data, `"record":`, `"Record":`, 1),
		"an unknown member": strings.Replace(data, `{"format":`, `{"more":1,"format":`, 1),
		"a member twice":    strings.Replace(data, `{"format":`, `{"format":"citizencert-evidence/1","format":`, 1),
		"an escape":         strings.Replace(data, `"citizencert-evidence/1"`, `"citizencert-evidence\/1"`, 1),
		"another format":    strings.Replace(data, `citizencert-evidence/1`, `citizencert-evidence/2`, 1),
		"two lines":         data + data,
		"nothing":           "",
		"a list":            "[]",
		"deep":              strings.Repeat("[", 100_000),
		"no record":         `{"format":"citizencert-evidence/1"}`,
	} {
		if _, err := evidence.Parse([]byte(change)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// A record in which the verdict was changed, with its hash made to fit, is judged
// again to another verdict; sealed, it is refused at once.
func TestForgedVerdict(t *testing.T) {
	w := newWorld(t)
	der := w.sign(t, "a filing", nil)
	w.G3.MOICA.Revoke(w.card.Cert, noon().Add(-1), pkitest.ReasonKeyCompromise)
	f := ask(t, w.recorder(t), evidence.Question{Method: evidence.SignedData, Signature: der}, nil, verify.ReasonRevoked)
	key := sealKeys(t)[0]
	if err := f.SealWith(key); err != nil {
		t.Fatal(err)
	}
	if err := f.CheckKey(key.Public()); err != nil {
		t.Errorf("sealed: %v", err)
	}
	forged := *f.Record
	forged.Verdict = evidence.Verdict{Outcome: evidence.Accepted, At: f.Record.Basis.Clock, AtKind: verify.InstantNow}
	g, err := evidence.NewFile(&forged)
	if err != nil {
		t.Fatal(err)
	}
	g.Seals = f.Seals
	g = reread(t, g)
	if err := g.CheckKey(key.Public()); !errors.Is(err, evidence.ErrNotSealed) {
		t.Errorf("got %v for the seal of another record, want ErrNotSealed", err)
	}
	j, err := w.judge(t, nil).Judge(t.Context(), g.Record, nil)
	if err != nil {
		t.Fatal(err)
	}
	if j.Same() || j.Refusal == nil || j.Refusal.Reason != verify.ReasonRevoked {
		t.Errorf("got %v, want it refused", j)
	}
}

// Evidence that is left out of a record is missed.
func TestStrippedEvidence(t *testing.T) {
	w := newWorld(t)
	f := ask(t, w.recorder(t), evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", nil)}, nil, "")
	answers := 0
	for i, o := range f.Record.Objects {
		if o.Kind != evidence.KindOCSP {
			continue
		}
		answers++
		stripped := *f.Record
		stripped.Objects = append(append([]evidence.Object(nil), f.Record.Objects[:i]...), f.Record.Objects[i+1:]...)
		j, err := w.judge(t, nil).Judge(t.Context(), &stripped, nil)
		if err != nil {
			t.Fatal(err)
		}
		if j.Same() || j.Refusal == nil || j.Refusal.Reason != verify.ReasonStatusUnavailable {
			t.Errorf("without %s %d: got %v", o.Kind, i, j)
		}
	}
	if answers != 2 {
		t.Errorf("the record has %d OCSP responses, want 2", answers)
	}
}

// What parses is written as it was read, and judging it does not fail in any other
// way than the documented ones.
func FuzzParse(f *testing.F) {
	w := newWorld(f)
	for _, q := range []evidence.Question{
		{Method: evidence.SignedData, Signature: w.sign(f, "a filing", nil)},
		{Method: evidence.Certificate, Certificate: w.card.Cert.Raw},
		{Method: evidence.SignedData, Signature: []byte("no DER")},
	} {
		r := w.recorder(f)
		rec, _, _ := r.Ask(f.Context(), q, nil)
		file, err := evidence.NewFile(rec)
		if err != nil {
			f.Fatal(err)
		}
		if err := file.SealWith(sealKeys(f)[0]); err != nil {
			f.Fatal(err)
		}
		data, err := file.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(file.Bytes()) // a record without a file around it
	}
	judge := w.judge(f, nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := evidence.Parse(data)
		switch {
		case err == nil:
			if again, err := file.Encode(); err != nil || !bytes.Equal(bytes.TrimSuffix(again, []byte("\n")), bytes.TrimSuffix(data, []byte("\n"))) {
				t.Errorf("got %s, %v when written again", again, err)
			}
		default: // a record by itself, which nobody has hashed
			if file, err = evidence.ParseRecord(data); err != nil {
				return
			}
		}
		j, err := judge.Judge(t.Context(), file.Record, nil)
		if (j == nil) == (err == nil) {
			t.Errorf("got %v and %v", j, err)
		}
	})
}
