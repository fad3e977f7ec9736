package moica

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// sources are where the two repositories publish the pinned certificates. MOICA
// G3 is also published by the root CA, as PEM: digests are of the DER.
var sources = map[string]string{
	"GRCA-G2":  "https://grca.nat.gov.tw/repository/Certs/GRCA2.cer",
	"GRCA-G3":  "https://grca.nat.gov.tw/repository/Certs/GRCAG3.crt",
	"MOICA-G2": "https://moica.nat.gov.tw/repository/Certs/MOICA2.cer",
	"MOICA-G3": "https://moica.nat.gov.tw/repository/Certs/MOICA-G3.cer",
}

// fetchTimeout bounds one download of two kilobytes.
const fetchTimeout = 30 * time.Second

// FetchAnchors downloads the pinned certificates from the government's
// repositories into dir, which it creates if need be, and returns what
// [LoadAnchors] finds there. A file whose digest is not the pinned one is not
// stored, and is an error. Files that are there already are replaced. If client is
// nil, http.DefaultTransport is used.
func FetchAnchors(ctx context.Context, client *http.Client, dir string) (*Anchors, error) {
	if client == nil {
		client = &http.Client{}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("moica: %w", err)
	}
	for _, pin := range Pins() {
		if err := fetch(ctx, client, pin, dir); err != nil {
			return nil, fmt.Errorf("moica: fetching %s: %w", sources[pin.Name], err)
		}
	}
	return LoadAnchors(os.DirFS(dir))
}

func fetch(ctx context.Context, client *http.Client, pin Pin, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, sources[pin.Name], nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("answer is %s, want 200", res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxFile+1))
	if err != nil {
		return err
	}
	if len(data) > maxFile {
		return fmt.Errorf("answer is larger than %d bytes", maxFile)
	}
	for _, raw := range certificatesIn(data) {
		if fmt.Sprintf("%x", sha256.Sum256(raw)) == pin.SHA256 {
			return writeFile(filepath.Join(dir, pin.Name+".cer"), raw)
		}
	}
	return fmt.Errorf("answer does not hold the certificate pinned as %s (SHA-256 %s)", pin.Name, pin.SHA256)
}

// writeFile writes beside the file and renames, so that a reader never sees half
// of it.
func writeFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".anchor-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	return err
}
