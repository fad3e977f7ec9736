package signin

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"

	"github.com/citizencert/citizencert/internal/benchkit"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// BenchmarkFinish redeems a card's answer over HTTP: a POST of some 5 KB of JSON
// with a SignedData that has leaf and CA inside, on connections that are kept. The
// cases are one handler each on one server,
//
//   - decode: reads the body with encoding/json and base64, and answers
//   - peer: the same, and has digitorus/pkcs7 verify signature and chain
//   - verify: redeems the challenge and verifies, status included, as Finish does
//   - session: Finish itself, by LoginHandler, with an ES256 session
//
// the last two for a certificate that the verifier has seen before (warm) and for
// one that it has not or has forgotten (cold). OCSP answers are cached. And what
// cannot be saved, whoever writes it:
//
//   - floor: reads the body without looking at it, and verifies one RSA-2048
//     signature by crypto/rsa
//   - floor-session: the same, and signs by ES256
//
// Redeeming uses a challenge up and a card takes a millisecond to sign another, so
// the store puts back what it has given out: one Put more than in real life.
func BenchmarkFinish(b *testing.B) {
	s := newFinishSite(b)
	warm, cold := s.bodies(b, 1), s.bodies(b, forgotten)
	c := benchkit.Compare(b,
		s.load(b, "decode", "/decode", warm),
		s.load(b, "peer", "/peer", warm),
		s.load(b, "verify-warm", "/verify", warm),
		s.load(b, "verify-cold", "/verify", cold),
		s.load(b, "session-warm", "/signin/finish", warm),
		s.load(b, "session-cold", "/signin/finish", cold),
		s.load(b, "floor", "/floor", warm),
		s.load(b, "floor-session", "/floor-session", warm),
	)
	for _, name := range []string{"verify-warm", "verify-cold", "session-warm", "session-cold", "floor", "floor-session"} {
		c.Ratio("decode", name) // of the requests a second: the inverse of that of times
		c.Ratio("peer", name)
	}
}

// connections are how many requests are under way at once, and forgotten is a
// number of certificates of which a verifier remembers none when they come in
// turn: it has room for 2,048.
const (
	connections = 16
	forgotten   = 2_304
)

// A finishSite is a service whose challenges can be redeemed again.
type finishSite struct {
	pki     *pkitest.PKI
	host    string
	auth    *Authenticator
	cookie  *http.Cookie
	id, tbs string // of the challenge
	card    *pkitest.Card
	roots   *x509.CertPool
}

// again is a store that puts back what it gives out.
type again struct{ MemoryStore }

func (s *again) Take(ctx context.Context, key string) ([]byte, error) {
	value, err := s.MemoryStore.Take(ctx, key)
	if err == nil {
		err = s.Put(ctx, key, value, time.Now().Add(ChallengeLife))
	}
	return value, err
}

func newFinishSite(b *testing.B) *finishSite {
	b.Helper()
	check := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	pki, err := pkitest.New(pkitest.Config{})
	check(err)
	b.Cleanup(func() { pki.Close() })
	anchors, err := moica.LoadTestAnchors(pki.FS(), pki.Pins()...)
	check(err)
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: []string{"127.0.0.1"}})
	check(err)
	verifier, err := verify.New(verify.Config{Scheme: moica.Test(anchors, "127.0.0.1"), Status: []verify.StatusSource{responders}})
	check(err)
	server := httptest.NewUnstartedServer(nil)
	b.Cleanup(server.Close)
	s := &finishSite{pki: pki, host: server.Listener.Addr().String(), roots: x509.NewCertPool()}
	s.roots.AddCert(pki.G3.Root.Cert)
	s.card, err = pki.G3.IssueCard(pkitest.Person{Name: "王測試"})
	check(err)
	s.auth, err = New(Config{
		Verifier:                    verifier,
		Origins:                     []string{"http://" + s.host},
		Service:                     "efiling",
		Key:                         newES256(b),
		PairwiseKey:                 make([]byte, MinPairwiseKey),
		Challenges:                  &again{},
		Logger:                      slog.New(slog.DiscardHandler),
		InsecureUnlimitedChallenges: true,
	})
	check(err)
	r := httptest.NewRequest("POST", "/", nil)
	r.Host = s.host
	rec := httptest.NewRecorder()
	c, err := s.auth.Begin(rec, r, PKCS7)
	check(err)
	s.id, s.tbs, s.cookie = c.ID, c.Request.TBS, rec.Result().Cookies()[0]
	server.Config.Handler = s.handler(b)
	server.Start()
	return s
}

