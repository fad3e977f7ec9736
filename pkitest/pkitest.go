// Package pkitest is a look-alike of Taiwan's citizen certificate PKI in one
// import: two generations of root and MOICA, citizens' cards and mobile
// certificates with the real extension set, an OCSP responder, CRLs, and the
// signatures that a card reader component makes. It is for tests and examples,
// its own private keys are public, and nothing it issues proves anything.
//
// Most tests need four calls:
//
//	pki, err := pkitest.New(pkitest.Config{})
//	defer pki.Close()
//	card, err := pki.G3.IssueCard(pkitest.Person{Name: "王測試", LastFour: "6789"})
//	signedData, err := card.SignPKCS7(document, nil)
//
// What a relying party has to be told is in [PKI.FS] (the CA certificates as
// the repositories publish them) and [PKI.Pins]. Certificates name the OCSP
// responder and the CRLs of a server on the loopback interface, which answers
// from the state set by [CA.Revoke], [CA.Suspend] and [CA.Resume].
//
// A [Component] stands for the card reader component on a citizen's computer, for
// tests with a browser.
//
// The zero value of every option is what the real PKI does. Everything else a
// verifier has to refuse can be asked for: a certificate by [Template], a
// status by [OCSPOptions] and [CRLOptions], a SignedData by [CMSOptions], a
// broken server by [PKI.Script], or by [CA.InjectOCSP] and [CA.InjectCRL].
//
// The shapes follow certificates that MOICA and GRCA have issued. Names carry
// the mark (測試用) and certificates the test policy, so that no production
// verifier can take them for real ones.
package pkitest

import (
	"cmp"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing/fstest" // a file system in memory; it does not import testing
	"time"
)

// Config says how a PKI behaves. The zero value is ready to use.
type Config struct {
	// Now is the clock: what the PKI issues is dated by it, and a revocation
	// counts once its date has been reached. It is called from several
	// goroutines. If nil, time.Now. [Clock.Now] is one that can be set.
	Now func() time.Time
}

// PKI is a look-alike national PKI. Its methods may be called concurrently.
// Two PKIs share nothing that changes.
type PKI struct {
	// G2 and G3 are the generations in service. The subject names of their
	// MOICA certificates are equal byte for byte; only the keys differ.
	G2, G3 *Generation

	now    func() time.Time
	keys   keyPool
	server *server

	mu      sync.Mutex
	holders int // numbers given to persons
	cards   int // numbers given to cards
	others  int // CAs beside the four standing ones
}

// Generation is a root and the MOICA below it.
type Generation struct {
	Name        string // "G2" or "G3"
	Root, MOICA *CA

	pki *PKI
}

// Pin identifies a CA certificate by content.
type Pin struct {
	Name   string // "GRCA G2", "MOICA G3"
	SHA256 string // of the DER, in lower-case hexadecimal
	Root   bool   // whether it is a trust anchor
}

