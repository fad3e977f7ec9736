package evidence_test

import (
	"bytes"
	"crypto"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A message that was read as a stream is recorded by its hash, and judged again by
// whoever has it.
func TestStreamed(t *testing.T) {
	w := newWorld(t)
	der := w.sign(t, "a filing", nil)
	v := w.verifier(t, nil)
	opts := &verify.Options{ReceivedAt: noon()}
	res, err := v.CopyUnverified(t.Context(), nil, bytes.NewReader(der), opts)
	if err != nil {
		t.Fatal(err)
	}
	q := evidence.Question{Method: evidence.Streamed, SignatureHash: evidence.HashOf(der), SignatureSize: int64(len(der)), Options: opts}
	inside := &evidence.Recorder{Verifier: v}
	if rec, err := inside.Record(t.Context(), q, v.Now(), res, nil); rec != nil || err == nil || !strings.Contains(err.Error(), "SignaturesApart") {
		t.Errorf("got %v, %v, want an error about the message, which is not at hand", rec, err)
	}
	apart := &evidence.Recorder{Verifier: v, SignaturesApart: true}
	rec, err := apart.Record(t.Context(), q, v.Now(), res, nil)
	if err != nil {
		t.Fatal(err)
	}
	file, err := evidence.NewFile(rec)
	if err != nil {
		t.Fatal(err)
	}
	w.silence()
	judge := w.judge(t, nil)
	wantSame(t, judge, reread(t, file), &evidence.Given{Signature: der})
	_, err = judge.Judge(t.Context(), rec, &evidence.Given{Signature: der[:len(der)-1]})
	if missing, ok := errors.AsType[*evidence.MissingError](err); !ok || missing.Hash != q.SignatureHash {
		t.Errorf("another message: got %v, want a MissingError about the message", err)
	}
}

// What a caller knows of the content stands if a refusal came before it was read.
func TestSumsOfUnread(t *testing.T) {
	w := newWorld(t)
	q := evidence.Question{Method: evidence.Detached, Signature: []byte("no SignedData")}
	know := q
	know.Sums = map[crypto.Hash][]byte{crypto.SHA256: make([]byte, crypto.SHA256.Size())}
	for _, test := range []struct {
		q    evidence.Question
		want int
	}{{q, 0}, {know, 1}} {
		rec, _, err := w.recorder(t).Ask(t.Context(), test.q, reader("a filing"))
		if rec == nil {
			t.Fatal(err)
		}
		if got := len(rec.Asked.Content); got != test.want {
			t.Errorf("got %d digests of content, want %d", got, test.want)
		}
	}
}

// Has knows what is there, for a writer and for a reader who came before.
func TestPackHas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pack")
	writer := openPack(t, path)
	early := readPack(t, path)
	there := put(t, writer, object(1))
	for _, p := range []*evidence.Pack{writer, early} {
		if ok, err := p.Has(there); err != nil || !ok {
			t.Errorf("an object that is there: got %t, %v", ok, err)
		}
		if ok, err := p.Has(evidence.HashOf(object(2))); err != nil || ok {
			t.Errorf("an object that is not there: got %t, %v", ok, err)
		}
	}
}
