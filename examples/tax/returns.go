package main

import (
	"net/http"
	"time"

	"github.com/citizencert/citizencert/examples/internal/site"
	"github.com/citizencert/citizencert/signin"
)

func (s *service) newForm(w http.ResponseWriter, r *http.Request, _ *signin.Session) {
	s.renderForm(w, r, http.StatusOK, "")
}

func (s *service) renderForm(w http.ResponseWriter, r *http.Request, status int, problem string) {
	var years []int
	for year := time.Now().Year() - 1; year >= firstYear; year-- {
		years = append(years, year)
	}
	s.Site.Render(w, r, status, "form.html", site.Page{
		SignedIn: true,
		Data: struct {
			Years   []int
			Problem string
		}{years, problem},
	})
}

// prepareReturn writes the document that the citizen is going to sign.
func (s *service) prepareReturn(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	figures, err := parseFigures(r.PostFormValue, time.Now())
	if err != nil {
		s.renderForm(w, r, http.StatusUnprocessableEntity, "form.problem")
		return
	}
	number, err := s.store.NationalID(r.Context(), session.Account)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	ret, err := newReturn(session.Account, number, figures)
	if err == nil {
		err = s.store.AddReturn(r.Context(), ret)
	}
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/returns/"+ret.Number, http.StatusSeeOther)
}

// showReturn shows the whole document, and asks for a signature over it,
// with card or phone.
func (s *service) showReturn(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	ret, err := s.store.Return(r.Context(), session.Account, r.PathValue("number"))
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	form, err := s.Card.DocumentForm(r, r.URL.Path+"/signature", ret.Document)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	s.Site.Render(w, r, http.StatusOK, "return.html", site.Page{
		SignedIn: true,
		Card:     form,
		Phone:    s.Phone.StatementForm(r, site.Language(r), r.URL.Path+"/phone/"),
		Data:     struct{ Number, Document string }{ret.Number, string(ret.Document)},
	})
}