// New issues the four CA certificates and starts the server. The caller must
// close the PKI after use.
//
// The CA certificates are valid from ten years before to twenty years after
// the instant of this call.
func New(cfg Config) (*PKI, error) {
	p := &PKI{now: cfg.Now}
	if p.now == nil {
		p.now = time.Now
	}
	var err error
	if p.server, err = newServer(); err != nil {
		return nil, fmt.Errorf("pkitest: starting the server: %w", err)
	}
	p.G2, err = p.newGeneration("G2", rootG2, moicaG2)
	if err == nil {
		p.G3, err = p.newGeneration("G3", rootG3, moicaG3)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// newGeneration issues a root and a MOICA as their profiles have them.
func (p *PKI) newGeneration(name string, root, moica caProfile) (*Generation, error) {
	grca, err := p.newCA(root, nil)
	if err != nil {
		return nil, fmt.Errorf("pkitest: issuing GRCA %s: %w", name, err)
	}
	sub, err := p.newCA(moica, grca)
	if err != nil {
		return nil, fmt.Errorf("pkitest: issuing MOICA %s: %w", name, err)
	}
	return &Generation{Name: name, Root: grca, MOICA: sub, pki: p}, nil
}

// newCA issues one of the four standing CAs. A nil issuer means self-signed.
func (p *PKI) newCA(profile caProfile, issuer *CA) (*CA, error) {
	key, err := embeddedKey(profile.key)
	if err != nil {
		return nil, err
	}
	ca := p.prepareCA(profile.name, key, profile.urls.under(p.URL()+"/"+profile.key))
	ca.newResponderKey = func() (crypto.Signer, error) { return embeddedKey(profile.key + "-responder") }
	issuer = cmp.Or(issuer, ca)
	return ca.certify(issuer, profile.template(issuer, p.now()))
}

// Close stops the server and waits until it has stopped.
func (p *PKI) Close() error {
	return p.server.close()
}

// URL is the base of the server's addresses, without a slash at the end.
func (p *PKI) URL() string {
	return p.server.url
}

// authorities returns the CAs that FS and Pins name, roots first.
func (p *PKI) authorities() []*CA {
	return []*CA{p.G2.Root, p.G3.Root, p.G2.MOICA, p.G3.MOICA}
}

// FS holds the four CA certificates under the names and in the encodings in
// which they are published: GRCA-G2.pem and GRCA-G3.pem in PEM, MOICA-G2.cer
// and MOICA-G3.cer in DER.
func (p *PKI) FS() fs.FS {
	files := fstest.MapFS{}
	for _, g := range []*Generation{p.G2, p.G3} {
		root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.Root.Cert.Raw})
		files["GRCA-"+g.Name+".pem"] = &fstest.MapFile{Data: root, Mode: 0o444}
		files["MOICA-"+g.Name+".cer"] = &fstest.MapFile{Data: g.MOICA.Cert.Raw, Mode: 0o444}
	}
	return files
}

// Pins returns the SHA-256 of the four CA certificates, roots first.
func (p *PKI) Pins() []Pin {
	var pins []Pin
	for _, ca := range p.authorities() {
		sum := sha256.Sum256(ca.Cert.Raw)
		pins = append(pins, Pin{
			Name:   ca.Name,
			SHA256: hex.EncodeToString(sum[:]),
			Root:   ca == p.G2.Root || ca == p.G3.Root,
		})
	}
	return pins
}

// SelfSigned makes a root of its own, for instance an impostor that carries
// the name of a real one. Of the template, what is zero is filled in as
// [CA.IssueCA] does.
func (p *PKI) SelfSigned(t Template) (*CA, error) {
	return p.newOtherCA(t, nil)
}

// newOtherCA makes a CA beside the four standing ones. A nil issuer means
// self-signed.
func (p *PKI) newOtherCA(t Template, issuer *CA) (*CA, error) {
	key := t.Key
	if key == nil {
		var err error
		if key, err = p.keys.generate(t.KeyAlgorithm, t.RSABits); err != nil {
			return nil, err
		}
	}
	name := fmt.Sprintf("ca-%d", p.count(&p.others))
	ca := p.prepareCA(name, key, otherURLs.under(p.URL()+"/"+name))
	return ca.certify(cmp.Or(issuer, ca), t.withCADefaults(name))
}

// count adds one to a counter of the PKI and returns it.
func (p *PKI) count(n *int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	*n++
	return *n
}

// holderNumber returns the next number of a certificate holder, sixteen digits
// as in the real subject serialNumber.
func (p *PKI) holderNumber() string {
	return fmt.Sprintf("%016d", 9_900_000_000_000_000+p.count(&p.holders))
}

// Signer is a certificate and its private key: who signs an OCSP response, a
// CRL or a SignedData in place of who should.
type Signer struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

// Clock is a clock that can be set, for [Config]. The zero Clock stands at the
// zero time. Its methods may be called concurrently.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at t.
func NewClock(t time.Time) *Clock {
	return &Clock{now: t}
}

// Now returns the time at which the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock to t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// Advance moves the clock by d, backwards if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
