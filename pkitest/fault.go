package pkitest

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// A Fault is a way in which a responder or a server of lists misbehaves. Those of
// the network break what would be the truth. The others are answers and lists that
// say that every certificate is good, and that must not be believed.
type Fault string

// The faults of the network.
const (
	FaultSlow      Fault = "slow"      // nothing comes until the client leaves
	FaultCut       Fault = "cut"       // the connection ends before the response
	FaultTruncated Fault = "truncated" // the response ends in the middle
	FaultGarbage   Fault = "garbage"   // a page of HTML, with status 200
	FaultOversize  Fault = "oversize"  // a response without end
	FaultRedirect  Fault = "redirect"  // to a server that tells the truth
	FaultError     Fault = "error"     // HTTP 500
	FaultFlapping  Fault = "flapping"  // HTTP 500 and the truth in turns
)

// The faults of who signs, and of what is signed. Lists have no FaultTryLater: it
// is FaultError there.
const (
	FaultWrongSigner      Fault = "wrong-signer"      // a key of another generation
	FaultSibling          Fault = "sibling"           // the key of another citizen
	FaultExpiredResponder Fault = "expired-responder" // a delegate, or a signer of lists, whose time is over
	FaultStale            Fault = "stale"             // of last week
	FaultFuture           Fault = "future"            // of tomorrow
	FaultRollback         Fault = "rollback"          // of an hour ago, and current for a week
	FaultWrongScope       Fault = "wrong-scope"       // about other certificates
	FaultTryLater         Fault = "try-later"         // the status of a busy responder
)

// Faults returns all faults.
func Faults() []Fault {
	return []Fault{
		FaultSlow, FaultCut, FaultTruncated, FaultGarbage, FaultOversize, FaultRedirect, FaultError, FaultFlapping,
		FaultWrongSigner, FaultSibling, FaultExpiredResponder, FaultStale, FaultFuture, FaultRollback, FaultWrongScope, FaultTryLater,
	}
}

func (f Fault) known() error {
	if f != "" && !slices.Contains(Faults(), f) {
		return fmt.Errorf("pkitest: there is no fault %q", f)
	}
	return nil
}

// InjectOCSP has the CA's responder play a fault, until it is called with "".
func (ca *CA) InjectOCSP(f Fault) error {
	h, err := ca.faultyOCSP(f)
	if err != nil {
		return err
	}
	ca.pki.Script(ca.URLs.OCSP, f.Around(h))
	return nil
}

// InjectCRL has the CA's lists play a fault, until it is called with "".
func (ca *CA) InjectCRL(f Fault) error {
	for _, partition := range []bool{true, false} {
		address := ca.URLs.CRL
		if partition {
			address = ca.URLs.Partition
		}
		if address == "" {
			continue
		}
		h, err := ca.faultyCRL(f, partition)
		if err != nil {
			return err
		}
		ca.pki.Script(address, f.Around(h))
	}
	return nil
}

// Around plays a fault of the network around what h serves. With any other fault,
// or none, it returns h. The handler remembers: it is for one endpoint.
func (f Fault) Around(h http.Handler) http.Handler {
	switch f {
	case FaultSlow:
		return http.HandlerFunc(slow)
	case FaultCut:
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	case FaultTruncated:
		return truncated(h)
	case FaultGarbage:
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<html><title>測試</title><p>The network is not available.</html>")
		})
	case FaultOversize:
		return http.HandlerFunc(endless)
	case FaultRedirect:
		return redirecting(h)
	case FaultError:
		return http.HandlerFunc(internalError)
	case FaultFlapping:
		return flapping(h)
	}
	return h
}

func internalError(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "out of order", http.StatusInternalServerError)
}

// slow reads the request, without which the server does not notice that the client
// leaves.
func slow(_ http.ResponseWriter, r *http.Request) {
	drain(r)
	<-r.Context().Done()
}

func drain(r *http.Request) {
	buf := make([]byte, 1<<10)
	for {
		if _, err := r.Body.Read(buf); err != nil {
			return
		}
	}
}

// truncated sends half of what h has to say under the length of the whole.
func truncated(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := &wholeBody{ResponseWriter: w}
		h.ServeHTTP(whole, r)
		w.Header().Set("Content-Length", fmt.Sprint(whole.Len()))
		w.Write(whole.Bytes()[:whole.Len()/2])
		panic(http.ErrAbortHandler)
	})
}

// A wholeBody keeps back what is written.
type wholeBody struct {
	http.ResponseWriter
	bytes.Buffer
}

func (b *wholeBody) WriteHeader(int) {}

