package lookalike

import (
	"context"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/citizencert/citizencert/pkitest"
)

// A Component stands for the card reader component on a citizen's machine. The
// real one listens on http://localhost:61161; a page opens its /popupForm and
// exchanges messages with it. What it delivers has the form of the real one's
// answers, and is all that a service gets to see of a card.
//
// Two things differ, since there is no card reader: its window asks which card
// to insert, and it asks for a click in place of the PIN.
type Component struct {
	Origin string

	cards  []*Card
	server *http.Server
	served chan error
}

//go:embed reader
var readerFiles embed.FS

var popup = template.Must(template.ParseFS(readerFiles, "reader/popup.html"))

// The return codes that the look-alike gives.
const (
	codeNoCard       = 0x76000006
	codeBadJSON      = 0x7600000B
	codeBadParameter = 0x7600000C
	codeSigning      = 0x76300004
)

func startComponent(cards []*Card) (*Component, error) {
	assets, err := fs.Sub(readerFiles, "reader")
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &Component{Origin: "http://" + l.Addr().String(), cards: cards, served: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /popupForm", c.servePopup)
	mux.HandleFunc("POST /sign", c.serveSign)
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	c.server = &http.Server{
		Handler:           http.NewCrossOriginProtection().Handler(mux),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { c.served <- c.server.Serve(l) }()
	return c, nil
}

func (c *Component) close() error {
	err := c.server.Shutdown(context.Background())
	if served := <-c.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func (c *Component) servePopup(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
		"form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	popup.Execute(w, c.cards) // an error means that the browser has gone
}

// request is what a page asks for: all values are strings.
type request struct {
	SignatureType string `json:"signatureType"`
	TBS           string `json:"tbs"`
	TBSEncoding   string `json:"tbsEncoding"`
	HashAlgorithm string `json:"hashAlgorithm"`
	WithCardSN    string `json:"withCardSN"`
}

// answer is what the component returns to the page.
type answer struct {
	Func        string `json:"func"`
	ReturnCode  int64  `json:"ret_code"`
	LastError   int64  `json:"last_error"`
	Signature   string `json:"signature"`
	Certificate string `json:"certb64"`
	CardSN      string `json:"cardSN"`
	Version     string `json:"version"`
}

// serveSign signs the tbsPackage of a form with the inserted card. Failures are
// return codes in an answer, as with the real component.
func (c *Component) serveSign(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	a := answer{Func: "sign", Version: "1.0.0"}
	if slot, err := strconv.Atoi(r.URL.Query().Get("card")); err != nil || slot < 0 || slot >= len(c.cards) {
		a.ReturnCode = codeNoCard
	} else {
		a.sign(c.cards[slot].Card, r.PostFormValue("tbsPackage"))
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(a) // an error means that the browser has gone
}

func (a *answer) sign(card *pkitest.Card, tbsPackage string) {
	var req request
	if err := json.Unmarshal([]byte(tbsPackage), &req); err != nil {
		a.ReturnCode = codeBadJSON
		return
	}
	tbs, err := req.content()
	if err != nil || req.HashAlgorithm != "SHA256" {
		a.ReturnCode = codeBadParameter
		return
	}
	var signature []byte
	switch req.SignatureType {
	case "PKCS1":
		signature, err = card.SignPKCS1(tbs)
	case "PKCS7":
		signature, err = card.SignPKCS7(tbs, &pkitest.CMSOptions{CardNumber: req.WithCardSN == "true"})
	default:
		a.ReturnCode = codeBadParameter
		return
	}
	if err != nil {
		a.ReturnCode = codeSigning
		return
	}
	a.Signature = base64.StdEncoding.EncodeToString(signature)
	a.Certificate = base64.StdEncoding.EncodeToString(card.Cert.Raw)
	a.CardSN = card.CardNumber
}

func (req *request) content() ([]byte, error) {
	switch req.TBSEncoding {
	case "NONE":
		return []byte(req.TBS), nil
	case "base64":
		return base64.StdEncoding.DecodeString(req.TBS)
	}
	return nil, errors.New("lookalike: unknown tbsEncoding")
}
