package fido_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/signin/fido"
)

// A code of version 5 is read back from its image by the rules of ISO/IEC 18004, and
// its path and image are the same modules.
func TestQRCode(t *testing.T) {
	text := strings.Repeat("eyJ0cmFuc2FjdGlvbl9pZCI6.-_", 4)[:106]
	code, err := fido.NewQRCode(text)
	if err != nil {
		t.Fatal(err)
	}
	const size, quiet = 37, 4
	if code.Size != size+2*quiet {
		t.Fatalf("got %d modules, want %d", code.Size, size+2*quiet)
	}
	image, err := code.PNG(3)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	painted := paint(t, code)
	dark := func(row, col int) bool {
		r, _, _, _ := decoded.At(3*(col+quiet)+1, 3*(row+quiet)+1).RGBA()
		return r == 0
	}
	for row := -quiet; row < size+quiet; row++ {
		for col := -quiet; col < size+quiet; col++ {
			if dark(row, col) != painted[row+quiet][col+quiet] {
				t.Fatalf("path and image differ at row %d, column %d", row, col)
			}
			if outside := row < 0 || col < 0 || row >= size || col >= size; outside && dark(row, col) {
				t.Fatalf("the quiet zone is dark at row %d, column %d", row, col)
			}
		}
	}
	if got := readVersion5(t, dark); got != text {
		t.Errorf("got %q, want %q", got, text)
	}
	if err := xml.Unmarshal(code.SVG(), new(struct{})); err != nil || !bytes.Contains(code.SVG(), []byte(code.Path)) {
		t.Errorf("the SVG is not well-formed: %v", err)
	}
	for _, scale := range []int{0, -1, 33} {
		if _, err := code.PNG(scale); err == nil {
			t.Errorf("scale %d is accepted", scale)
		}
	}
	if _, err := fido.NewQRCode(strings.Repeat("a", 2953)); err != nil {
		t.Errorf("the longest text: %v", err)
	}
	if _, err := fido.NewQRCode(strings.Repeat("a", 2954)); err == nil {
		t.Error("a longer text is accepted")
	}
}

// paint draws the path into modules.
func paint(t *testing.T, code *fido.QRCode) [][]bool {
	t.Helper()
	modules := make([][]bool, code.Size)
	for i := range modules {
		modules[i] = make([]bool, code.Size)
	}
	run := regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)
	if rest := run.ReplaceAllString(code.Path, ""); rest != "" {
		t.Fatalf("the path has %q", rest)
	}
	for _, m := range run.FindAllStringSubmatch(code.Path, -1) {
		var n [4]int
		for i := range n {
			n[i], _ = strconv.Atoi(m[i+1])
		}
		for x := n[0]; x < n[0]+n[2]; x++ {
			modules[n[1]][x] = true
		}
	}
	return modules
}

// readVersion5 reads the byte segment of an undamaged code of version 5 and level L,
// whose codewords are one block.
func readVersion5(t *testing.T, dark func(row, col int) bool) string {
	t.Helper()
	const size = 37
	format := 0
	for col := range 5 {
		format <<= 1
		if dark(8, col) {
			format |= 1
		}
	}
	format ^= 0b10101 // the mask of format information, its first bits
	if level := format >> 3; level != 0b01 {
		t.Fatalf("got level %02b, want L", level)
	}
	masks := []func(i, j int) bool{
		func(i, j int) bool { return (i+j)%2 == 0 },
		func(i, j int) bool { return i%2 == 0 },
		func(i, j int) bool { return j%3 == 0 },
		func(i, j int) bool { return (i+j)%3 == 0 },
		func(i, j int) bool { return (i/2+j/3)%2 == 0 },
		func(i, j int) bool { return i*j%2+i*j%3 == 0 },
		func(i, j int) bool { return (i*j%2+i*j%3)%2 == 0 },
		func(i, j int) bool { return ((i+j)%2+i*j%3)%2 == 0 },
	}
	masked := masks[format&7]
	function := func(i, j int) bool {
		return i < 9 && (j < 9 || j >= size-8) || i >= size-8 && j < 9 || // finders, format
			i == 6 || j == 6 || // timing
			i >= 28 && i <= 32 && j >= 28 && j <= 32 // alignment
	}
	var bits strings.Builder
	up := true
	for right := size - 1; right > 0; right -= 2 {
		if right == 6 {
			right--
		}
		for step := range size {
			i := step
			if up {
				i = size - 1 - step
			}
			for _, j := range []int{right, right - 1} {
				if !function(i, j) {
					bits.WriteByte("01"[b2i(dark(i, j) != masked(i, j))])
				}
			}
		}
		up = !up
	}
	all := bits.String()
	number := func(from, n int) int {
		v, err := strconv.ParseUint(all[from:from+n], 2, 16)
		if err != nil {
			t.Fatal(err)
		}
		return int(v)
	}
	if mode := number(0, 4); mode != 0b0100 {
		t.Fatalf("got mode %04b, want bytes", mode)
	}
	var text strings.Builder
	for i := range number(4, 8) {
		fmt.Fprintf(&text, "%c", number(12+8*i, 8))
	}
	return text.String()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
