package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"fmt"
	"net/http"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify/evidence"
)

// encodeEvidence returns a record as it is kept.
func encodeEvidence(rec *evidence.Record) ([]byte, error) {
	file, err := evidence.NewFile(rec)
	if err != nil {
		return nil, err
	}
	return file.Encode()
}

// recordSignIn records what a sign-in rests on, or the renewal of a session.
func (v *verifier) recordSignIn(ctx context.Context, verdict *signin.Verdict) ([]byte, error) {
	q := evidence.Question{Signature: verdict.Signature, Certificate: verdict.Certificate, Options: verdict.Options}
	switch {
	case verdict.Type == "": // a session is renewed
		q.Method = evidence.Certificate
	case verdict.Type == signin.PKCS1:
		q.Method, q.Signed = evidence.Signature, []byte(verdict.Line)
	case verdict.Detached:
		sum := sha256.Sum256([]byte(verdict.Line))
		q.Method, q.Sums = evidence.Detached, map[crypto.Hash][]byte{crypto.SHA256: sum[:]}
	default:
		q.Method = evidence.SignedData
	}
	rec, err := v.recorder.Record(ctx, q, verdict.Clock, verdict.Result, verdict.Refusal)
	if err != nil {
		return nil, err
	}
	return encodeEvidence(rec)
}

// shownEvidence is what a page tells of the evidence of a filing.
type shownEvidence struct {
	Hash    evidence.Hash
	Same    bool // judged again now, from the evidence alone, it is what was recorded
	Objects []evidence.Object
}

// judgeAgain judges a filing once more, from what was kept and the document.
func (v *verifier) judgeAgain(ctx context.Context, kept, document []byte) (*shownEvidence, error) {
	file, err := evidence.Parse(kept)
	if err != nil {
		return nil, err
	}
	again, err := v.judge.Judge(ctx, file.Record, &evidence.Given{Content: bytes.NewReader(document)})
	if err != nil {
		return nil, err
	}
	return &shownEvidence{file.Hash(), again.Same(), file.Record.Objects}, nil
}

// downloadEvidence gives the evidence of a filing to whoever filed it.
func (s *service) downloadEvidence(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	filing, err := s.filing(r, session)
	var kept []byte
	if err == nil {
		kept, err = s.store.Evidence(r.Context(), filing.ID)
	}
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=filing-%d.evidence.json", filing.ID))
	w.Write(kept) // an error means that the browser has gone
}
