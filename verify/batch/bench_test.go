package batch_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"

	"github.com/citizencert/citizencert/internal/benchkit"
	"github.com/citizencert/citizencert/internal/rsaverify"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
)

// heldStatus asks a source once about each certificate, and then answers from memory.
type heldStatus struct {
	source verify.StatusSource
	held   sync.Map // of []verify.StatusReport, by serial number: those of the PKI are random
}

func (h *heldStatus) Status(ctx context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	var serial [20]byte // RFC 5280, Section 4.1.2.2
	q.Cert.SerialNumber.FillBytes(serial[:])
	if reports, ok := h.held.Load(serial); ok {
		return reports.([]verify.StatusReport), nil
	}
	reports, err := h.source.Status(ctx, q)
	h.held.Store(serial, reports)
	return reports, err
}

// A load is many detached filings of 10 KB, and what it takes to verify them by hand.
type load struct {
	*world
	filings []pkitest.Filing
	items   []batch.Item
	certs   []*x509.Certificate // of the signers of the filings
	issuers map[string]issuer
	leaf    *rsa.PublicKey // of an RSA-2048 signature over digest
	digest  [sha256.Size]byte
	sig     []byte
	roots   *x509.CertPool
}

// An issuer is the key of a CA, as crypto/rsa takes it and as package verify does.
type issuer struct {
	public   *rsa.PublicKey
	prepared *rsaverify.Key
}

func newLoad(b *testing.B, n, citizens int) *load {
	b.Helper()
	l := &load{world: newWorld(b, pkitest.FilingsConfig{
		N: n, Citizens: citizens, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{},
	})}
	l.config.Verify.Status = []verify.StatusSource{&heldStatus{source: l.config.Verify.Status[0]}}
	for f, err := range l.world.filings.All() {
		if err != nil {
			b.Fatal(err)
		}
		p7, err := pkcs7.Parse(f.Signature)
		if err != nil {
			b.Fatal(err)
		}
		l.filings, l.items, l.certs = append(l.filings, f), append(l.items, item(&f)), append(l.certs, p7.Certificates[0])
	}
	card, err := l.pki.G3.IssueCard(pkitest.Person{})
	if err != nil {
		b.Fatal(err)
	}
	l.leaf, l.digest = card.Cert.PublicKey.(*rsa.PublicKey), sha256.Sum256(nil)
	if l.sig, err = card.SignPKCS1(nil); err != nil {
		b.Fatal(err)
	}
	l.issuers, l.roots = make(map[string]issuer), x509.NewCertPool()
	for _, g := range []*pkitest.Generation{l.pki.G2, l.pki.G3} {
		public := g.MOICA.Cert.PublicKey.(*rsa.PublicKey)
		l.issuers[string(g.MOICA.Cert.SubjectKeyId)] = issuer{public, rsaverify.NewKey(public)}
		l.roots.AddCert(g.Root.Cert)
	}
	return l
}

// onCores runs one for every filing, on so many cores.
func (l *load) onCores(cores int, one func(i int)) {
	var wg sync.WaitGroup
	for c := range cores {
		wg.Go(func() {
			for i := c; i < len(l.filings); i += cores {
				one(i)
			}
		})
	}
	wg.Wait()
}

// primitives are what no verification can do without: a hash of the content, an
// RSA-2048 verification and, the first time that a citizen appears, one of RSA-4096.
func (l *load) primitives(b *testing.B, cores, citizens int, certified func(by issuer, digest, sig []byte) error) {
	l.onCores(cores, func(i int) {
		sha256.Sum256(l.filings[i].Content)
		err := rsa.VerifyPKCS1v15(l.leaf, crypto.SHA256, l.digest[:], l.sig)
		if cert := l.certs[i]; err == nil && i < citizens {
			sum := sha256.Sum256(cert.RawTBSCertificate)
			err = certified(l.issuers[string(cert.AuthorityKeyId)], sum[:], cert.Signature)
		}
		if err != nil {
			b.Error(err)
		}
	})
}

// The RSA-4096 verification by the code that package verify uses, and by crypto/rsa.
func ownRSA(by issuer, digest, sig []byte) error {
	return by.prepared.VerifyPKCS1v15(crypto.SHA256, digest, sig)
}

func standardRSA(by issuer, digest, sig []byte) error {
	return rsa.VerifyPKCS1v15(by.public, crypto.SHA256, digest, sig)
}

// digitorus does for every filing what the peer of that name does.
func (l *load) digitorus(b *testing.B, cores int) {
	intermediates := []*x509.Certificate{l.pki.G2.MOICA.Cert, l.pki.G3.MOICA.Cert}
	l.onCores(cores, func(i int) {
		p7, err := pkcs7.Parse(l.filings[i].Signature)
		if err == nil {
			p7.Content = l.filings[i].Content
			p7.Certificates = append(p7.Certificates, intermediates...)
			err = p7.VerifyWithChain(l.roots)
		}
		if err != nil {
			b.Error(err)
		}
	})
}

