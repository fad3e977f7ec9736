package fido

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"path"

	"github.com/citizencert/citizencert/signin"
)

// A Statement is what a page has the citizen who is signed in sign with the phone, and
// what becomes of it.
type Statement struct {
	// Purpose is signin.Consent or signin.File, and Digest the SHA-256 of the text
	// that the page shows or of the document. Both are required.
	Purpose signin.Purpose
	Digest  [sha256.Size]byte

	// ReturnPath is the path of the page, to which the app sends the citizen back.
	// If empty, Config.ReturnURL.
	ReturnPath string

	// Done is called once, when the citizen has signed and all that
	// [Flow.StatementStatus] checks has passed. It returns the path to which the
	// citizen goes next. Required. An error that is no *signin.Error is told as an
	// internal one.
	Done func(r *http.Request, s *signin.Session, signed *Signed) (next string, err error)
}

// StatementHandler serves what a [Flow.StatementForm] sends, with the session of the
// request: start, status and cancel, below the path of the form and as
// [Flow.Handler] has them, but that the answer to a status that is "done" has the
// path to go to:
//
//	mux.HandleFunc("POST /returns/{number}/phone/{call}", func(w http.ResponseWriter, r *http.Request) {
//		document := … // of r.PathValue("number")
//		flow.StatementHandler(fido.Statement{
//			Purpose: signin.File,
//			Digest:  sha256.Sum256(document),
//			Done:    file,
//		}).ServeHTTP(w, r)
//	})
//
// It is made for one document, and costs nothing.
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
	start, err := readStart(w, r)
	if err != nil {
		return nil, err
	}
	start.Remote = signin.RemoteRequest{Purpose: s.Purpose, Session: session, Digest: s.Digest}
	start.ReturnPath = s.ReturnPath
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
	id, err := readAttempt(w, r)
	if err != nil {
		return nil, err
	}
	signed, err := f.StatementStatus(r, session, id)
	if err != nil {
		return nil, err
	}
	if signed == nil {
		return pageSigned{State: "pending"}, nil
	}
	// The attempt may be one of another page of this session.
	l, err := signin.ParseLine(signed.Line)
	if err != nil || l.Purpose != s.Purpose || l.Digest != s.Digest {
		return nil, &signin.Error{Reason: signin.ReasonConsentText, Err: errors.New("what was signed is not what this page is for")}
	}
	next, err := s.Done(r, session, signed)
	if err != nil {
		if _, ok := errors.AsType[*signin.Error](err); !ok {
			err = &signin.Error{Reason: signin.ReasonInternal, Err: err}
		}
		return nil, err
	}
	return pageSigned{State: "done", Next: next}, nil
}
