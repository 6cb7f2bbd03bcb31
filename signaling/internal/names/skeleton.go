package names

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Skeleton is what is left of a name when what the eye takes for the same is made the same: case, accents, blanks and punctuation, the
// letters of Latin, Greek and Cyrillic that have one shape, and 0 and O, 1 and I and l, rn and m, vv and w. It is no name: it is to be compared.
type Skeleton struct {
	shape  string // letters by the shape they have as they are written
	folded string // letters by the shape they have in lower case: Η is H in capitals, and η, which is like n, else
}

// SkeletonOf makes the skeleton of a name.
func SkeletonOf(name string) Skeleton {
	name = norm.NFKD.String(name)
	lower := strings.ReplaceAll(strings.ToLower(name), "ς", "σ") // a capital Σ tells nothing of its place
	return Skeleton{shape: reduce(name), folded: reduce(lower)}
}

// Like reports whether the names look the same. Two that have nothing but blanks and punctuation do not.
func (s Skeleton) Like(o Skeleton) bool {
	return s.shape != "" && s.shape == o.shape || s.folded != "" && s.folded == o.folded
}

// reduce takes shapes for letters and leaves out what does not count. decomposed is in form NFKD.
func reduce(decomposed string) string {
	var b strings.Builder
	for _, r := range decomposed {
		if shape, ok := shapes[r]; ok {
			b.WriteString(shape)
			continue
		}
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.In(r, unicode.So, unicode.Mc) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return latin.Replace(strings.ToLower(b.String()))
}

// latin makes one of the Latin letters and digits that are hard to tell apart. A capital I is an l to the eye, and a small i is one to
// who does not look twice.
var latin = strings.NewReplacer("0", "o", "1", "l", "i", "l", "m", "rn", "w", "vv")

// shapes are letters that look like Latin ones, or are such with a stroke that norm does not take off. Of the confusables of Unicode
// (UTS 39) those that a keyboard or a list of look-alike letters has; what is both in capitals and small stands here once for each.
var shapes = func() map[rune]string {
	all := map[rune]string{}
	for shape, letters := range map[string]string{
		// Greek and Coptic, Cyrillic, Armenian, Cherokee, and Latin letters of other shapes or with strokes.
		"A": "ΑАᎪꓮ", "B": "ΒВᏴꓐ", "C": "ϹСᏟꓚ", "D": "ᎠꓓĐÐƉ", "E": "ΕЕᎬꓰ", "F": "Ϝꓝ", "G": "ԌᏀꓖ", "H": "ΗНᎻꓧҺĦ",
		"I": "ΙІӀᏆꓲ", "J": "ЈᎫꓙ", "K": "ΚКᏦꓗ", "L": "ᏞꓡŁ", "M": "ΜМᎷꓟϺ", "N": "Νꓠ", "O": "ΟОՕꓳØ", "P": "ΡРᏢꓑ",
		"Q": "Ԛ", "R": "Ꭱᖇꓣ", "S": "ЅՏᏚꓢ", "T": "ΤТᎢꓔŦ", "U": "Սꓴ", "V": "ѴᏙꓦ", "W": "ԜᎳꓪ", "X": "ΧХꓫ", "Y": "ΥҮᎩꓬУ", "Z": "ΖᏃꓜ",
		"a": "αаɑ", "b": "ЬьᏏ", "c": "ϲсᴄ", "d": "ԁđɗ", "e": "еεҽєɛ", "f": "ƒẝ", "g": "ɡց", "h": "һհħ", "i": "ιіıɩӏ", "j": "јϳ",
		"k": "κкĸ", "l": "ǀłɫ|", "m": "мɱ", "n": "ηпոռɳ", "o": "οоσօø", "p": "ρрϱ", "q": "ԛգզ", "r": "гᴦɾ", "s": "ѕꜱʂ", "t": "τтŧ",
		"u": "υսʋцᴜ", "v": "νѵᴠ", "w": "ωшԝա", "x": "χх×", "y": "γуүʏ", "z": "ᴢʐ",
		"ae": "Ææ", "oe": "Œœ", "ss": "ßẞ", "th": "Þþ",
	} {
		for _, r := range letters {
			all[r] = shape
		}
	}
	return all
}()
