package names

import (
	"errors"
	"strings"
	"unicode"
)

// What is wrong with a name.
var (
	ErrBlank   = errors.New("a name has at least one character that can be seen")
	ErrControl = errors.New("a name has no control characters, and none that turn the direction of the text around it")
	ErrMarks   = errors.New("a name has at most 4 accents on one character, and does not begin with one")
)

// maxMarks is how many nonspacing marks may follow one another. Unicode's security mechanisms draw the line there
// (UTS 39, section 5.4): no language needs more, and a stack of more covers the lines above and below.
const maxMarks = 4

// Display returns a name as it is shown: without blanks around it and without characters that nobody sees. Those come
// along when text is copied, or make two names that look the same; where they have a task, joining letters or emoji or
// choosing a shape, they stay.
func Display(name string) (string, error) {
	var c cleaner
	runes := []rune(strings.TrimSpace(name))
	for i, r := range runes {
		var next rune
		if i+1 < len(runes) {
			next = runes[i+1]
		}
		if err := c.add(r, next); err != nil {
			return "", err
		}
	}
	if !c.seen {
		return "", ErrBlank
	}
	// What was taken away may have had blanks behind it.
	return strings.TrimSpace(c.kept.String()), nil
}

// cleaner takes a name apart, character by character.
type cleaner struct {
	kept  strings.Builder
	base  rune // the last one that stands by itself, whatever was put on it
	last  rune // the last one kept
	marks int  // nonspacing ones since another character
	tags  int  // since base
	seen  bool // there was something to see
}

func (c *cleaner) add(r, next rune) error {
	switch {
	case control(r):
		return ErrControl
	case unicode.IsSpace(r) && c.last == 0:
		return nil // what stood before it was taken away
	case !invisible(r):
	case c.needs(r, next):
		c.keep(r)
		return nil
	default:
		return nil
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		if c.marks++; c.marks > maxMarks || c.base == 0 {
			return ErrMarks
		}
	} else {
		c.marks = 0
	}
	if !unicode.IsMark(r) && !skin(r) {
		c.base, c.tags = r, 0
	}
	c.seen = c.seen || !unicode.IsSpace(r) && !unicode.IsMark(r)
	c.keep(r)
	return nil
}

func (c *cleaner) keep(r rune) {
	c.kept.WriteRune(r)
	c.last = r
}

// skin reports the colours that emoji of people take.
func skin(r rune) bool { return 0x1F3FB <= r && r <= 0x1F3FF }

const (
	zwnj, zwj      = 0x200C, 0x200D
	vowelSeparator = 0x180E // of Mongolian, where it changes the letter before it

	blackFlag = 0x1F3F4 // begins the flags of regions, which tags spell
	lastTag   = 0xE007F
	maxTags   = 7 // six for a region and one to end
)

// needs reports whether an invisible character has a task where it stands.
func (c *cleaner) needs(r, next rune) bool {
	switch {
	case c.last == 0 || invisible(c.last) && !tag(c.last) && !unicode.Is(unicode.Variation_Selector, c.last):
		return false // nothing to work on, or one has been at work already
	case r == zwj || r == zwnj:
		emoji := r == zwj && unicode.Is(unicode.So, c.base) && unicode.Is(unicode.So, next)
		return emoji || unicode.In(c.base, joining()...)
	case r == vowelSeparator:
		return unicode.Is(unicode.Mongolian, c.base)
	case tag(r):
		c.tags++
		return c.base == blackFlag && c.tags <= maxTags && c.last != lastTag
	case unicode.Is(unicode.Variation_Selector, r):
		shaped := !unicode.IsLetter(c.base) || unicode.Is(unicode.Han, c.base) || unicode.In(c.base, joining()...)
		return shaped && !unicode.IsSpace(c.base) && !invisible(c.last)
	}
	return false
}

func tag(r rune) bool { return 0xE0020 <= r && r <= lastTag }

// control reports characters that would disturb the text around a name: controls, line and paragraph separators, and
// those that turn the direction of what follows (Unicode Bidirectional Algorithm, section 2).
func control(r rune) bool {
	return unicode.IsControl(r) || 0x202A <= r && r <= 0x202E || 0x2066 <= r && r <= 0x2069 || r == 0x2028 || r == 0x2029
}

// invisible reports characters without a shape of their own: Unicode's Default_Ignorable_Code_Point as derived there, the
// rest of the format characters but those that enclose digits, and the empty Braille pattern.
func invisible(r rune) bool {
	const brailleBlank = 0x2800
	return r == brailleBlank ||
		unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) &&
			!unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// joining are the scripts in which joiners and variation selectors choose between shapes of a letter.
func joining() []*unicode.RangeTable {
	return []*unicode.RangeTable{
		unicode.Arabic, unicode.Syriac, unicode.Mandaic, unicode.Nko, unicode.Adlam, unicode.Hanifi_Rohingya,
		unicode.Mongolian, unicode.Phags_Pa, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati,
		unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer,
		unicode.Myanmar, unicode.Tibetan, unicode.Balinese, unicode.Javanese, unicode.Sundanese, unicode.Meetei_Mayek,
		unicode.Chakma, unicode.Limbu, unicode.Lepcha, unicode.Syloti_Nagri, unicode.Newa, unicode.Tirhuta, unicode.Grantha,
	}
}
