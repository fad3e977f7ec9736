package pkitest

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// TestPIN is the PIN of a [ReaderCard] that names none.
const TestPIN = "123456"

// ComponentVersion is the version that a [Component] reports.
const ComponentVersion = "1.10.2"

// ComponentConfig says what stands on a citizen's desk.
type ComponentConfig struct {
	// Cards are those that the citizen has. The window asks which of them to
	// insert; a request that names none finds the first.
	Cards []ReaderCard

	// Trusted are the origins that the citizen has admitted. If nil, all are.
	Trusted []string

	// Addr is where the component listens, on the loopback interface. If empty, a
	// free port of 127.0.0.1; the real one is at localhost:61161.
	Addr string
}

// A ReaderCard is a card to be put into the reader.
type ReaderCard struct {
	*Card
	PIN   string // if empty, TestPIN
	Label string // shown beside the name
}

// A Component is a look-alike of the card reader component on a citizen's
// computer (HiPKI local server): it serves the window that pages open and
// exchange messages with, signs with a card once its PIN is right, and locks the
// card after three wrong ones. Its methods may be called concurrently.
//
//	GET  /popupForm, /ChtPopupForm   the window
//	POST /sign                       tbsPackage=<request in JSON>; the answer in JSON
//	GET  /pkcs11info[?withcert=true] readers, cards, certificates
//
// Requests and answers have the form of the real ones: all values of a request
// are strings; the window puts the request into form data without escaping it, so
// that a page has to; return codes may be negative; nothing has CORS headers.
//
// Two things differ, since there is no reader. The window asks which card to
// insert, and waits for a click ([Behaviour].Automatic does without); and if the
// request has no PIN, it asks for that too, as a reader with a PIN pad does.
type Component struct {
	// Origin is where the component is found, as browsers write it.
	Origin string

	cards  []ReaderCard
	server *http.Server
	served chan error

	mu        sync.Mutex
	behaviour Behaviour
	changed   chan struct{} // closed by Script
	trusted   []string      // nil: all
	tries     []int         // of each card
	asked     int
}

// A Behaviour is what a component does instead of what is asked of it. The zero
// value signs.
type Behaviour struct {
	// ReturnCode, if not zero, is the answer to every request, with LastError.
	ReturnCode, LastError int64

	// Version is reported in place of ComponentVersion.
	Version string

	// Automatic has the window insert the first card and sign without a click, as
	// the window of the real component does.
	Automatic bool

	// MuteWindow has the window never ask for the request, and HoldAnswer keeps
	// the answer back until Script is called again.
	MuteWindow, HoldAnswer bool
}

//go:embed component
var componentFiles embed.FS

var componentWindow = template.Must(template.ParseFS(componentFiles, "component/popup.html"))

// maxTries is how many wrong PINs in a row lock a card.
const maxTries = 3

// StartComponent starts a component. The caller must close it after use.
func StartComponent(cfg ComponentConfig) (*Component, error) {
	assets, err := fs.Sub(componentFiles, "component")
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", cmp.Or(cfg.Addr, "127.0.0.1:0"))
	if err != nil {
		return nil, fmt.Errorf("pkitest: starting the component: %w", err)
	}
	c := &Component{
		Origin:  "http://" + l.Addr().String(),
		cards:   slices.Clone(cfg.Cards),
		served:  make(chan error, 1),
		changed: make(chan struct{}),
		trusted: slices.Clone(cfg.Trusted),
		tries:   slices.Repeat([]int{maxTries}, len(cfg.Cards)),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /popupForm", c.serveWindow)
	mux.HandleFunc("GET /ChtPopupForm", c.serveWindow)
	mux.HandleFunc("POST /sign", c.serveSign)
	mux.HandleFunc("GET /pkcs11info", c.serveInfo)
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	c.server = &http.Server{
		Handler:           http.NewCrossOriginProtection().Handler(mux),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { c.served <- c.server.Serve(l) }()
	return c, nil
}

// Close stops the component and waits until it has stopped. It may be called
// again.
func (c *Component) Close() error {
	c.Script(Behaviour{}) // lets held answers go
	err := c.server.Shutdown(context.Background())
	served := <-c.served
	c.served <- served
	if !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Script has the component behave differently, until it is called again.
func (c *Component) Script(b Behaviour) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.behaviour = b
	close(c.changed)
	c.changed = make(chan struct{})
}

// Trust admits the pages of the origins given and no others; without any, none.
func (c *Component) Trust(origins ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trusted = append([]string{}, origins...)
}

// Unlock gives every card its tries back, as the registration office does.
func (c *Component) Unlock() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries = slices.Repeat([]int{maxTries}, len(c.cards))
}

// Asked returns how many requests to sign have arrived.
func (c *Component) Asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

func (c *Component) script() (Behaviour, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.behaviour, c.changed
}

func (c *Component) serveWindow(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
		"form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	behaviour, _ := c.script()
	componentWindow.Execute(w, struct {
		Cards []ReaderCard
		Behaviour
	}{c.cards, behaviour}) // an error means that the browser has gone
}

// serveSign answers a request to sign. Failures are return codes in an answer, as
// with the real component.
func (c *Component) serveSign(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	behaviour, changed := c.script()
	if behaviour.HoldAnswer {
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
	answer := componentAnswer{Func: "sign", Version: cmp.Or(behaviour.Version, ComponentVersion)}
	if behaviour.ReturnCode != 0 {
		answer.ReturnCode, answer.LastError = behaviour.ReturnCode, behaviour.LastError
	} else {
		query := r.URL.Query()
		c.sign(&answer, query.Get("origin"), query.Get("card"), r.PostFormValue("tbsPackage"))
	}
	writeJSON(w, answer)
}

// inserted returns the place of the card that a request means, or -1.
func (c *Component) inserted(card string) int {
	slot := 0
	if card != "" {
		var err error
		if slot, err = strconv.Atoi(card); err != nil {
			return -1
		}
	}
	if slot < 0 || slot >= len(c.cards) {
		return -1
	}
	return slot
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	json.NewEncoder(w).Encode(v) // an error means that the browser has gone
}
