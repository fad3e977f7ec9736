package fido

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/citizencert/citizencert/signin"
)

// Handler serves what a sign-in page calls, with POST and JSON:
//
//	/start   {"mode", "idNumber", "device"} to an Attempt; modes are those of qr, app,
//	         web, push and redirect that Config.Modes has
//	/status  {"attempt"} to {"state": "pending", "expiry"}, or to {"state": "done",
//	         "expiry", "assurance"} and the session cookie
//	/cancel  {"attempt"} to nothing
//
// and beside them
//
//	GET  /<asset>   script and style sheet of a [Form], to be cached for good
//	POST /callback  what MOI posts, see [Flow.Callback]
//
// Refusals are a [signin.Problem]; the codes of those about the phone are "phone-"
// and a Class. Mount it with [http.StripPrefix].
func (f *Flow) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /start", f.cfg.Auth.Endpoint(f.serveStart))
	mux.HandleFunc("POST /status", f.cfg.Auth.Endpoint(f.serveStatus))
	mux.HandleFunc("POST /cancel", f.cfg.Auth.Endpoint(f.serveCancel))
	mux.HandleFunc("POST /callback", f.Callback)
	mux.HandleFunc("GET /{asset}", serveAsset)
	return mux
}

func (f *Flow) serveStart(w http.ResponseWriter, r *http.Request) (any, error) {
	start, err := f.readStart(w, r)
	if err != nil {
		return nil, err
	}
	return result(f.Start(w, r, start))
}

// readStart reads what a form asks for. A mode that no form offers is refused: whoever
// writes a request by hand has no other choice than whoever presses a button.
func (f *Flow) readStart(w http.ResponseWriter, r *http.Request) (Start, error) {
	var body struct {
		Mode     string `json:"mode"`
		IDNumber string `json:"idNumber"`
		Device   string `json:"device"`
	}
	if err := signin.DecodeJSON(w, r, &body); err != nil {
		return Start{}, err
	}
	for mode, way := range ways {
		if way.Mode == body.Mode && f.cfg.offers(mode) && (body.Device == "" || mode == ModePush && checkText("device", body.Device) == nil) {
			return Start{Mode: mode, IDNumber: body.IDNumber, Device: body.Device}, nil
		}
	}
	return Start{}, &signin.Error{Reason: signin.ReasonRequest, Err: errors.New("mode is not known or not offered, or device is not known")}
}

// offers reports whether an attempt may begin in a mode. A link into the app is the
// same for another app on the phone as for a page there.
func (cfg *Config) offers(mode Mode) bool {
	return slices.Contains(cfg.Modes, mode) || mode == ModeApp && slices.Contains(cfg.Modes, ModeWeb)
}

// result is an answer or an error, and never a nil pointer for an answer.
func result(at *Attempt, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return at, nil
}

// A pageStatus is how far an attempt is, for the page.
type pageStatus struct {
	State     string           `json:"state"` // "pending" or "done"
	Expiry    time.Time        `json:"expiry"`
	Assurance signin.Assurance `json:"assurance,omitempty"`
}

func (f *Flow) serveStatus(w http.ResponseWriter, r *http.Request) (any, error) {
	id, err := readAttempt(w, r)
	if err != nil {
		return nil, err
	}
	s, err := f.Status(w, r, id)
	if err != nil {
		return nil, err
	}
	if s.Session == nil {
		return pageStatus{State: "pending", Expiry: s.Expiry}, nil
	}
	f.cfg.Logger.InfoContext(r.Context(), "phone: session begins", "session", s.Session)
	return pageStatus{State: "done", Expiry: s.Session.Expiry, Assurance: s.Session.Assurance}, nil
}

func (f *Flow) serveCancel(w http.ResponseWriter, r *http.Request) (any, error) {
	id, err := readAttempt(w, r)
	if err != nil {
		return nil, err
	}
	return nil, f.Cancel(r, id)
}

func readAttempt(w http.ResponseWriter, r *http.Request) (string, error) {
	var body struct {
		Attempt string `json:"attempt"`
	}
	if err := signin.DecodeJSON(w, r, &body); err != nil {
		return "", err
	}
	return body.Attempt, nil
}
