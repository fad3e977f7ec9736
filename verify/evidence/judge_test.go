package evidence_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// Records are judged side by side, each by its own clock and evidence.
func TestConcurrentJudge(t *testing.T) {
	w := newWorld(t)
	var files []*evidence.File
	for i := range 8 {
		if i == 4 {
			w.G3.MOICA.Revoke(w.card.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
		}
		want := verify.Reason("")
		if i >= 4 {
			want = verify.ReasonRevoked
		}
		q := evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, fmt.Sprint("filing ", i), nil)}
		files = append(files, ask(t, w.recorder(t), q, nil, want))
		w.clock.Advance(24 * time.Hour)
	}
	judge := w.judge(t, nil)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for _, f := range files {
				wantSame(t, judge, f, nil)
			}
		})
	}
	wait.Wait()
}

// A record that names another profile than that of the scheme is judged by it, if the
// Judge knows it.
func TestOtherProfile(t *testing.T) {
	w := newWorld(t)
	profile := verify.Profile{Name: "encryption", KeyUsage: x509.KeyUsageKeyEncipherment}
	q := evidence.Question{Method: evidence.Certificate, Certificate: w.card.Cert.Raw, Options: &verify.Options{Profile: &profile}}
	f := ask(t, w.recorder(t), q, nil, verify.ReasonProfile)
	wantSame(t, w.judge(t, func(cfg *evidence.JudgeConfig) { cfg.Profiles = []verify.Profile{profile} }), f, nil)
	j, err := w.judge(t, nil).Judge(t.Context(), f.Record, nil)
	if err != nil {
		t.Fatal(err)
	}
	if j.Same() || len(j.Context) != 1 || j.Context[0].What != "profile" {
		t.Errorf("by a Judge that does not know the profile: got %v", j)
	}
}

// A list that nobody could have fetched any more is judged as from where it came: a
// partition without scope covers who names its URL, and nobody else.
func TestListWithoutScope(t *testing.T) {
	w := newWorld(t)
	w.Script(w.G3.MOICA.URLs.OCSP, http.NotFoundHandler())
	w.Script(w.G3.MOICA.URLs.Partition, w.G3.MOICA.CRLHandler(pkitest.CRLOptions{}))
	f := ask(t, w.recorder(t), evidence.Question{Method: evidence.SignedData, Signature: w.sign(t, "a filing", nil)}, nil, "")
	judge := w.judge(t, nil)
	wantSame(t, judge, f, nil)
	elsewhere := *f.Record
	elsewhere.Objects = append([]evidence.Object(nil), f.Record.Objects...)
	for i := range elsewhere.Objects {
		if elsewhere.Objects[i].Kind == evidence.KindCRL {
			elsewhere.Objects[i].Sources = []string{"supplied"}
		}
	}
	j, err := judge.Judge(t.Context(), &elsewhere, nil)
	if err != nil {
		t.Fatal(err)
	}
	if j.Same() || j.Refusal == nil || j.Refusal.Reason != verify.ReasonStatusUnavailable {
		t.Errorf("as a list that came with the signature: got %v, want status-unavailable", j)
	}
}

// A message may be in a buffer that is used for the next one of the same size.
func TestReusedBuffer(t *testing.T) {
	w := newWorld(t)
	r := w.recorder(t)
	buffer := make([]byte, 256<<10)
	var hashes [2]evidence.Hash
	for i := range hashes {
		content := bytes.Repeat([]byte{byte('a' + i)}, 128<<10)
		n := copy(buffer, w.sign(t, string(content), nil))
		f := ask(t, r, evidence.Question{Method: evidence.SignedData, Signature: buffer[:n]}, nil, "")
		hashes[i] = f.Record.Asked.Signature
		reread(t, f)
	}
	if hashes[0] == hashes[1] {
		t.Error("two messages have one hash")
	}
}
