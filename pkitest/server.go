package pkitest

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// server publishes what the CAs have to say, on a port of its own of the
// loopback interface.
type server struct {
	url  string
	http *http.Server
	done chan error // the result of Serve, once it has returned

	mu       sync.Mutex
	handlers map[string]http.Handler // by path
	scripts  map[string]http.Handler // in place of those
	requests map[string]int
}

func newServer() (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{
		url:      "http://" + l.Addr().String(),
		done:     make(chan error, 1),
		handlers: map[string]http.Handler{},
		scripts:  map[string]http.Handler{},
		requests: map[string]int{},
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { s.done <- s.http.Serve(l) }()
	return s, nil
}

// close ends all connections and waits for Serve. It may be called again.
func (s *server) close() error {
	err := s.http.Close()
	served := <-s.done
	s.done <- served
	if !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// add lets a CA answer at its endpoints.
func (s *server) add(ca *CA) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[path(ca.URLs.OCSP)] = ca.OCSPHandler(OCSPOptions{})
	s.handlers[path(ca.URLs.CRL)] = ca.CRLHandler(CRLOptions{})
	if ca.URLs.Partition != "" {
		s.handlers[path(ca.URLs.Partition)] = ca.CRLHandler(CRLOptions{Partition: true})
	}
	s.handlers[path(ca.URLs.Issuers)] = http.HandlerFunc(ca.serveIssuers)
}

// path returns the path of a URL, or what is a path already.
func path(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Path
}

// ServeHTTP counts the request and answers it. An endpoint also has what is
// below it, because an OCSP request by GET is part of the path. There is no
// http.ServeMux because it would clean the slashes of its base64.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	name, handler := s.find(r.URL.Path)
	s.requests[name]++
	s.mu.Unlock()
	handler.ServeHTTP(w, r)
}

// find returns the name under which a path is served, and what serves it.
func (s *server) find(requested string) (string, http.Handler) {
	for name := requested; name != ""; name = name[:max(0, strings.LastIndexByte(name, '/'))] {
		if h, ok := s.scripts[name]; ok {
			return name, h
		}
		if h, ok := s.handlers[name]; ok {
			return name, h
		}
	}
	return requested, http.NotFoundHandler()
}

// Script has h answer in place of an endpoint, or where there is none, until
// it is called again with nil. The address is a URL, such as one of
// [Endpoints], or its path. Handlers that misbehave in OCSP and CRL are made by
// [CA.OCSPHandler] and [CA.CRLHandler].
func (p *PKI) Script(address string, h http.Handler) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	if h == nil {
		delete(p.server.scripts, path(address))
	} else {
		p.server.scripts[path(address)] = h
	}
}

// Requests returns how many requests an endpoint has had, scripted or not. The
// address is a URL or its path. OCSP requests by GET count for the responder.
func (p *PKI) Requests(address string) int {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	return p.server.requests[path(address)]
}

// OCSPHandler answers OCSP requests, by POST and by GET, as the options say.
func (ca *CA) OCSPHandler(o OCSPOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := o
		var err error
		if o.Request, err = readOCSPRequest(r, path(ca.URLs.OCSP)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		der, err := ca.OCSP(nil, o)
		serve(w, "application/ocsp-response", der, err)
	})
}

// readOCSPRequest returns the DER of a request (RFC 6960, Appendix A.1).
func readOCSPRequest(r *http.Request, endpoint string) ([]byte, error) {
	switch r.Method {
	case http.MethodPost:
		return io.ReadAll(io.LimitReader(r.Body, 64<<10))
	case http.MethodGet:
		text := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, endpoint), "/")
		return base64.StdEncoding.DecodeString(text)
	default:
		return nil, errors.New("an OCSP request is made by GET or POST")
	}
}

// CRLHandler serves a CRL as the options say, with an ETag and its thisUpdate as
// Last-Modified, and answers conditional requests. A list with Filler is written as
// it is sent, because it may be large, and has neither.
func (ca *CA) CRLHandler(o CRLOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/pkix-crl")
		if o.Filler > 0 {
			if err := ca.WriteCRL(w, o); err != nil {
				panic(http.ErrAbortHandler) // half a list must not look whole
			}
			return
		}
		der, err := ca.CRL(o)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			list = &x509.RevocationList{} // not meant to be read, and without a time
		}
		w.Header().Set("ETag", fmt.Sprintf("\"%x\"", sha256.Sum256(der)))
		http.ServeContent(w, r, "", list.ThisUpdate, bytes.NewReader(der))
	})
}

// serveIssuers serves the certificate of the CA, alone or with that of its
// issuer in a SignedData without signers, by the form of the address.
func (ca *CA) serveIssuers(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, ".p7b") {
		serve(w, "application/pkix-cert", ca.Cert.Raw, nil)
		return
	}
	serve(w, "application/pkcs7-mime", certsOnly(ca.chain()), nil)
}

func serve(w http.ResponseWriter, contentType string, body []byte, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Write(body)
}
