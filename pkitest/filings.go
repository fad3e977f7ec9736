package pkitest

import (
	"cmp"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"
)

// FilingsConfig says what filings to make. The zero value of a field is what most
// tests want.
type FilingsConfig struct {
	N        int // how many filings
	Citizens int // how many sign, in turns; if zero, one in ten filings

	// ContentSize is the size of the documents, in bytes. If zero, 10 KB.
	ContentSize int

	// Defects are the shares of the filings that have each defect. If nil, one in a
	// hundred has each. The rest is valid.
	Defects map[Defect]float64

	// Attached and Statements are the shares of those kinds. If negative, none; if
	// zero, one in five and one in ten. The rest is detached.
	Attached, Statements float64

	// Host and Service are in the lines of statements. If empty, localhost:8080 and
	// tax.
	Host, Service string

	// Seed makes the choices others. Equal configurations choose equally.
	Seed uint64
}

// Filings make signed documents by the thousand, for tests and rehearsals of a
// batch. Their methods may be called concurrently.
type Filings struct {
	cfg    FilingsConfig
	cards  []*Card            // of citizens in good standing
	faulty map[Defect][]*Card // of the others
	bounds []bound            // of the defects, cumulative
	now    time.Time
}

type bound struct {
	defect Defect
	below  float64
}

// NewFilings issues the certificates of those who sign. They are signed with the keys
// that come with this package, so that many have one key; the CA's lists say which of
// them it has revoked.
func (p *PKI) NewFilings(cfg FilingsConfig) (*Filings, error) {
	cfg.Citizens = max(1, cmp.Or(cfg.Citizens, cfg.N/10))
	cfg.ContentSize = cmp.Or(cfg.ContentSize, 10<<10)
	cfg.Attached = max(0, cmp.Or(cfg.Attached, 0.2))
	cfg.Statements = max(0, cmp.Or(cfg.Statements, 0.1))
	cfg.Host, cfg.Service = cmp.Or(cfg.Host, "localhost:8080"), cmp.Or(cfg.Service, "tax")
	f := &Filings{cfg: cfg, faulty: make(map[Defect][]*Card), now: p.now().Truncate(time.Second)}
	if err := f.addBounds(); err != nil {
		return nil, err
	}
	keys, err := embeddedHolderKeys()
	if err != nil {
		return nil, err
	}
	issuer := &filingIssuer{p, keys, f.now}
	if f.cards, err = issuer.citizens(cfg.Citizens); err != nil {
		return nil, err
	}
	for _, b := range f.bounds {
		card, err := issuer.faulty(b.defect)
		if err != nil {
			return nil, err
		}
		if card != nil {
			f.faulty[b.defect] = append(f.faulty[b.defect], card)
		}
	}
	return f, nil
}

// addBounds lays the shares of the defects side by side.
func (f *Filings) addBounds() error {
	shares := f.cfg.Defects
	if shares == nil {
		shares = make(map[Defect]float64)
		for _, defect := range allDefects {
			shares[defect] = 0.01
		}
	}
	sum := 0.0
	for _, defect := range slices.Sorted(maps.Keys(shares)) {
		if !slices.Contains(allDefects, defect) || shares[defect] < 0 {
			return fmt.Errorf("pkitest: defect %q with a share of %g", defect, shares[defect])
		}
		sum += shares[defect]
		f.bounds = append(f.bounds, bound{defect, sum})
	}
	if sum > 1 {
		return fmt.Errorf("pkitest: the shares of the defects add up to %g", sum)
	}
	return nil
}

// Filing makes the i-th filing, from 0. It is the same every time but for what is
// random in signatures.
func (f *Filings) Filing(i int) (Filing, error) {
	choice := rand.New(rand.NewPCG(f.cfg.Seed, uint64(i)))
	out := Filing{
		Name: fmt.Sprintf("filing-%07d", i), Kind: f.kind(choice.Float64()), Defect: f.defect(choice.Float64()),
		ReceivedAt: f.now.Add(-time.Duration(choice.IntN(3600)) * time.Second),
	}
	switch out.Defect {
	case DefectSHA1, DefectGarbage:
		out.Kind = DetachedFiling // a bare signature has neither
	case DefectService:
		out.Kind = StatementFiling
	}
	card := f.cards[i%len(f.cards)]
	if others := f.faulty[out.Defect]; len(others) > 0 {
		card = others[0]
	}
	out.Holder = card.Person.Number
	content := f.content(i)
	var err error
	if out.Kind == StatementFiling {
		err = f.signLine(&out, card, content, choice)
	} else {
		err = f.signContent(&out, card, content)
	}
	if err != nil {
		return out, fmt.Errorf("pkitest: signing filing %d: %w", i, err)
	}
	out.spoil(f)
	return out, nil
}

