package moica

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
)

// A Pin is how a CA certificate is known: by the SHA-256 of its DER.
type Pin struct {
	// Name is such as "MOICA-G3". What stands behind the last hyphen or space is
	// the generation that identities report.
	Name   string
	SHA256 string // 64 hexadecimal digits
	Root   bool   // a trust anchor; otherwise a CA below one
}

func (p Pin) generation() string {
	return p.Name[strings.LastIndexAny(p.Name, "- ")+1:]
}

// Pins returns the pins of the CAs in use: the second and third generation of
// the Government Root CA and of MOICA. The first generation signed with SHA-1 and
// ended in 2023: see [Historical].
//
// No second official channel publishes these digests. They rest on the downloads
// from both government hosts, on independent copies, and on each MOICA certificate
// verifying under its root.
func Pins() []Pin {
	return []Pin{
		{Name: "GRCA-G2", Root: true, SHA256: "70b922bfda0e3f4a342e4ee22d579ae598d071cc5ec9c30f123680340388aea5"},
		{Name: "GRCA-G3", Root: true, SHA256: "57df6f20e04c588e85f35be8832f5d4e78958336ae3b18fb7c9bae0dfead4044"},
		{Name: "MOICA-G2", SHA256: "c4c462de463f856804dc898338d2cecb55fba74155851599d8fb7d70218fd1be"},
		{Name: "MOICA-G3", SHA256: "ed793fd0d50a2a398049d598982cf01e75f873b532066caec238f800a06ca9da"},
	}
}

// Anchors are the pinned CA certificates of production.
type Anchors struct{ set anchorSet }

// TestAnchors are the CA certificates of a look-alike. They are a type of their
// own so that they cannot be given to [Production].
type TestAnchors struct{ set anchorSet }

// An anchorSet is what was found in a folder.
type anchorSet struct {
	roots, intermediates []*x509.Certificate
	found                []Found
	skipped              []Skipped
	generations          map[string]string // by the SubjectKeyId of the issuing CA
}

// Found is a pinned certificate and the file that held it.
type Found struct {
	Pin  Pin
	File string
	Cert *x509.Certificate
}

// Skipped is a file, or a certificate in one, that is not used.
type Skipped struct {
	File string
	Why  string
}

// Found returns the pinned certificates, in the order of the files.
func (a *Anchors) Found() []Found { return slices.Clone(a.set.found) }

// Skipped returns the files that were passed over, with the reason.
func (a *Anchors) Skipped() []Skipped { return slices.Clone(a.set.skipped) }

// Found returns the pinned certificates, in the order of the files.
func (a *TestAnchors) Found() []Found { return slices.Clone(a.set.found) }

// Skipped returns the files that were passed over, with the reason.
func (a *TestAnchors) Skipped() []Skipped { return slices.Clone(a.set.skipped) }

// LoadAnchors reads the certificates in the top folder of fsys, PEM or DER, and
// keeps those that are pinned, by [Pins] or by a pin of the caller's for a new
// generation. Other files are skipped and listed. It is a [*NoRootError] if no
// pinned root is there.
func LoadAnchors(fsys fs.FS, more ...Pin) (*Anchors, error) {
	set, err := load(fsys, append(Pins(), more...))
	if err != nil {
		return nil, err
	}
	return &Anchors{set}, nil
}

// A TestPin is a [Pin], or the like of it that a look-alike gives: package pkitest
// imports nothing of ours, and has a type of its own.
type TestPin interface {
	~struct {
		Name, SHA256 string
		Root         bool
	}
}

// LoadTestAnchors is LoadAnchors for a look-alike, of which the caller gives
// every pin. The pins of production are refused.
func LoadTestAnchors[P TestPin](fsys fs.FS, given ...P) (*TestAnchors, error) {
	var pins []Pin
	for _, p := range given {
		pins = append(pins, Pin(p))
	}
	for _, p := range slices.Concat(Pins(), HistoricalPins()) {
		if slices.ContainsFunc(pins, func(q Pin) bool { return strings.EqualFold(p.SHA256, q.SHA256) }) {
			return nil, fmt.Errorf("moica: %s is an anchor of production and cannot be one of a test", p.Name)
		}
	}
	set, err := load(fsys, pins)
	if err != nil {
		return nil, err
	}
	return &TestAnchors{set}, nil
}

