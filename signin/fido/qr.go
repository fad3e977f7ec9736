package fido

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quietZone is the margin around a QR code, in modules (ISO/IEC 18004, Section 5.3.8).
const quietZone = 4

// A QRCode is a square of modules, with its quiet zone. Dark modules on a light
// ground: it has to be shown so under every colour scheme.
type QRCode struct {
	Size int    `json:"size"` // modules in a row
	Path string `json:"path"` // of the dark modules: SVG path data, one unit a module
	dark [][]bool
}

// NewQRCode returns the code of a text, such as Ticket.Text, which is what the app
// scans. It has the lowest level of correction: codes on a screen are not torn, and
// a ticket takes some thousand characters.
func NewQRCode(text string) (*QRCode, error) {
	modules, err := qr.Encode(text, qr.L, qr.Unicode)
	if err != nil {
		return nil, fmt.Errorf("fido: QR code: a text of %d bytes does not fit", len(text))
	}
	inner := modules.Bounds().Dx()
	q := &QRCode{Size: inner + 2*quietZone}
	q.dark = make([][]bool, q.Size)
	var path strings.Builder
	for y := range q.Size {
		q.dark[y] = make([]bool, q.Size)
		run := 0
		for x := range q.Size + 1 {
			dark := false
			if image.Pt(x-quietZone, y-quietZone).In(modules.Bounds()) {
				dark = color.GrayModel.Convert(modules.At(x-quietZone, y-quietZone)).(color.Gray).Y < 128
			}
			if dark {
				q.dark[y][x] = true
				run++
			} else if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x-run, y, run, run)
				run = 0
			}
		}
	}
	q.Path = path.String()
	return q, nil
}

// SVG returns the code as a document of its own.
func (q *QRCode) SVG() []byte {
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`, q.Size, q.Size, q.Size, q.Size, q.Path)
}

// PNG returns the code as an image with scale pixels for each side of a module.
func (q *QRCode) PNG(scale int) ([]byte, error) {
	if scale < 1 || scale > 32 {
		return nil, fmt.Errorf("fido: QR code: scale is %d, want 1 to 32", scale)
	}
	img := image.NewPaletted(image.Rect(0, 0, q.Size*scale, q.Size*scale), color.Palette{color.White, color.Black})
	for i := range img.Pix {
		if q.dark[i/img.Stride/scale][i%img.Stride/scale] {
			img.Pix[i] = 1
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("fido: QR code: %w", err)
	}
	return out.Bytes(), nil
}
