package rsaverify

import (
	"math/big"
	"math/bits"
)

// A montgomery is an odd modulus n of w words, with the constants of
// Montgomery's multiplication: x stands for x·R modulo n, where B is 2 to the
// bits of a word and R = B^w.
//
// A product is divided by R in three steps, of about w/2, w/4 and w/4 words. With
// hi·B^k + lo for the product, the first two replace it by hi + lo·B^-k, which is
// the same modulo n, divided by B^k, and shorter. Only the last step makes the
// number divisible, as textbooks have it for the whole. This saves most of the
// multiplications by -1/n.
type montgomery struct {
	n     *big.Int
	folds [2]fold
	last  int      // words of the last step
	inv   *big.Int // -1/n modulo B^last
	rr    *big.Int // R² modulo n
}

// A fold divides by B^words.
type fold struct {
	words   int
	inverse *big.Int // B^-words modulo n
}

func newMontgomery(n *big.Int) *montgomery {
	w := len(n.Bits())
	f := &montgomery{n: n, last: w - w/2 - w/4}
	inv := negativeInverse(n, w/2) // and, in its lowest words, for every smaller power of B
	for i, words := range [...]int{w / 2, w / 4} {
		// n·inv + 1 is a multiple of B^words, and what it is multiplied with is the
		// inverse of B^words, since n·inv + 1 is 1 modulo n.
		multiple := new(big.Int).Mul(n, lowest(inv, words))
		multiple.Add(multiple, big.NewInt(1))
		f.folds[i] = fold{words, new(big.Int).Rsh(multiple, uint(words*bits.UintSize))}
	}
	f.inv = lowest(inv, f.last)
	f.rr = new(big.Int).Mod(powerOfB(2*w), n)
	return f
}

// negativeInverse returns -1/n modulo B^words, for an odd n. What is the inverse
// modulo a number is made that modulo its square by Newton's iteration x·(2-n·x).
func negativeInverse(n *big.Int, words int) *big.Int {
	low := uint(n.Bits()[0])
	x := low // the inverse modulo 2^3
	for range 5 {
		x *= 2 - low*x
	}
	inverse := new(big.Int).SetUint64(uint64(x))
	for known := 1; known < words; {
		known = min(2*known, words)
		product := new(big.Int).Mul(lowest(n, known), inverse)
		factor := powerOfB(known) // for 2-n·x, and not below zero
		factor.Sub(factor.Add(factor, big.NewInt(2)), lowest(product, known))
		inverse = lowest(new(big.Int).Mul(inverse, factor), known)
	}
	b := powerOfB(words)
	return b.Sub(b, inverse)
}

// lowest returns x modulo B^words, which aliases x.
func lowest(x *big.Int, words int) *big.Int {
	all := x.Bits()
	return new(big.Int).SetBits(all[:min(words, len(all))])
}

func powerOfB(words int) *big.Int {
	return new(big.Int).Lsh(big.NewInt(1), uint(words*bits.UintSize))
}

// exp sets s.power to s.sig, which is less than n, to the power of the odd e.
func (f *montgomery) exp(s *scratch, e uint) {
	// With base x·R each squaring keeps the factor R. The last bit of e is set, and
	// multiplying by x itself there takes the factor out again.
	f.mul(s, &s.sig, f.rr)
	s.base.Set(&s.power)
	for i := bits.Len(e) - 2; i >= 0; i-- {
		f.mul(s, &s.power, &s.power)
		switch {
		case e>>i&1 == 0:
		case i == 0:
			f.mul(s, &s.power, &s.sig)
		default:
			f.mul(s, &s.power, &s.base)
		}
	}
}

// mul sets s.power to x·y/R modulo n, for x and y less than n.
func (f *montgomery) mul(s *scratch, x, y *big.Int) {
	t := s.product.Mul(x, y)
	for i := range f.folds {
		s.split(t, f.folds[i].words)
		t = s.folded[i].Mul(&s.low, f.folds[i].inverse)
		t.Add(t, &s.high)
	}
	// t is less than 3·n·B^last. Adding n as often as makes it a multiple of
	// B^last leaves less than 4·n of the quotient.
	s.split(t, f.last)
	s.times.Mul(&s.low, f.inv)
	s.split(&s.times, f.last)
	s.multiple.Mul(&s.low, f.n)
	t.Add(t, &s.multiple)
	s.power.Rsh(t, uint(f.last*bits.UintSize))
	for s.power.Cmp(f.n) >= 0 {
		s.power.Sub(&s.power, f.n)
	}
}

// split makes s.low and s.high views of the n lowest words of t, and of those
// above them.
func (s *scratch) split(t *big.Int, n int) {
	words := t.Bits()
	n = min(n, len(words))
	s.low.SetBits(words[:n])
	s.high.SetBits(words[n:])
}