func (s *finishSite) handler(b *testing.B) http.Handler {
	b.Helper()
	mux := http.NewServeMux()
	mux.Handle("/signin/", http.StripPrefix("/signin", s.auth.LoginHandler()))
	handle := func(path string, then func(der []byte) error) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			var body struct {
				Challenge string
				Answer    struct{ Func, Signature, CertB64 string }
			}
			err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&body)
			if err == nil {
				var der []byte
				if der, err = base64.StdEncoding.DecodeString(body.Answer.Signature); err == nil {
					err = then(der)
				}
			}
			if err != nil {
				http.Error(w, "", http.StatusBadRequest)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		})
	}
	handle("/decode", func([]byte) error { return nil })
	handle("/peer", func(der []byte) error {
		p7, err := pkcs7.Parse(der)
		if err == nil {
			err = p7.VerifyWithChain(s.roots)
		}
		return err
	})
	mux.HandleFunc("POST /verify", s.auth.serve(func(w http.ResponseWriter, r *http.Request) (any, error) {
		o, err := s.auth.admit(r)
		if err != nil {
			return nil, err
		}
		data, err := readBody(w, r)
		if err != nil {
			return nil, err
		}
		var body finishBody
		if err := body.read(&objectReader{data: data}); err != nil {
			return nil, err
		}
		line, issued, err := s.auth.redeem(r, o, body.challenge, SignIn)
		if err != nil {
			return nil, err
		}
		_, _, err = s.auth.verify(r.Context(), body.answer, line, issued.Type)
		return nil, err
	}))
	signature, err := s.card.SignPKCS1([]byte(s.tbs))
	if err != nil {
		b.Fatal(err)
	}
	signing := newES256(b)
	floor := func(w http.ResponseWriter, r *http.Request) {
		_, err := readBody(w, r)
		sum := sha256.Sum256([]byte(s.tbs))
		err = errors.Join(err, rsa.VerifyPKCS1v15(s.card.Cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], signature))
		if r.URL.Path == "/floor-session" {
			_, signingErr := ecdsa.SignASN1(rand.Reader, signing, sum[:])
			err = errors.Join(err, signingErr)
		}
		if err != nil {
			http.Error(w, "", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	mux.HandleFunc("POST /floor", floor)
	mux.HandleFunc("POST /floor-session", floor)
	return mux
}

// Bodies are what several cases send in turn, so that none sends what another has
// sent lately.
type bodies struct {
	all  [][]byte
	next int
}

func (s *bodies) one() []byte {
	s.next = (s.next + 1) % len(s.all)
	return s.all[s.next]
}

// bodies returns those of n certificates, with one key, and has the status of each
// learned.
func (s *finishSite) bodies(b *testing.B, n int) *bodies {
	b.Helper()
	ca := s.pki.G3.MOICA
	all := make([][]byte, n)
	for i := range all {
		card := *s.card
		if n > 1 {
			issued, err := ca.Issue(pkitest.Template{Person: pkitest.Person{Name: "陳測試"}, Key: s.card.Key})
			if err != nil {
				b.Fatal(err)
			}
			card.Cert = issued.Cert
		}
		der, err := card.SignPKCS7([]byte(s.tbs), &pkitest.CMSOptions{Certificates: []*x509.Certificate{card.Cert, ca.Cert}})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.auth.verifier.SignedData(b.Context(), der, &verify.Options{Use: verify.UseSignIn, Line: s.tbs}); err != nil {
			b.Fatal(err)
		}
		all[i], err = json.Marshal(map[string]any{"challenge": s.id, "answer": map[string]any{
			"func": "sign", "ret_code": 0, "last_error": 0, "version": "1.3.4.103327",
			"signature": base64.StdEncoding.EncodeToString(der),
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
	return &bodies{all: all}
}

// load returns a case that posts a body, the next each time, on every connection
// and then reads the responses. The client does as little as it can, since its
// work counts too.
func (s *finishSite) load(b *testing.B, name, path string, sent *bodies) benchkit.Case {
	b.Helper()
	header := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nCookie: %s=%s\r\nContent-Type: application/json\r\nContent-Length: ",
		path, s.host, s.host, s.cookie.Name, s.cookie.Value)
	var open [connections]*bufio.ReadWriter
	for i := range open {
		conn, err := net.Dial("tcp", s.host)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close() })
		open[i] = bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriterSize(conn, 64<<10))
	}
	return benchkit.Case{Name: name, Op: func() {
		for _, conn := range open {
			body := sent.one()
			conn.Write(header)
			conn.WriteString(strconv.Itoa(len(body)) + "\r\n\r\n")
			conn.Write(body)
			conn.Flush() // an error shows when the response is read
		}
		for _, conn := range open {
			if err := readSuccess(conn.Reader); err != nil {
				b.Fatal(name, ": ", err)
			}
		}
	}}
}

// readSuccess reads a response with a body of known length.
func readSuccess(r *bufio.Reader) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 20")) {
		return fmt.Errorf("got %s", status)
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		name, value, ok := strings.Cut(strings.TrimSpace(string(line)), ": ")
		if !ok {
			break // the empty line
		}
		if name == "Content-Length" {
			if length, err = strconv.Atoi(value); err != nil {
				return err
			}
		}
	}
	_, err = r.Discard(length)
	return err
}
