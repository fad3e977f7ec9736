package signin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"time"
)

// maxBody is the largest request body, in bytes. A SignedData with two
// certificates comes to some 8 KB in base64.
const maxBody = 64 << 10

// LoginHandler serves what a login page calls, all with POST and JSON:
//
//	/challenge  {"signatureType"} (optional; PKCS1 if absent) to a Challenge
//	/finish     {"challenge", "answer"} to {"expiry", "assurance"} and the cookie
//	/logout     nothing; ends the session and removes the cookie
//
// Refusals are a [Problem]. Mount it with [http.StripPrefix].
func (a *Authenticator) LoginHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /challenge", a.serve(a.serveChallenge))
	mux.HandleFunc("POST /finish", a.serve(a.serveFinish))
	mux.HandleFunc("POST /logout", a.serve(a.serveLogout))
	return mux
}

// serve runs an endpoint that returns what to answer, or an error. Nothing has
// been written in either case but headers.
func (a *Authenticator) serve(endpoint func(http.ResponseWriter, *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		answer, err := endpoint(w, r)
		if err != nil {
			a.reject(w, r, err)
			return
		}
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		json.NewEncoder(w).Encode(answer) // an error means that the browser is gone
	}
}

func (a *Authenticator) serveChallenge(w http.ResponseWriter, r *http.Request) (any, error) {
	body := struct {
		SignatureType SignatureType `json:"signatureType"`
	}{PKCS1}
	if r.ContentLength != 0 {
		data, err := readBody(w, r)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, &body); err != nil {
			return nil, refuse(ReasonRequest, "body cannot be read as JSON of the expected form")
		}
	}
	return a.Begin(w, r, body.SignatureType)
}

// A finishBody is what a page sends once the card has signed.
type finishBody struct {
	challenge string
	answer    *Answer
}

func (b *finishBody) read(r *objectReader) error {
	return r.object(func(name string) (err error) {
		switch name {
		case "challenge":
			b.challenge, err = r.text()
		case "answer":
			b.answer = new(Answer)
			err = b.answer.read(r)
		default:
			err = r.skip()
		}
		return err
	})
}

func (a *Authenticator) serveFinish(w http.ResponseWriter, r *http.Request) (any, error) {
	data, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	var body finishBody
	object := &objectReader{data: data}
	if err := errors.Join(body.read(object), object.end()); err != nil {
		return nil, &Error{Reason: ReasonRequest, Err: fmt.Errorf("reading the body: %w", err)}
	}
	s, err := a.Finish(w, r, body.challenge, body.answer)
	if err != nil {
		return nil, err
	}
	a.logger.LogAttrs(r.Context(), slog.LevelInfo, "sign-in: session begins", slog.Any("session", s))
	return struct {
		Expiry    time.Time `json:"expiry"`
		Assurance Assurance `json:"assurance"`
	}{s.Expiry, s.Assurance}, nil
}

func (a *Authenticator) serveLogout(w http.ResponseWriter, r *http.Request) (any, error) {
	return nil, a.Logout(w, r)
}

// Logout ends the session of the browser that sent r, if it has one, and removes
// its cookie. If the session cannot be ended on the server the cookie stays, so
// that the citizen can try again. Errors are of type [*Error].
func (a *Authenticator) Logout(w http.ResponseWriter, r *http.Request) error {
	o, err := a.admit(r)
	if err != nil {
		return err
	}
	if err := a.endSessionOf(r, o); err != nil {
		return err
	}
	http.SetCookie(w, o.cookie(a.sessionCookie(o), "", -time.Second))
	return nil
}

// readBody reads a body of JSON. Asking for the media type keeps out what an HTML
// form of any site can send.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, refuse(ReasonRequest, "Content-Type is not application/json")
	}
	var b bytes.Buffer
	b.Grow(int(min(max(r.ContentLength, 0), maxBody)) + bytes.MinRead)
	if _, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, refuse(ReasonRequest, "body is larger than %d bytes", maxBody)
		}
		return nil, refuse(ReasonRequest, "body cannot be read")
	}
	return b.Bytes(), nil
}