// batch judges every filing by a Runner that has not seen any of the citizens.
func (l *load) batch(b *testing.B, cores int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	runner := l.runner(b, func(c *batch.Config) { c.Workers = cores })
	for res, err := range runner.Results(b.Context(), each(l.items, len(l.items)), batch.InputOrder) {
		if err != nil || res.Verdict != batch.Valid {
			b.Fatal(err, res)
		}
	}
}

// BenchmarkBatch compares a batch with the sum of its primitives, with itself on one
// core and with a peer, when every citizen is new and at ten filings of each.
func BenchmarkBatch(b *testing.B) {
	cores := runtime.GOMAXPROCS(0)
	for _, each := range []int{1, 10} {
		b.Run(fmt.Sprintf("filings-per-citizen=%d", each), func(b *testing.B) {
			const n = 2_000
			l := newLoad(b, n, n/each)
			c := benchkit.Compare(b,
				benchkit.Case{Name: "batch", Op: func() { l.batch(b, cores) }},
				benchkit.Case{Name: "one-core", Op: func() { l.batch(b, 1) }},
				benchkit.Case{Name: "primitives", Op: func() { l.primitives(b, cores, n/each, ownRSA) }},
				benchkit.Case{Name: "primitives-one-core", Op: func() { l.primitives(b, 1, n/each, ownRSA) }},
				benchkit.Case{Name: "standard-primitives", Op: func() { l.primitives(b, cores, n/each, standardRSA) }},
				benchkit.Case{Name: "digitorus", Op: func() { l.digitorus(b, cores) }},
			)
			c.Ratio("primitives", "batch")
			c.Ratio("standard-primitives", "batch")
			c.Ratio("one-core", "batch")
			c.Ratio("primitives-one-core", "primitives") // what the machine has of a second core
			c.Ratio("digitorus", "batch")
		})
	}
}

// BenchmarkProcessor is the part of BenchmarkBatch that a busy machine can tell: by how
// much processor time the same is done. Work that takes no more of it on two cores than
// on one does not get into its own way.
func BenchmarkProcessor(b *testing.B) {
	cores := runtime.GOMAXPROCS(0)
	for _, each := range []int{1, 10} {
		b.Run(fmt.Sprintf("filings-per-citizen=%d", each), func(b *testing.B) {
			const n = 600
			l := newLoad(b, n, n/each)
			var share, growth []float64
			for b.Loop() {
				batched := processorTime(func() { l.batch(b, cores) })
				alone := processorTime(func() { l.batch(b, 1) })
				primitives := processorTime(func() { l.primitives(b, cores, n/each, ownRSA) })
				share = append(share, primitives.Seconds()/batched.Seconds())
				growth = append(growth, batched.Seconds()/alone.Seconds())
			}
			b.ReportMetric(0, "ns/op") // of a round, which says nothing
			b.ReportMetric(benchkit.Median(share), "primitives/batch")
			b.ReportMetric(benchkit.Median(growth), "batch/one-core")
		})
	}
}

// BenchmarkRecord compares results that are recorded, without evidence and with it,
// with the same lines that are written nowhere: what checkpoints and the hash chain cost,
// and evidence. It does so in processor time, which the machine's other users do not
// change much. One run is longer than the slices of benchkit, so that checkpoints fall
// into it: they take turns, and what is reported is the median of the ratios.
func BenchmarkRecord(b *testing.B) {
	for _, perCitizen := range []int{1, 10} {
		b.Run(fmt.Sprintf("filings-per-citizen=%d", perCitizen), func(b *testing.B) {
			const n = 5_000
			l := newLoad(b, n, n/perCitizen)
			var chained, evidence []float64
			for b.Loop() {
				lines := l.encoded(b)
				chained = append(chained, l.recorded(b, true).Seconds()/lines.Seconds())
				evidence = append(evidence, l.recorded(b, false).Seconds()/lines.Seconds())
			}
			b.ReportMetric(0, "ns/op") // of a round, which says nothing
			b.ReportMetric(benchkit.Median(chained), "recorded/lines")
			b.ReportMetric(benchkit.Median(evidence), "with-evidence/lines")
		})
	}
}

// encoded makes the lines of results.
func (l *load) encoded(b *testing.B) time.Duration {
	runner := l.runner(b, nil)
	return processorTime(func() {
		lines := json.NewEncoder(io.Discard)
		for res, err := range runner.Results(b.Context(), each(l.items, len(l.items)), batch.InputOrder) {
			if err == nil {
				err = lines.Encode(res)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// recorded records results.
func (l *load) recorded(b *testing.B, omitEvidence bool) time.Duration {
	runner := l.runner(b, func(c *batch.Config) { c.OmitEvidence = omitEvidence })
	return processorTime(func() {
		if _, err := runner.Run(b.Context(), b.TempDir(), batch.Iterate("", each(l.items, len(l.items))), batch.RunOptions{}); err != nil {
			b.Fatal(err)
		}
	})
}

// processorTime returns what the process has used of all processors during f.
func processorTime(f func()) time.Duration {
	before := benchkit.ProcessorTime()
	f()
	return benchkit.ProcessorTime() - before
}
