package hipki

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/internal/line"
	"github.com/citizencert/citizencert/signin"
)

// A Form is a form whose answer comes from the card. Its fields can be changed
// before [Form.HTML] is called.
type Form struct {
	// Action is the path to which the answer is sent, in the fields challenge and
	// answer.
	Action string

	// Challenge names the sign-in or consent, and is empty for a document.
	Challenge string

	// Request is what the component is asked for.
	Request signin.ComponentRequest

	// Life is how long the citizen has, which the form shows. If zero, there is no
	// limit.
	Life time.Duration

	// Button is the text on the button.
	Button string

	// ID distinguishes the forms of one page: letters, digits and '-'.
	ID string

	// Language is that of the page.
	Language signin.Language

	handler *Handler
}

// SignInForm issues a challenge to the browser that sent r, and returns the form
// for a page at whose action [Handler.FinishSignIn] is called. Errors are of type
// [*signin.Error].
func (h *Handler) SignInForm(w http.ResponseWriter, r *http.Request, action string) (*Form, error) {
	challenge, err := h.cfg.Auth.Begin(w, r, h.cfg.Type)
	if err != nil {
		return nil, err
	}
	return h.form(r, action, challenge, labelSignIn), nil
}

// ConsentForm issues a challenge for consent to the text, which the page shows
// byte for byte, to the citizen who is signed in. See
// [signin.Authenticator.BeginConsent]. Errors are of type [*signin.Error].
func (h *Handler) ConsentForm(w http.ResponseWriter, r *http.Request, s *signin.Session, action, text string) (*Form, error) {
	challenge, err := h.cfg.Auth.BeginConsent(w, r, s, h.cfg.Type, text)
	if err != nil {
		return nil, err
	}
	return h.form(r, action, challenge, labelConsent), nil
}

func (h *Handler) form(r *http.Request, action string, challenge *signin.Challenge, label signin.Text) *Form {
	f := h.newForm(r, action, challenge.Request, label)
	f.Challenge, f.Life = challenge.ID, signin.ChallengeLife
	if h.cfg.CardNumber {
		f.Request.WithCardSN = "true"
	}
	return f
}

// DocumentForm returns the form for a SignedData over a document, such as a
// filing, which is verified by package verify. The document must not begin like a
// statement line, since who signs it would be signing in: that is the only error.
func (h *Handler) DocumentForm(r *http.Request, action string, document []byte) (*Form, error) {
	if line.Begins(document) {
		return nil, errors.New("hipki: the document begins like a statement line")
	}
	return h.newForm(r, action, signin.ComponentRequest{
		Func:          "MakeSignature",
		SignatureType: signin.PKCS7,
		TBS:           base64.StdEncoding.EncodeToString(document),
		TBSEncoding:   "base64",
		HashAlgorithm: "SHA256",
		WithCardSN:    "false",
	}, labelSign), nil
}

func (h *Handler) newForm(r *http.Request, action string, request signin.ComponentRequest, label signin.Text) *Form {
	lang := h.cfg.Language(r)
	return &Form{
		Action: action, Request: request, Button: label.In(lang), ID: "card", Language: lang, handler: h,
	}
}

var formTemplate = template.Must(template.ParseFS(files, "assets/form.html"))

// HTML returns the form as an element for a page in its language.
func (f *Form) HTML() (template.HTML, error) {
	var b bytes.Buffer
	err := formTemplate.Execute(&b, struct {
		*Form
		Text     func(signin.Text) string
		Texts    formTexts
		Settings settings
		Minutes  string
	}{f, func(t signin.Text) string { return t.In(f.Language) }, texts, f.settings(), clock(f.Life)})
	return template.HTML(b.String()), err
}

// Head returns what belongs into the head of the page. The nonce is the one in
// the Content-Security-Policy of the response, such as [Secure] returns it.
func (f *Form) Head(nonce string) (template.HTML, error) { return f.handler.head(nonce) }

// clock writes a duration as minutes and seconds.
func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// FinishSignIn redeems the answer that a form of SignInForm has sent: see
// [signin.Authenticator.Finish]. Errors are of type [*signin.Error]; [Tell] has the
// sentence for the citizen.
func (h *Handler) FinishSignIn(w http.ResponseWriter, r *http.Request) (*signin.Session, error) {
	answer, err := h.Answer(w, r)
	if err != nil {
		return nil, err
	}
	return h.cfg.Auth.Finish(w, r, r.PostFormValue("challenge"), answer)
}

// FinishConsent redeems the answer that a form of ConsentForm has sent. s is the
// session of this request and text what the service is about to act on, by its own
// records: see [signin.Authenticator.FinishConsent]. Errors are of type
// [*signin.Error].
func (h *Handler) FinishConsent(w http.ResponseWriter, r *http.Request, s *signin.Session, text string) (*signin.SignedConsent, error) {
	answer, err := h.Answer(w, r)
	if err != nil {
		return nil, err
	}
	return h.cfg.Auth.FinishConsent(r, s, r.PostFormValue("challenge"), answer, text)
}

// FinishDocument returns the SignedData that a form of DocumentForm has sent, in DER.
// Nothing in it is verified: that it is one over the document, and whose, is for
// verify.Verifier.Detached to say. Errors are of type [*signin.Error].
func (h *Handler) FinishDocument(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	answer, err := h.Answer(w, r)
	if err != nil {
		return nil, err
	}
	return answer.Signed()
}

// Answer reads the component's answer out of a form. Nothing in it is verified.
// Errors are of type [*signin.Error].
func (h *Handler) Answer(w http.ResponseWriter, r *http.Request) (*signin.Answer, error) {
	r.Body = http.MaxBytesReader(w, r.Body, MaxForm)
	if err := r.ParseForm(); err != nil {
		return nil, badRequest(fmt.Errorf("reading the form: %w", err))
	}
	var answer signin.Answer
	if err := json.Unmarshal([]byte(r.PostFormValue("answer")), &answer); err != nil {
		return nil, badRequest(fmt.Errorf("the answer is not one of the component: %w", err))
	}
	return &answer, nil
}

func badRequest(err error) error { return &signin.Error{Reason: signin.ReasonRequest, Err: err} }
