package fido

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// A Status is how far an attempt to sign in is: Session is nil until the citizen
// has answered.
type Status struct {
	Session *signin.Session
	Expiry  time.Time // of the attempt, while it is pending
}

// Status asks how far an attempt to sign in is, and finishes it: on success it sets
// the session cookie. It asks MOI no more often than every PollInterval, however
// often it is called, and until the ticket's own end. Beyond what [Client.Result]
// checks, it checks that
//
//   - the attempt was begun by this browser at this origin, has not expired, and is
//     finished for the first time
//   - the signature is one over the line of the attempt, byte for byte, and
//     certification path, profile, a mobile carrier and status are good, with the
//     freshness of sign-in
//   - the certificate names no other last four characters than the ID number has
//   - Config.OnAnswer and signin's OnSignIn agree
//
// Errors are of type [*signin.Error], and final: only an attempt that is pending can
// be asked about again. One is not: of two requests at the same moment, such as of two
// tabs, one may be told that there is no such attempt (signin.ReasonChallengeUnknown).
func (f *Flow) Status(w http.ResponseWriter, r *http.Request, id string) (*Status, error) {
	at, st, a, err := f.poll(r, id)
	if err != nil {
		return nil, forSignin(err)
	}
	if a == nil {
		return &Status{Expiry: st.Deadline}, nil
	}
	var s *signin.Session
	if a.Operation == Authenticate {
		if !f.unsigned(at.Purpose) {
			return nil, forSignin(badAnswer("there is no signature"))
		}
		s, err = f.cfg.Auth.InsecureFinishUnsigned(w, r, at, a.HashedID)
	} else {
		s, err = f.cfg.Auth.FinishRemote(w, r, at, a.remote(st))
	}
	if err != nil {
		return nil, err
	}
	return &Status{Session: s}, nil
}

// A Signed is a statement that the citizen who is signed in has signed with the
// phone. A service that wants to prove it later keeps Line, Signature, Certificate
// and the evidence of Result.
type Signed struct {
	Line        string // see signin.ParseLine
	Form        SignatureForm
	Signature   []byte
	Certificate []byte // DER; nil if it is inside the signature alone
	Result      *verify.Result
}

// StatementStatus is [Flow.Status] for attempts with a purpose other than to sign
// in. s is the session of this request; whoever has signed is its holder, or has the
// same account. While the attempt is pending, Signed is nil. Another page of the session
// may have begun it, so the caller compares purpose and digest of Signed.Line with what
// it is about to act on, as [Flow.StatementHandler] does.
func (f *Flow) StatementStatus(r *http.Request, s *signin.Session, id string) (*Signed, error) {
	signed, err := f.finishStatement(r, s, id)
	if err != nil {
		return nil, err
	}
	return signed, nil
}

// finishStatement is StatementStatus, but that it returns what has been signed along
// with a refusal of it, too.
func (f *Flow) finishStatement(r *http.Request, s *signin.Session, id string) (*Signed, error) {
	at, st, a, err := f.poll(r, id)
	if err != nil {
		return nil, forSignin(err)
	}
	if a == nil {
		return nil, nil
	}
	res, err := f.cfg.Auth.FinishRemoteStatement(r, s, at, a.remote(st))
	return &Signed{at.Line, a.Form, a.Signature, a.Certificate, res}, err
}

// remote is the answer as package signin verifies it.
func (a *Answer) remote(st *state) signin.RemoteAnswer {
	return signin.RemoteAnswer{
		Carrier:     verify.Mobile,
		Signature:   a.Signature,
		SignedData:  a.Form == PKCS7,
		Certificate: a.Certificate,
		LastFour:    st.LastFour,
	}
}

// poll returns the answer of an attempt, which is then used up, or nil while it is
// pending.
//
// Before MOI is asked the attempt is back in the store: a server that stops in the
// middle of the question loses nothing. When the answer is there the attempt is
// taken again, and whoever gets it finishes it.
func (f *Flow) poll(r *http.Request, id string) (*signin.RemoteAttempt, *state, *Answer, error) {
	at, st, err := f.take(r, id)
	if err != nil {
		return nil, nil, nil, err
	}
	now := f.cfg.Now()
	if !now.Before(st.Deadline) {
		return nil, nil, nil, &Error{Class: ClassExpired, Detail: "the citizen has not answered in time"}
	}
	due := !now.Before(st.NextPoll) && (st.Ticket != nil || st.Web != nil)
	if due {
		st.NextPoll = now.Add(PollInterval)
	}
	if err := f.keep(r.Context(), at, st); err != nil {
		return nil, nil, nil, err
	}
	if !due {
		return at, st, nil, nil
	}
	a, err := f.ask(r.Context(), st)
	if again(err) {
		f.cfg.Logger.LogAttrs(r.Context(), slog.LevelDebug, "phone: no answer yet", slog.Any("cause", err))
		return at, st, nil, nil
	}
	at, _, taken := f.take(r, id)
	if e, ok := errors.AsType[*signin.Error](taken); ok && e.Reason == signin.ReasonChallengeUnknown {
		return nil, st, nil, nil // another request of this browser has it
	}
	if taken != nil {
		return nil, nil, nil, taken
	}
	f.forgetCallback(r.Context(), st)
	if err != nil {
		return nil, nil, nil, err
	}
	if f.cfg.OnAnswer != nil {
		if err := f.cfg.OnAnswer(r.Context(), a); err != nil {
			return nil, nil, nil, &signin.Error{Reason: signin.ReasonRefused, Err: err}
		}
	}
	return at, st, a, nil
}

func (f *Flow) take(r *http.Request, id string) (*signin.RemoteAttempt, *state, error) {
	at, err := f.cfg.Auth.TakeRemote(r, id)
	if err != nil {
		return nil, nil, err
	}
	st := new(state)
	if err := json.Unmarshal(at.State, st); err != nil {
		return nil, nil, &signin.Error{Reason: signin.ReasonStore, Err: errors.New("stored attempt cannot be read")}
	}
	return at, st, nil
}

func (f *Flow) ask(ctx context.Context, st *state) (*Answer, error) {
	if st.Ticket != nil {
		return f.cfg.Client.Result(ctx, st.Ticket)
	}
	return f.redirected(ctx, st)
}

// Cancel forgets an attempt. The phone is not told: what the citizen approves after
// is not asked for. Errors are of type [*signin.Error].
func (f *Flow) Cancel(r *http.Request, id string) error {
	_, err := f.cfg.Auth.TakeRemote(r, id)
	return err
}
