package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify/batch"
)

// A demo is what the command demo filings is told.
type demo struct {
	n, citizens, size int
	seed              uint64
}

// setupDemoFilings is the command demo filings: a folder that batch can be tried on,
// with the verdicts that it must come to.
func setupDemoFilings(fs *flag.FlagSet) action {
	var d demo
	fs.IntVar(&d.n, "n", 1000, "how many filings")
	fs.IntVar(&d.citizens, "citizens", 0, "how many citizens sign (default one for ten filings)")
	fs.IntVar(&d.size, "size", 10<<10, "size of a document in bytes")
	fs.Uint64Var(&d.seed, "seed", 1, "choice of kinds and defects")
	return func(ctx context.Context, _ *files, dir string) (report, error) { return d.write(ctx, dir) }
}

// The files of the folder besides those of the filings.
const (
	demoAnchors       = "anchors.pem"
	demoIntermediates = "intermediates.pem"
	demoLists         = "lists.pem"
	demoExpected      = "expected.jsonl"
)

func (d *demo) write(ctx context.Context, dir string) (*demoReport, error) {
	if d.n <= 0 || d.citizens < 0 || d.size <= 0 {
		return nil, errors.New("-n and -size must be positive, -citizens not negative")
	}
	if _, err := os.Stat(filepath.Join(dir, batch.ManifestName)); err == nil {
		return nil, fmt.Errorf("%s has filings already", dir)
	}
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		return nil, err
	}
	defer pki.Close()
	filings, err := pki.NewFilings(pkitest.FilingsConfig{
		N: d.n, Citizens: d.citizens, ContentSize: d.size, Seed: d.seed, Defects: demoDefects(),
	})
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	out := &demoReport{Folder: dir, Filings: d.n, Refused: make(map[string]int64)}
	if err := out.writeFilings(ctx, dir, filings); err != nil {
		return nil, err
	}
	return out, writeDemoPKI(dir, pki)
}

// demoDefects are those that can be seen without knowing the holder's number, which only
// the pinned anchors of a scheme give.
func demoDefects() map[pkitest.Defect]float64 {
	defects := make(map[pkitest.Defect]float64)
	for _, defect := range []pkitest.Defect{
		pkitest.DefectTampered, pkitest.DefectSignature, pkitest.DefectRevoked, pkitest.DefectSuspended, pkitest.DefectExpired,
		pkitest.DefectStranger, pkitest.DefectEncryption, pkitest.DefectSHA1, pkitest.DefectGarbage, pkitest.DefectNoReceipt,
		pkitest.DefectService,
	} {
		defects[defect] = 0.005
	}
	return defects
}

// A demoReport says what was written, and how to go on.
type demoReport struct {
	Folder  string           `json:"folder"`
	Filings int              `json:"filings"`
	Refused map[string]int64 `json:"refused"` // by the reason that is expected
}

func (*demoReport) exitCode() int { return exitGood }

func (r *demoReport) writeText(w *textWriter) {
	w.title("%d filings in %s", r.Filings, r.Folder)
	for _, reason := range slices.Sorted(maps.Keys(r.Refused)) {
		w.line(reason, "%d", r.Refused[reason])
	}
	at := func(name string) string { return filepath.Join(r.Folder, name) }
	w.line("now try", "citizencert batch -anchors %s -intermediates %s -crl %s -line-host localhost:8080 -line-service tax -out %s-results %s",
		at(demoAnchors), at(demoIntermediates), at(demoLists), r.Folder, r.Folder)
}

// demoFolder is how many filings share a folder.
const demoFolder = 1000

// writeFilings writes the filings, their manifest, and what is expected of each.
func (r *demoReport) writeFilings(ctx context.Context, dir string, filings *pkitest.Filings) (err error) {
	manifest, err := os.Create(filepath.Join(dir, batch.ManifestName))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, manifest.Close()) }()
	expected, err := os.Create(filepath.Join(dir, demoExpected))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, expected.Close()) }()
	i := 0
	for f, err := range filings.All() {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = r.writeFiling(dir, fmt.Sprintf("%05d", i/demoFolder), &f, json.NewEncoder(manifest), json.NewEncoder(expected))
		}
		if err != nil {
			return err
		}
		i++
	}
	return nil
}

func (r *demoReport) writeFiling(dir, folder string, f *pkitest.Filing, manifest, expected *json.Encoder) error {
	if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
		return err
	}
	entry := struct {
		ID          string    `json:"id"`
		Signature   string    `json:"signature"`
		Content     string    `json:"content,omitempty"`
		Line        string    `json:"line,omitempty"`
		Certificate string    `json:"certificate,omitempty"`
		ReceivedAt  time.Time `json:"receivedAt,omitzero"`
	}{ID: f.Name, Line: f.Line, ReceivedAt: f.ReceivedAt}
	for _, part := range []struct {
		name      *string
		extension string
		data      []byte
	}{{&entry.Signature, ".p7s", f.Signature}, {&entry.Content, ".txt", f.Content}, {&entry.Certificate, ".cer", f.Certificate}} {
		if part.data == nil {
			continue
		}
		*part.name = folder + "/" + f.Name + part.extension
		if err := os.WriteFile(filepath.Join(dir, *part.name), part.data, 0o600); err != nil {
			return err
		}
	}
	if f.Expect() != "" {
		r.Refused[f.Expect()]++
	}
	return errors.Join(manifest.Encode(entry), expected.Encode(map[string]string{"item": f.Name, "reason": f.Expect()}))
}

// writeDemoPKI writes the certificates and lists that a verifier has to be given.
func writeDemoPKI(dir string, pki *pkitest.PKI) error {
	var anchors, intermediates, lists bytes.Buffer
	for _, g := range []*pkitest.Generation{pki.G2, pki.G3} {
		pem.Encode(&anchors, &pem.Block{Type: "CERTIFICATE", Bytes: g.Root.Cert.Raw})
		pem.Encode(&intermediates, &pem.Block{Type: "CERTIFICATE", Bytes: g.MOICA.Cert.Raw})
		for _, ca := range []*pkitest.CA{g.Root, g.MOICA} {
			// The lists are good for a month: the folder may be kept.
			list, err := ca.CRL(pkitest.CRLOptions{NextUpdate: time.Now().AddDate(0, 1, 0)})
			if err != nil {
				return err
			}
			pem.Encode(&lists, &pem.Block{Type: "X509 CRL", Bytes: list})
		}
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, demoAnchors), anchors.Bytes(), 0o600),
		os.WriteFile(filepath.Join(dir, demoIntermediates), intermediates.Bytes(), 0o600),
		os.WriteFile(filepath.Join(dir, demoLists), lists.Bytes(), 0o600),
	)
}
