package names

import (
	"strings"
	"unicode"

	"github.com/mtibben/confusables"
)

// Alike reports whether two names look the same to somebody who does not look closely: by the confusables of Unicode (UTS 39,
// section 4), without regard to case, accents, blanks and punctuation.
func Alike(a, b string) bool {
	return plain(strings.ToLower(a)) == plain(strings.ToLower(b)) || plain(a) == plain(b)
}

func plain(name string) string {
	kept := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) {
			return r
		}
		return -1
	}, confusables.Skeleton(name))
	if kept == "" { // a name of punctuation alone
		kept = name
	}
	return strings.ToLower(kept)
}
