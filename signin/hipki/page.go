package hipki

import (
	"bytes"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/citizencert/citizencert/internal/webpage"
	"github.com/citizencert/citizencert/signin"
)

// A Section is one way to sign in on the page.
type Section struct {
	Title string
	Body  template.HTML
	Head  template.HTML // what it needs in the head of the page

	// FormAction is the origin to which its forms are sent, if that is another than
	// the page's. The page's policy has to name it under form-action.
	FormAction string
}

var pageTemplate = template.Must(template.ParseFS(files, "assets/page.html"))

// showPage serves the sign-in page with a fresh challenge.
func (h *Handler) showPage(w http.ResponseWriter, r *http.Request) {
	h.render(w, r, http.StatusOK, nil)
}

// finishPage redeems the answer. What is refused is explained above a new
// challenge: the old one is used up.
func (h *Handler) finishPage(w http.ResponseWriter, r *http.Request) {
	session, err := h.FinishSignIn(w, r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	h.cfg.Logger.InfoContext(r.Context(), "card: signed in", "session", session)
	http.Redirect(w, r, h.next, http.StatusSeeOther)
}

func (h *Handler) signOut(w http.ResponseWriter, r *http.Request) {
	if err := h.cfg.Auth.Logout(w, r); err != nil {
		h.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, h.next, http.StatusSeeOther)
}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	h.log(r, err)
	problem := Tell(err)
	h.render(w, r, problem.Status, &problem)
}

// log tells the operator the cause, which the citizen is not told.
func (h *Handler) log(r *http.Request, err error) {
	problem, level := Tell(err), slog.LevelInfo
	if problem.Status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	h.cfg.Logger.LogAttrs(r.Context(), level, "card: refused", slog.String("code", string(problem.Code)), slog.Any("err", err))
}

// Tell returns what may be told to a citizen about an error of a Handler: the
// problem of package signin and, if the component has failed, the sentence for
// its return code.
func Tell(err error) signin.Problem {
	e, ok := errors.AsType[*signin.Error](err)
	if !ok {
		e = &signin.Error{Reason: signin.ReasonInternal, Err: err}
	}
	p := e.Problem()
	if e.Reason == signin.ReasonComponent {
		p.Message = Explain(e.ReturnCode, e.LastError).Text
	}
	return p
}

// pageView is what the page is made of.
type pageView struct {
	Language signin.Language
	Name     signin.Text
	Texts    pageTexts
	Path     string
	Problem  *signin.Problem // why the citizen sees the page again, or nil
	Sections []Section       // none: signing in is not possible now
}

// render writes the page, with a fresh challenge.
func (h *Handler) render(w http.ResponseWriter, r *http.Request, status int, problem *signin.Problem) {
	nonce := Secure(w.Header())
	sections, err := h.sections(w, r, nonce)
	if err != nil {
		h.log(r, err)
		told := Tell(err)
		status, problem = told.Status, &told
	}
	var body bytes.Buffer
	err = pageTemplate.Execute(&body, pageView{
		Language: h.cfg.Language(r),
		Name:     h.cfg.Name,
		Texts:    page,
		Path:     h.cfg.Path,
		Problem:  problem,
		Sections: sections,
	})
	if err != nil {
		h.log(r, err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	body.WriteTo(w) // an error means that the browser has gone
}

// sections returns what the page of the Handler shows, whose policy lets it do what
// it has to.
func (h *Handler) sections(w http.ResponseWriter, r *http.Request, nonce string) ([]Section, error) {
	action := h.cfg.Path
	if r.URL.RawQuery != "" { // keeps the language that was asked for
		action += "?" + r.URL.RawQuery
	}
	sections, err := h.Sections(w, r, action, nonce)
	for _, s := range sections {
		allowForms(w.Header(), s.FormAction)
	}
	return sections, err
}

// Sections returns the ways to sign in, the likeliest first, for a page at whose
// action [Handler.FinishSignIn] is called: the card, for which it issues a challenge
// as [Handler.SignInForm] does, and Config.Beside. nonce is the one in the
// Content-Security-Policy of the response. Errors are those of both.
func (h *Handler) Sections(w http.ResponseWriter, r *http.Request, action, nonce string) ([]Section, error) {
	card, err := h.cardSection(w, r, action, nonce)
	if err != nil {
		return nil, err
	}
	if h.cfg.Beside == nil {
		return []Section{card}, nil
	}
	other, err := h.cfg.Beside(w, r, h.cfg.Language(r), nonce)
	if err != nil {
		return nil, err
	}
	if webpage.OnPhone(r) {
		return []Section{other, card}, nil
	}
	return []Section{card, other}, nil
}

var cardTemplate = template.Must(template.New("card").Parse("<p>{{.Lead}}</p>\n{{.Form.HTML}}"))

func (h *Handler) cardSection(w http.ResponseWriter, r *http.Request, action, nonce string) (Section, error) {
	form, err := h.SignInForm(w, r, action)
	if err != nil {
		return Section{}, err
	}
	head, err := h.head(nonce)
	if err != nil {
		return Section{}, err
	}
	var body bytes.Buffer
	err = cardTemplate.Execute(&body, struct {
		Lead string
		Form *Form
	}{page.CardLead.In(form.Language), form})
	return Section{Title: page.Card.In(form.Language), Body: template.HTML(body.String()), Head: head}, err
}
