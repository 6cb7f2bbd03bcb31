package qr

import (
	"fmt"
	"io"
	"strings"

	"github.com/skip2/go-qrcode"
)

// Black on white by numbers of the cube of 256 colours: the first sixteen are the terminal's own to choose.
const (
	colours = "\x1b[38;5;16;48;5;231m"
	plain   = "\x1b[0m"
)

// Terminal writes text as a QR code of half-block characters, two modules above each other in one.
func Terminal(w io.Writer, text string) error {
	code, err := qrcode.New(text, qrcode.Low) // a screen has no scratches
	if err != nil {
		return fmt.Errorf("qr: %w", err)
	}
	var b strings.Builder
	modules := code.Bitmap() // with the quiet zone
	for y := 0; y < len(modules); y += 2 {
		b.WriteString("  " + colours)
		for x := range modules[y] {
			below := y+1 < len(modules) && modules[y+1][x]
			switch above := modules[y][x]; {
			case above && below:
				b.WriteString("█")
			case above:
				b.WriteString("▀")
			case below:
				b.WriteString("▄")
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString(plain + "\n")
	}
	_, err = io.WriteString(w, b.String())
	return err
}