func (b *wholeBody) Write(p []byte) (int, error) { return b.Buffer.Write(p) }

func endless(w http.ResponseWriter, r *http.Request) {
	drain(r)
	zeros := make([]byte, 64<<10)
	for r.Context().Err() == nil {
		if _, err := w.Write(zeros); err != nil {
			return
		}
	}
}

// redirecting leads to a query of the same address, under which h answers.
func redirecting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "elsewhere" {
			h.ServeHTTP(w, r)
			return
		}
		http.Redirect(w, r, r.URL.Path+"?elsewhere", http.StatusTemporaryRedirect)
	})
}

func flapping(h http.Handler) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%2 == 1 {
			internalError(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// faultyOCSP returns what a fault signs, or for those of the network the truth.
func (ca *CA) faultyOCSP(f Fault) (http.Handler, error) {
	if err := f.known(); err != nil {
		return nil, err
	}
	now := ca.pki.now()
	good := SingleResponse{Status: OCSPGood}
	o := OCSPOptions{}
	var err error
	switch f {
	case "":
		return nil, nil
	case FaultWrongSigner:
		var other *Issued
		other, err = ca.otherGeneration().MOICA.IssueResponder()
		o.Signer = signerOf(other)
	case FaultSibling:
		o.Signer, err = ca.sibling()
	case FaultExpiredResponder:
		var expired *Issued
		expired, err = ca.IssueResponder(func(t *Template) { t.NotBefore, t.NotAfter = now.AddDate(0, 0, -60), now.AddDate(0, 0, -30) })
		o.Signer = signerOf(expired)
	case FaultStale:
		good.ThisUpdate = now.AddDate(0, 0, -7)
	case FaultFuture:
		good.ThisUpdate = now.AddDate(0, 0, 1)
		o.ProducedAt = good.ThisUpdate
	case FaultRollback:
		good.ThisUpdate, good.NextUpdate = now.Add(-time.Hour), now.AddDate(0, 0, 7)
	case FaultWrongScope:
		good.Serial = new(big.Int).Lsh(big.NewInt(1), 120)
	case FaultTryLater:
		o.ResponseStatus = OCSPTryLater
	default:
		return ca.OCSPHandler(o), nil
	}
	o.Responses = []SingleResponse{good}
	return ca.OCSPHandler(o), err
}

// faultyCRL is faultyOCSP for lists: what says good is a list without entries.
func (ca *CA) faultyCRL(f Fault, partition bool) (http.Handler, error) {
	if err := f.known(); err != nil {
		return nil, err
	}
	now := ca.pki.now()
	o := CRLOptions{Partition: partition, OnlyEntries: true}
	var err error
	switch f {
	case "":
		return nil, nil
	case FaultTryLater:
		return http.HandlerFunc(internalError), nil
	case FaultWrongSigner:
		other := ca.otherGeneration().MOICA
		o.Signer = &Signer{other.Cert, other.Key}
	case FaultSibling:
		o.Signer, err = ca.sibling()
	case FaultExpiredResponder:
		var expired *Issued
		expired, err = ca.IssueResponder(func(t *Template) {
			t.KeyUsage = x509.KeyUsageCRLSign
			t.NotBefore, t.NotAfter = now.AddDate(0, 0, -60), now.AddDate(0, 0, -30)
		})
		o.Signer = signerOf(expired)
	case FaultStale:
		o.ThisUpdate = now.AddDate(0, 0, -7)
	case FaultFuture:
		o.ThisUpdate = now.AddDate(0, 0, 1)
	case FaultRollback:
		o.ThisUpdate, o.NextUpdate, o.Number = now.Add(-time.Hour), now.AddDate(0, 0, 7), big.NewInt(1)
	case FaultWrongScope:
		o.IssuingDistributionPoint = &IssuingDistributionPoint{URL: ca.URLs.CRL + "/other", OnlyCACerts: true}
	default:
		return ca.CRLHandler(CRLOptions{Partition: partition}), nil
	}
	return ca.CRLHandler(o), err
}

// sibling is a citizen who signs in place of the CA that has issued to them.
func (ca *CA) sibling() (*Signer, error) {
	issued, err := ca.Issue(Template{})
	return signerOf(issued), err
}

func signerOf(issued *Issued) *Signer {
	if issued == nil {
		return nil
	}
	return &Signer{issued.Cert, issued.Key}
}

// otherGeneration is one to which the CA does not belong.
func (ca *CA) otherGeneration() *Generation {
	if ca == ca.pki.G2.Root || ca == ca.pki.G2.MOICA {
		return ca.pki.G3
	}
	return ca.pki.G2
}