func (f *Filings) kind(x float64) FilingKind {
	switch {
	case x < f.cfg.Attached:
		return AttachedFiling
	case x < f.cfg.Attached+f.cfg.Statements:
		return StatementFiling
	}
	return DetachedFiling
}

func (f *Filings) defect(x float64) Defect {
	for _, b := range f.bounds {
		if x < b.below {
			return b.defect
		}
	}
	return ""
}

// content is a document of the size that is asked for, and unlike every other.
func (f *Filings) content(i int) []byte {
	text := fmt.Appendf(nil, "綜合所得稅結算申報書 (測試)\nfiling %d\n", i)
	for line := 0; len(text) < f.cfg.ContentSize; line++ {
		text = fmt.Appendf(text, "%6d  所得類別 50  給付總額 %9d\n", line, (i+1)*(line+7)%1_000_000_000)
	}
	return text[:max(f.cfg.ContentSize, 1)]
}

func (f *Filings) signContent(out *Filing, card *Card, content []byte) (err error) {
	opts := &CMSOptions{
		Detached: out.Kind == DetachedFiling, SigningTime: out.ReceivedAt, BreakSignature: out.Defect == DefectSignature,
	}
	if out.Defect == DefectSHA1 {
		opts.Hash = crypto.SHA1
	}
	if opts.Detached {
		out.Content = content
	} else if out.Defect == DefectTampered {
		sum := sha256.Sum256(content)
		opts.MessageDigest, content = sum[:], append([]byte("x"), content[1:]...)
	}
	out.Signature, err = card.SignPKCS7(content, opts)
	return err
}

// signLine signs a line as package signin writes it.
func (f *Filings) signLine(out *Filing, card *Card, content []byte, choice *rand.Rand) (err error) {
	var challenge [32]byte
	for i := 0; i < len(challenge); i += 8 {
		binary.BigEndian.PutUint64(challenge[i:], choice.Uint64()|1)
	}
	service := f.cfg.Service
	if out.Defect == DefectService {
		service += "-other"
	}
	sum := sha256.Sum256(content)
	out.Line = fmt.Sprintf("citizencert:1/dev-file/%s/%s/%d/%s/%s", f.cfg.Host, service,
		out.ReceivedAt.Add(10*time.Minute).Unix(), base64.RawURLEncoding.EncodeToString(challenge[:]), hex.EncodeToString(sum[:]))
	out.Content, out.Certificate = content, card.Cert.Raw
	out.Signature, err = card.SignPKCS1([]byte(out.Line))
	if err == nil && out.Defect == DefectSignature {
		breakSignature(out.Signature)
	}
	return err
}

// spoil does to a signed filing what happens to it afterwards.
func (out *Filing) spoil(f *Filings) {
	switch out.Defect {
	case DefectTampered:
		if out.Content != nil {
			out.Content[0] ^= 1
		}
	case DefectGarbage:
		out.Signature = out.Signature[:len(out.Signature)/2]
	case DefectNoReceipt:
		out.ReceivedAt = time.Time{}
	case DefectOther:
		out.Holder = f.cards[0].Issuer.pki.holderNumber()
	}
}

// All yields the filings in order. They are made on all cores, some ahead of those
// that are asked for.
func (f *Filings) All() iter.Seq2[Filing, error] {
	return func(yield func(Filing, error) bool) {
		const ahead = 16 // of each core
		size := ahead * runtime.GOMAXPROCS(0)
		for from := 0; from < f.cfg.N; from += size {
			made, err := parallel(min(size, f.cfg.N-from), func(i int) (Filing, error) { return f.Filing(from + i) })
			for i := range made {
				if err == nil && !yield(made[i], nil) {
					return
				}
			}
			if err != nil {
				yield(Filing{}, err)
				return
			}
		}
	}
}

// parallel makes n values on all cores.
func parallel[T any](n int, one func(i int) (T, error)) ([]T, error) {
	made, errs := make([]T, n), make([]error, n)
	workers := min(n, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				made[i], errs[i] = one(i)
			}
		})
	}
	wg.Wait()
	return made, errors.Join(errs...)
}
