package fido

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// DefaultTimeLimit is how long a citizen has if Config does not say: time to find
// the phone, open the app and scan a code.
const DefaultTimeLimit = 2 * time.Minute

// Config is how a service uses the phone.
type Config struct {
	// Auth begins the sessions, and Client speaks to MOI. Both are required, and of
	// one environment; an Auth with custom anchors goes with either.
	Auth   *signin.Authenticator
	Client *Client

	// Hint is what the app shows beside the name of the service, such as
	// "登入綜合所得稅申報". Required.
	Hint string

	// Form is the form of signatures. If empty, PKCS1.
	Form SignatureForm

	// TimeLimit is how long the citizen has, in whole seconds from MinTimeLimit to
	// signin.ChallengeLife: a ticket never outlives its challenge. If zero,
	// DefaultTimeLimit.
	TimeLimit time.Duration

	// ReturnURL is the page to which the app and MOI's site send the citizen back,
	// on one of the origins of Auth. Required for ModeApp, ModeWeb and
	// ModeRedirect; without it they are refused.
	ReturnURL string

	// InsecureWithoutSignature asks the phone to approve and not to sign. All that
	// is known then is what MOI says; sessions have signin.AssuranceMobileAuth.
	InsecureWithoutSignature bool

	// OnAnswer, if not nil, is called with each authentic answer before its
	// signature is verified: here a service that keeps evidence keeps which ID
	// number MOI has confirmed, which no certificate names. An error refuses; it is
	// logged and must not hold personal data.
	OnAnswer func(ctx context.Context, a *Answer) error

	// Logger gets what goes on, without personal data. If nil, slog.Default.
	Logger *slog.Logger

	// Now is the clock. If nil, time.Now.
	Now func() time.Time
}

// A Flow takes citizens from a page to a session, by way of their phone. Between two
// requests everything it knows is in the challenge store of Config.Auth: any server
// of the service can go on with it, also after a restart. It is safe for concurrent
// use and has no goroutines of its own.
type Flow struct {
	Config
	store   signin.ChallengeStore
	service string
}

// New returns a Flow, or says what is wrong with cfg.
func New(cfg Config) (*Flow, error) {
	if cfg.Auth == nil || cfg.Client == nil {
		return nil, errors.New("fido: Config.Auth and Config.Client are required")
	}
	if a, c := cfg.Auth.Environment(), cfg.Client.Environment(); a != c && a != verify.Custom {
		return nil, fmt.Errorf("fido: Config.Auth is for environment %v and Config.Client for %v", a, c)
	}
	if err := checkText("Config.Hint", cfg.Hint); err != nil {
		return nil, err
	}
	cfg.Form = cmp.Or(cfg.Form, PKCS1)
	if !cfg.Form.valid() {
		return nil, fmt.Errorf("fido: Config.Form %q is not known", cfg.Form)
	}
	cfg.TimeLimit = cmp.Or(cfg.TimeLimit, DefaultTimeLimit)
	if cfg.TimeLimit < MinTimeLimit || cfg.TimeLimit > signin.ChallengeLife || cfg.TimeLimit%time.Second != 0 {
		return nil, fmt.Errorf("fido: Config.TimeLimit is %v, want whole seconds from %v to %v", cfg.TimeLimit, MinTimeLimit, signin.ChallengeLife)
	}
	if cfg.ReturnURL != "" {
		if u, err := url.Parse(cfg.ReturnURL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return nil, fmt.Errorf("fido: Config.ReturnURL %q is not an address of a page", cfg.ReturnURL)
		}
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	f := &Flow{Config: cfg}
	f.store, f.service = cfg.Auth.SharedStore()
	return f, nil
}

// A Start is what begins an attempt.
type Start struct {
	Mode     Mode
	IDNumber string // not for ModeRedirect
	Device   string // with ModePush, the citizen's name for the phone; may be empty

	// Remote is what the signature is for. If zero, to sign in.
	Remote signin.RemoteRequest
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
	at, err := f.Auth.BeginRemote(w, r, s.Remote)
	if err != nil {
		return nil, err
	}
	if s.Mode == ModePush {
		if err := f.Auth.AdmitPerson("fido " + hashID(s.IDNumber)); err != nil {
			return nil, err
		}
	}
	request := Request{
		IDNumber:  s.IDNumber,
		Mode:      s.Mode,
		Hint:      f.Hint,
		Form:      f.Form,
		TimeLimit: f.TimeLimit,
		Device:    s.Device,
	}
	if !f.unsigned(at.Purpose) {
		request.Data = []byte(at.Line)
	}
	st := state{Deadline: earlier(f.Now().Add(f.TimeLimit), at.Expiry)}
	shown := &Attempt{ID: at.ID, PollSeconds: int(PollInterval / time.Second)}
	if s.Mode == ModeRedirect {
		err = f.startRedirect(r.Context(), at, request, &st, shown)
	} else {
		err = f.startTicket(r.Context(), request, &st, shown)
	}
	if err != nil {
		return nil, forSignin(err)
	}
	shown.Expiry = st.Deadline
	return shown, f.keep(r.Context(), at, &st)
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
	if f.ReturnURL == "" && s.Mode != ModeQR && s.Mode != ModePush {
		return ourFault("mode %s needs Config.ReturnURL", s.Mode)
	}
	return nil
}

// unsigned reports whether the phone is asked to approve only. What is more than
// signing in is always signed.
func (f *Flow) unsigned(purpose signin.Purpose) bool {
	return f.InsecureWithoutSignature && purpose == signin.SignIn
}

func (f *Flow) startTicket(ctx context.Context, request Request, st *state, shown *Attempt) error {
	ticket, err := f.Client.Ticket(ctx, request)
	if request.Mode == ModePush && unreachable(err) {
		f.Logger.LogAttrs(ctx, slog.LevelInfo, "phone: no push, and the browser is not told", slog.Any("cause", err))
		return nil
	}
	if err != nil {
		return err
	}
	st.Ticket, st.LastFour = ticket, lastFour(request.IDNumber)
	st.NextPoll = f.Now().Add(PollInterval)
	switch request.Mode {
	case ModeQR:
		shown.QR, err = NewQRCode(ticket.Text)
	case ModeApp, ModeWeb:
		shown.Link = ticket.Link(request.Mode, f.ReturnURL, shown.ID)
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
	return f.Auth.KeepRemote(context.WithoutCancel(ctx), at)
}

// DeviceStatus asks what a person has registered, with the limit for each person.
// It is for the service: no endpoint hands the answer out. Errors are of type
// [*signin.Error].
func (f *Flow) DeviceStatus(ctx context.Context, idNumber string) (DeviceStatus, error) {
	if err := checkIDNumber(idNumber); err != nil {
		return DeviceStatus{}, forSignin(err)
	}
	if err := f.Auth.AdmitPerson("fido " + hashID(idNumber)); err != nil {
		return DeviceStatus{}, err
	}
	status, err := f.Client.DeviceStatus(ctx, idNumber)
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