// A NoRootError reports a folder without any of the pinned roots.
type NoRootError struct {
	Skipped []Skipped // what is there instead
}

func (e *NoRootError) Error() string {
	return fmt.Sprintf("moica: none of the pinned roots is in the folder of anchors (%d other files or certificates are)", len(e.Skipped))
}

// maxFile bounds a certificate file; the largest of the real ones has 2.3 kB.
const maxFile = 64 << 10

func load(fsys fs.FS, pins []Pin) (anchorSet, error) {
	for _, p := range pins {
		if sum, err := hex.DecodeString(p.SHA256); err != nil || len(sum) != sha256.Size {
			return anchorSet{}, fmt.Errorf("moica: pin %s has SHA256 %q, want 64 hexadecimal digits", p.Name, p.SHA256)
		}
	}
	set := anchorSet{generations: make(map[string]string)}
	files, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return set, fmt.Errorf("moica: reading the folder of anchors: %w", err)
	}
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		set.addFile(fsys, f.Name(), pins)
	}
	if len(set.roots) == 0 {
		return set, &NoRootError{set.skipped}
	}
	set.dropUnlinked()
	return set, nil
}

func (s *anchorSet) skip(file, format string, args ...any) {
	s.skipped = append(s.skipped, Skipped{file, fmt.Sprintf(format, args...)})
}

func (s *anchorSet) addFile(fsys fs.FS, name string, pins []Pin) {
	f, err := fsys.Open(name)
	if err != nil {
		s.skip(name, "cannot be read: %v", err)
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		s.skip(name, "cannot be read: %v", err)
		return
	case len(data) > maxFile:
		s.skip(name, "is larger than %d bytes", maxFile)
		return
	}
	certs := certificatesIn(data)
	if len(certs) == 0 {
		s.skip(name, "holds no certificate")
	}
	for _, raw := range certs {
		s.addCertificate(name, raw, pins)
	}
}

// certificatesIn returns the DER of the certificates in a PEM or DER file.
func certificatesIn(data []byte) [][]byte {
	var certs [][]byte
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			certs = append(certs, block.Bytes)
		}
	}
	if certs == nil && bytes.HasPrefix(data, []byte{0x30}) {
		certs = [][]byte{data}
	}
	return certs
}

func (s *anchorSet) addCertificate(file string, raw []byte, pins []Pin) {
	digest := fmt.Sprintf("%x", sha256.Sum256(raw))
	i := slices.IndexFunc(pins, func(p Pin) bool { return strings.EqualFold(p.SHA256, digest) })
	if i < 0 {
		s.skip(file, "is not pinned (SHA-256 %s)", digest)
		return
	}
	pin := pins[i]
	if j := slices.IndexFunc(s.found, func(f Found) bool { return f.Pin.SHA256 == pin.SHA256 }); j >= 0 {
		s.skip(file, "is %s again, as in %s", pin.Name, s.found[j].File)
		return
	}
	cert, err := certpath.ParseCertificate(raw)
	if err != nil {
		s.skip(file, "is %s, but cannot be parsed: %v", pin.Name, err)
		return
	}
	s.found = append(s.found, Found{pin, file, cert})
	s.generations[string(cert.SubjectKeyId)] = pin.generation()
	if pin.Root {
		s.roots = append(s.roots, cert)
	} else {
		s.intermediates = append(s.intermediates, cert)
	}
}

// dropUnlinked leaves out CAs whose root is not there: a folder may hold one
// generation alone. Which algorithms are accepted is for the policy of a
// verifier, at the instant of judgement: these certificates are pinned.
func (s *anchorSet) dropUnlinked() {
	s.intermediates = slices.DeleteFunc(s.intermediates, func(ca *x509.Certificate) bool {
		linked := slices.ContainsFunc(s.roots, func(root *x509.Certificate) bool {
			return certpath.SameName(ca.RawIssuer, root.RawSubject) && certpath.MatchesKeyIdentifier(ca, root) &&
				certpath.CheckSignature(ca, root, algorithm.Policy{InsecureAllowSHA1: true}) == nil
		})
		if !linked {
			i := slices.IndexFunc(s.found, func(f Found) bool { return f.Cert == ca })
			s.skip(s.found[i].File, "is %s, whose root is not there", s.found[i].Pin.Name)
			s.found = slices.Delete(s.found, i, i+1)
		}
		return !linked
	})
}
