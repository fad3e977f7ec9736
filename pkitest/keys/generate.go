//go:build ignore

// Generate writes the RSA keys that pkitest embeds. Making the 4096-bit ones
// takes a second or more each, which no test should have to wait for.
//
// It is run as "go generate ./pkitest", from the repository root. Run it again
// only to change the number or the size of the keys: nothing is gained from
// fresh ones, because a key in a public repository is public.
package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

const notice = `TEST ONLY. This private key is published with the source of pkitest.
Whatever it signs proves nothing; never let a production system trust it.

`

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run generate.go DIRECTORY")
	}
	dir := os.Args[1]

	bits := map[string]int{
		"grca-g2":            4096,
		"grca-g3":            4096,
		"moica-g2":           2048,
		"moica-g3":           4096,
		"grca-g2-responder":  2048,
		"grca-g3-responder":  2048,
		"moica-g2-responder": 2048,
		"moica-g3-responder": 2048,
	}
	// A card takes two keys, so these are a dozen cards.
	for i := range 24 {
		bits[fmt.Sprintf("holder-%02d", i)] = 2048
	}
	for name, n := range bits {
		if err := write(filepath.Join(dir, name+".pem"), n); err != nil {
			log.Fatal(err)
		}
	}
}

func write(path string, bits int) error {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return os.WriteFile(path, append([]byte(notice), block...), 0o644)
}
