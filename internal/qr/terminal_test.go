package qr

import (
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// screen is what a terminal shows of the cells, eight pixels a module.
func screen(t *testing.T, drawn string) *image.Gray {
	t.Helper()
	const scale = 8
	lines := strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")
	var modules [][]bool
	for _, line := range lines {
		cells, ok := strings.CutPrefix(line, "  "+colours)
		cells, end := strings.CutSuffix(cells, plain)
		if !ok || !end {
			t.Fatalf("a line whose colours are the terminal's: %q", line)
		}
		var above, below []bool
		for _, c := range cells {
			above, below = append(above, c == '█' || c == '▀'), append(below, c == '█' || c == '▄')
		}
		modules = append(modules, above, below)
	}
	img := image.NewGray(image.Rect(0, 0, scale*len(modules[0]), scale*len(modules)))
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if !modules[y/scale][x/scale] {
				img.SetGray(x, y, color.Gray{255})
			}
		}
	}
	return img
}

func TestWhatIsDrawnCanBeRead(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"https://192.168.1.23:8080", "https://[fd00:1234:5678:9abc::17]:8443", "https://10.0.0.2"} {
		var b strings.Builder
		if err := Terminal(&b, text); err != nil {
			t.Fatal(err)
		}
		img := screen(t, b.String())
		bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
		if err != nil {
			t.Fatal(err)
		}
		got, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || got.GetText() != text {
			t.Errorf("read %v, %v, want %s\n%s", got, err, text, &b)
		}
		for i := range 4 * 8 { // the quiet zone
			for x := range img.Rect.Dx() {
				if img.GrayAt(x, i).Y == 0 || img.GrayAt(i, x).Y == 0 || img.GrayAt(img.Rect.Dx()-1-i, x).Y == 0 || img.GrayAt(x, img.Rect.Dy()-1-i).Y == 0 {
					t.Fatalf("a dark module in the quiet zone\n%s", &b)
				}
			}
		}
	}
}

func TestWhatNoCodeHolds(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := Terminal(&b, strings.Repeat("x", 4000)); err == nil || b.Len() > 0 {
		t.Errorf("%v, and %d bytes were written", err, b.Len())
	}
	if err := Terminal(broken{}, "x"); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
