package pkitest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"sync"
)

//go:generate go run keys/generate.go keys

// keyFiles are private keys that are public, see keys/README.md.
//
//go:embed keys/*.pem
var keyFiles embed.FS

// embeddedKey returns the key in keys/name.pem.
func embeddedKey(name string) (crypto.Signer, error) {
	text, err := keyFiles.ReadFile("keys/" + name + ".pem")
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("pkitest: key %s is not PEM", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(crypto.Signer), nil
}

// keyPool hands out RSA-2048 keys: the embedded ones first, because they cost
// nothing, then new ones. No key is handed out twice. The zero keyPool is full.
type keyPool struct {
	mu   sync.Mutex
	used int
}

func (p *keyPool) next() (crypto.Signer, error) {
	p.mu.Lock()
	name := fmt.Sprintf("holder-%02d", p.used)
	p.used++
	p.mu.Unlock()

	key, err := embeddedKey(name)
	if errors.Is(err, fs.ErrNotExist) {
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return key, err
}

// generate returns a key as a Template asks for it. RSA of the usual size
// comes from the pool.
func (p *keyPool) generate(algorithm x509.PublicKeyAlgorithm, rsaBits int) (crypto.Signer, error) {
	switch algorithm {
	case x509.UnknownPublicKeyAlgorithm, x509.RSA:
		if rsaBits == 0 || rsaBits == 2048 {
			return p.next()
		}
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case x509.ECDSA:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case x509.Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	default:
		return nil, fmt.Errorf("pkitest: cannot generate a key for %v", algorithm)
	}
}
