package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/citizencert/citizencert/examples/internal/database"
	"github.com/citizencert/citizencert/examples/internal/site"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
)

// fileReturn receives the signature over a return, verifies it, and keeps both
// it and the verdict, refusals too.
func (s *service) fileReturn(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	signature, err := s.Card.FinishDocument(w, r)
	received := time.Now() // all of it is here now
	if err != nil {
		s.Problem(w, r, err, "/returns/"+r.PathValue("number"), true)
		return
	}
	target, err := s.receive(r.Context(), session.Account, &Filing{
		Number:    r.PathValue("number"),
		Signer:    session.Subject,
		Signature: signature,
		Record:    Record{ReceivedAt: received},
	})
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// phoneFiling receives filings that are signed with the phone, which signs a line with
// the digest of the return. What it has signed has been verified once when it comes
// here, as far as statuses could be learned; it is judged as a filing like one that a
// card has signed.
func (s *service) phoneFiling() http.Handler {
	receive := func(r *http.Request, session *signin.Session, signed *fido.Signed) (string, error) {
		return s.receive(r.Context(), session.Account, &Filing{
			Number:      r.PathValue("number"),
			Signer:      session.Subject,
			Signature:   signed.Signature,
			Line:        signed.Line,
			Certificate: signed.Certificate,
			Record:      Record{ReceivedAt: time.Now()},
		})
	}
	return s.Phone.StatementHandler(fido.Statement{
		Purpose: signin.File,
		Hint:    "簽署並送出測試稅務所申報書",
		Document: func(r *http.Request, session *signin.Session) ([sha256.Size]byte, string, error) {
			ret, err := s.store.Return(r.Context(), session.Account, r.PathValue("number"))
			if err != nil {
				return [sha256.Size]byte{}, "", &signin.Error{Reason: signin.ReasonRequest, Err: err}
			}
			return sha256.Sum256(ret.Document), "/returns/" + ret.Number, nil
		},
		Done:      receive,
		Undecided: receive, // a pending filing
	})
}

// receive files what has been received, and returns the path of its page.
func (s *service) receive(ctx context.Context, account string, filing *Filing) (string, error) {
	added, err := s.file(ctx, account, filing)
	if err != nil {
		return "", err
	}
	target := fmt.Sprintf("/filings/%d", filing.ID)
	if !added {
		target += "?again"
	}
	return target, nil
}

// verifyTime bounds the verification of a filing, network included.
const verifyTime = 20 * time.Second

// file judges a filing for a return of an account, and keeps what came out. If
// that return has been filed before, nothing is added, and the filing
// gets the ID of the earlier one.
func (s *service) file(ctx context.Context, account string, filing *Filing) (added bool, err error) {
	// What has been received is judged even if the browser does not wait.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), verifyTime)
	defer cancel()
	kept, err := s.judge(ctx, account, filing)
	if err != nil {
		return false, err
	}
	return s.store.AddFiling(ctx, filing, kept)
}

// verifyAgain judges a pending filing once more, for the instant at which it was
// received.
func (s *service) verifyAgain(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	filing, err := s.filing(r, session)
	if err == nil && filing.Record.Verdict == Pending {
		err = s.settle(r.Context(), session.Account, filing)
	}
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, fmt.Sprintf("/filings/%d", filing.ID), http.StatusSeeOther)
}

func (s *service) settle(ctx context.Context, account string, filing *Filing) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), verifyTime)
	defer cancel()
	kept, err := s.judge(ctx, account, filing)
	if err != nil {
		return err
	}
	return s.store.Settle(ctx, filing, kept)
}

func (s *service) listFilings(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	filings, err := s.store.Filings(r.Context(), session.Account)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	waiting, err := s.store.Waiting(r.Context(), session.Account)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	s.Site.Render(w, r, http.StatusOK, "filings.html", site.Page{
		SignedIn: true,
		Data: struct {
			Filings []*Filing
			Waiting []string
		}{filings, waiting},
	})
}

func (s *service) showFiling(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	filing, err := s.filing(r, session)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	ret, err := s.store.Return(r.Context(), session.Account, filing.Number)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	kept, err := s.store.Evidence(r.Context(), filing.ID)
	var shown *shownEvidence
	if err == nil {
		shown, err = s.verifier.judgeAgain(r.Context(), kept, ret.Document)
	}
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	s.Site.Render(w, r, http.StatusOK, "filing.html", site.Page{
		SignedIn: true,
		Data: struct {
			*Filing
			Document string
			Evidence *shownEvidence
			Again    bool
		}{filing, string(ret.Document), shown, r.URL.Query().Has("again")},
	})
}

// downloadRecord gives the record of a filing to whoever filed it.
func (s *service) downloadRecord(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	filing, err := s.filing(r, session)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.Encode(filing.Record) // an error means that the browser has gone
}

func (s *service) filing(r *http.Request, session *signin.Session) (*Filing, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, database.ErrNotFound
	}
	return s.store.Filing(r.Context(), session.Account, id)
}
