package fido

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/citizencert/citizencert/signin"
)

// webState is what is remembered of an attempt that went to MOI's site.
type webState struct {
	TransactionID string        `json:"transaction"`
	Operation     Operation     `json:"operation"`
	Form          SignatureForm `json:"form"`
}

// The two entries of a transaction in the store: that it is pending, until its
// callback comes, and then the callback.
const (
	webPending = "pending"
	webResult  = "result"
)

// webKey names an entry. The parts have no line breaks in them.
func (f *Flow) webKey(entry, transaction string) string {
	sum := sha256.Sum256([]byte("citizencert fido web\n" + entry + "\n" + f.service + "\n" + transaction))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (f *Flow) startRedirect(ctx context.Context, at *signin.RemoteAttempt, request Request, st *state, shown *Attempt) error {
	form, err := f.cfg.Client.WebForm(request)
	if err != nil {
		return err
	}
	st.Web = &webState{form.TransactionID, Authenticate, f.cfg.Form}
	if request.Data != nil {
		st.Web.Operation = Sign
	}
	if err := f.store.Put(ctx, f.webKey(webPending, form.TransactionID), []byte{}, at.Expiry); err != nil {
		return storeError(err)
	}
	shown.Form = form
	return nil
}

// redirected returns the answer of a callback that has come. It stays in the store
// until the attempt is used up, which is what happens once.
func (f *Flow) redirected(ctx context.Context, st *state) (*Answer, error) {
	ctx = context.WithoutCancel(ctx)
	key := f.webKey(webResult, st.Web.TransactionID)
	encoded, err := f.store.Take(ctx, key)
	if errors.Is(err, signin.ErrNotFound) {
		return nil, &Error{Class: ClassPending, Detail: "no callback has come"}
	}
	if err == nil {
		err = f.store.Put(ctx, key, encoded, st.Deadline)
	}
	if err != nil {
		return nil, storeError(err)
	}
	var b Callback
	if err := json.Unmarshal(encoded, &b); err != nil {
		return nil, &signin.Error{Reason: signin.ReasonStore, Err: errors.New("stored callback cannot be read")}
	}
	if b.Err != nil {
		return nil, b.Err
	}
	st.LastFour = b.LastFour
	return b.answer(st.Web.Operation, st.Web.Form)
}

// forgetCallback removes the callback of an attempt that is used up. If that fails
// it goes at the deadline.
func (f *Flow) forgetCallback(ctx context.Context, st *state) {
	if st.Web != nil {
		f.store.Take(context.WithoutCancel(ctx), f.webKey(webResult, st.Web.TransactionID))
	}
}

func storeError(err error) error {
	if errors.Is(err, signin.ErrStoreFull) {
		return &signin.Error{Reason: signin.ReasonStoreFull, Err: err}
	}
	return &signin.Error{Reason: signin.ReasonStore, Err: err}
}

// Callback takes what MOI posts when a citizen is done on its site, and answers 303
// to Config.ReturnURL, whose page asks for the Status. The post comes from another
// site, or from none, and without a cookie: a service exempts the exact path of this
// handler from its cross-origin check. What it does is bound by two other things:
// MOI's checksum, and a transaction that is pending, which it ends. It sets no
// cookie, and begins no session: that is for the browser that began the attempt.
func (f *Flow) Callback(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	err := r.ParseForm()
	if err != nil {
		err = badAnswer("the callback is not a form")
	} else {
		err = f.callback(r)
	}
	if err != nil {
		f.cfg.Logger.LogAttrs(r.Context(), slog.LevelWarn, "phone: callback refused", slog.Any("cause", err))
		http.Error(w, sentences[ClassAnswer].ZhTW+"\n"+sentences[ClassAnswer].En, http.StatusForbidden)
		return
	}
	http.Redirect(w, r, f.cfg.ReturnURL, http.StatusSeeOther)
}

func (f *Flow) callback(r *http.Request) error {
	b, err := f.cfg.Client.ParseCallback(r.PostForm)
	if err != nil {
		return err
	}
	// From here on it is authentic; once is for the store to see to.
	ctx := context.WithoutCancel(r.Context())
	if _, err := f.store.Take(ctx, f.webKey(webPending, b.TransactionID)); errors.Is(err, signin.ErrNotFound) {
		return badAnswer("no such transaction is pending")
	} else if err != nil {
		return storeError(err)
	}
	encoded, err := json.Marshal(b)
	if err != nil {
		return &signin.Error{Reason: signin.ReasonInternal, Err: errors.New("callback cannot be stored")}
	}
	return f.store.Put(ctx, f.webKey(webResult, b.TransactionID), encoded, f.cfg.Now().Add(signin.ChallengeLife))
}
