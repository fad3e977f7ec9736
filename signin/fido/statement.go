package fido

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"path"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// A Statement says what the pages of a kind have the citizen who is signed in sign with
// the phone, and what becomes of it. An error of its functions that is no
// [*signin.Error] is told as an internal one.
type Statement struct {
	// Purpose is signin.Consent or signin.File. Required.
	Purpose signin.Purpose

	// Hint is what the app shows, such as "簽署綜合所得稅申報書". If empty, Config.Hint,
	// by which a citizen cannot tell this from signing in.
	Hint string

	// Document returns the SHA-256 of the text or document that a page asks to sign,
	// and the path of that page, to which the app sends the citizen back; if that is
	// empty, Config.ReturnURL. r is what the form of the page has sent, and s its
	// session. Required.
	Document func(r *http.Request, s *signin.Session) (digest [sha256.Size]byte, page string, err error)

	// Done is called once, when the citizen has signed that and all that
	// [Flow.StatementStatus] checks has passed. It returns the path to which the
	// citizen goes next. Required.
	Done func(r *http.Request, s *signin.Session, signed *Signed) (next string, err error)

	// Undecided, if not nil, is called once in place of Done when the citizen has
	// signed that, but a status could not be learned ([verify.Error.Retryable]): a
	// service can keep what it has received, and judge it later. Result is nil. All
	// that is known is that Line is the one that this session was asked to sign; whose
	// the signature is has to be judged, too. If Undecided is nil, the citizen is told
	// to try again later, and has to sign anew.
	Undecided func(r *http.Request, s *signin.Session, signed *Signed) (next string, err error)
}

// StatementHandler serves what the forms of [Flow.StatementForm] send, in the session
// of the request: start, status and cancel, as the last part of the path and as
// [Flow.Handler] has them, but that the answer to a status that is "done" has the
// path to go to:
//
//	mux.Handle("POST /returns/{number}/phone/{call}", flow.StatementHandler(fido.Statement{
//		Purpose:  signin.File,
//		Document: digest, // of return r.PathValue("number")
//		Done:     file,
//	}))
func (f *Flow) StatementHandler(s Statement) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls := map[string]func(http.ResponseWriter, *http.Request) (any, error){
			"start":  func(w http.ResponseWriter, r *http.Request) (any, error) { return f.startStatement(w, r, &s) },
			"status": func(w http.ResponseWriter, r *http.Request) (any, error) { return f.statementStatus(w, r, &s) },
			"cancel": f.serveCancel,
		}
		call, ok := calls[path.Base(r.URL.Path)]
		if !ok || r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		f.cfg.Auth.Endpoint(call)(w, r)
	})
}

func (f *Flow) startStatement(w http.ResponseWriter, r *http.Request, s *Statement) (any, error) {
	session, err := f.cfg.Auth.Renew(w, r)
	if err != nil {
		return nil, err
	}
	start, err := f.readStart(w, r)
	if err != nil {
		return nil, err
	}
	start.Hint = s.Hint
	start.Remote = signin.RemoteRequest{Purpose: s.Purpose, Session: session}
	if start.Remote.Digest, start.ReturnPath, err = s.Document(r, session); err != nil {
		return nil, toldAs(err)
	}
	return result(f.Start(w, r, start))
}

// A pageSigned is a pageStatus of a statement.
type pageSigned struct {
	State string `json:"state"` // "pending" or "done"
	Next  string `json:"next,omitempty"`
}

func (f *Flow) statementStatus(w http.ResponseWriter, r *http.Request, s *Statement) (any, error) {
	session, err := f.cfg.Auth.Check(r) // a page that asks by itself is not active
	if err != nil {
		return nil, err
	}
	digest, _, err := s.Document(r, session)
	if err != nil {
		return nil, toldAs(err)
	}
	id, err := readAttempt(w, r)
	if err != nil {
		return nil, err
	}
	done := s.Done
	signed, err := f.finishStatement(r, session, id)
	if e, ok := errors.AsType[*verify.Error](err); ok && e.Retryable() && signed != nil && s.Undecided != nil {
		f.cfg.Logger.LogAttrs(r.Context(), slog.LevelInfo, "phone: signed, but not judged yet", slog.Any("cause", err))
		done, err = s.Undecided, nil
	}
	if err != nil {
		return nil, err
	}
	if signed == nil {
		return pageSigned{State: "pending"}, nil
	}
	// The attempt may be one of another page of this session.
	l, err := signin.ParseLine(signed.Line)
	if err != nil || l.Purpose != s.Purpose || l.Digest != digest {
		return nil, &signin.Error{Reason: signin.ReasonConsentText, Err: errors.New("what was signed is not what this page is for")}
	}
	next, err := done(r, session, signed)
	if err != nil {
		return nil, toldAs(err)
	}
	return pageSigned{State: "done", Next: next}, nil
}

// toldAs gives an error of the service the form of one of ours.
func toldAs(err error) error {
	if _, ok := errors.AsType[*signin.Error](err); ok {
		return err
	}
	return &signin.Error{Reason: signin.ReasonInternal, Err: err}
}
