package fido

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/citizencert/citizencert/internal/webpage"
	"github.com/citizencert/citizencert/signin"
)

// A Start is what begins an attempt.
type Start struct {
	Mode     Mode
	IDNumber string // not for ModeRedirect
	Device   string // with ModePush, the citizen's name for the phone; may be empty

	// Hint is what the app shows. If empty, Config.Hint.
	Hint string

	// Remote is what the signature is for. If zero, to sign in.
	Remote signin.RemoteRequest

	// ReturnPath is the path to which the app sends the citizen back, on the origin of
	// Config.ReturnURL. If empty, Config.ReturnURL.
	ReturnPath string
}

// An Attempt is what the page needs to show.
type Attempt struct {
	ID          string    `json:"attempt"` // to be given to Status and Cancel
	Expiry      time.Time `json:"expiry"`
	PollSeconds int       `json:"pollSeconds"`

	QR   *QRCode  `json:"qr,omitempty"`   // with ModeQR
	Link string   `json:"link,omitempty"` // with ModeApp and ModeWeb
	Form *WebForm `json:"form,omitempty"` // with ModeRedirect
}

// A state is what is remembered of an attempt. With neither ticket nor
// transaction it is a push that will not be answered.
type state struct {
	Ticket   *Ticket   `json:"ticket,omitempty"`
	Web      *webState `json:"web,omitempty"` // of ModeRedirect
	LastFour string    `json:"lastFour,omitempty"`
	Deadline time.Time `json:"deadline"`
	NextPoll time.Time `json:"nextPoll"`
}

// Start begins an attempt for the browser that sent r: a challenge as
// [signin.Authenticator.Begin] issues it, bound to the browser by the same cookie,
// and a request to the citizen's phone to sign its line. Errors are of type
// [*signin.Error].
//
// With ModePush the answer is the same whether or not the person has a phone, and
// there is a limit for each person beside the one for each client.
func (f *Flow) Start(w http.ResponseWriter, r *http.Request, s Start) (*Attempt, error) {
	if err := f.checkStart(&s); err != nil {
		return nil, forSignin(err)
	}
	at, err := f.cfg.Auth.BeginRemote(w, r, s.Remote)
	if err != nil {
		return nil, err
	}
	if s.Mode == ModePush {
		if err := f.cfg.Auth.AdmitPerson("fido " + hashID(s.IDNumber)); err != nil {
			return nil, err
		}
	}
	request := Request{
		IDNumber:  s.IDNumber,
		Mode:      s.Mode,
		Hint:      cmp.Or(s.Hint, f.cfg.Hint),
		Form:      f.cfg.Form,
		TimeLimit: f.cfg.TimeLimit,
		Device:    s.Device,
	}
	if !f.unsigned(at.Purpose) {
		request.Data = []byte(at.Line)
	}
	st := state{Deadline: earlier(f.cfg.Now().Add(f.cfg.TimeLimit), at.Expiry)}
	shown := &Attempt{ID: at.ID, PollSeconds: int(PollInterval / time.Second)}
	if s.Mode == ModeRedirect {
		err = f.startRedirect(r.Context(), at, request, &st, shown)
	} else {
		err = f.startTicket(r.Context(), request, f.returnURL(s.ReturnPath), &st, shown)
	}
	if err != nil {
		return nil, forSignin(err)
	}
	shown.Expiry = st.Deadline
	if err := f.keep(r.Context(), at, &st); err != nil {
		return nil, err
	}
	return shown, nil
}

func (f *Flow) checkStart(s *Start) error {
	switch s.Mode {
	case ModeRedirect:
		if s.IDNumber != "" || s.Device != "" {
			return ourFault("mode %s has no ID number or device", s.Mode)
		}
	case ModeQR, ModePush, ModeApp, ModeWeb:
		if err := checkIDNumber(s.IDNumber); err != nil {
			return err
		}
	default:
		return ourFault("mode %.20q is not known", s.Mode)
	}
	if f.cfg.ReturnURL == "" && s.Mode.returns() {
		return ourFault("mode %s needs Config.ReturnURL", s.Mode)
	}
	if s.ReturnPath != "" && !webpage.IsPath(s.ReturnPath) {
		return ourFault("Start.ReturnPath %.100q is not a path on this site", s.ReturnPath)
	}
	return nil
}

// returnURL is the address of a path on the origin of Config.ReturnURL.
func (f *Flow) returnURL(path string) string {
	base, err := url.Parse(f.cfg.ReturnURL)
	if err != nil || path == "" {
		return f.cfg.ReturnURL
	}
	return base.Scheme + "://" + base.Host + path
}

// unsigned reports whether the phone is asked to approve only. What is more than
// signing in is always signed.
func (f *Flow) unsigned(purpose signin.Purpose) bool {
	return f.cfg.InsecureWithoutSignature && purpose == signin.SignIn
}

func (f *Flow) startTicket(ctx context.Context, request Request, returnURL string, st *state, shown *Attempt) error {
	ticket, err := f.cfg.Client.Ticket(ctx, request)
	if request.Mode == ModePush && unreachable(err) {
		f.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "phone: no push, and the browser is not told", slog.Any("cause", err))
		return nil
	}
	if err != nil {
		return err
	}
	// The text is large, and the page has it.
	kept := *ticket
	kept.Text = ""
	st.Ticket, st.LastFour = &kept, lastFour(request.IDNumber)
	st.NextPoll = f.cfg.Now().Add(PollInterval)
	switch request.Mode {
	case ModeQR:
		shown.QR, err = NewQRCode(ticket.Text)
	case ModeApp, ModeWeb:
		shown.Link = ticket.Link(request.Mode, returnURL, shown.ID)
	}
	if request.Mode != ModePush { // whose end tells nothing about the person
		st.Deadline = earlier(st.Deadline, ticket.Expiry)
	}
	return err
}

// unreachable reports whether an error is about what a person has, which is not for
// whoever types the person's number to know. A fault of the push service is among
// them: it shows only where there is a phone to push to.
func unreachable(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch e.Class {
	case ClassNotEnrolled, ClassDeviceGone, ClassUndeliverable, ClassWrongPerson, ClassEnrollment, ClassMismatch, ClassPushFault:
		return true
	}
	return false
}

func (f *Flow) keep(ctx context.Context, at *signin.RemoteAttempt, st *state) error {
	encoded, err := json.Marshal(st)
	if err != nil {
		return &signin.Error{Reason: signin.ReasonInternal, Err: err}
	}
	at.State = encoded
	// A browser that goes away in between must not make the attempt go away.
	return f.cfg.Auth.KeepRemote(context.WithoutCancel(ctx), at)
}

// DeviceStatus asks what a person has registered, with the limit for each person.
// It is for the service: no endpoint hands the answer out. Errors are of type
// [*signin.Error].
func (f *Flow) DeviceStatus(ctx context.Context, idNumber string) (DeviceStatus, error) {
	if err := checkIDNumber(idNumber); err != nil {
		return DeviceStatus{}, forSignin(err)
	}
	if err := f.cfg.Auth.AdmitPerson("fido " + hashID(idNumber)); err != nil {
		return DeviceStatus{}, err
	}
	status, err := f.cfg.Client.DeviceStatus(ctx, idNumber)
	if err != nil {
		return DeviceStatus{}, forSignin(err)
	}
	return status, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
