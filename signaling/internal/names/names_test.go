package names

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRoom(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"a": true, "stand-up": true, "A.b_c~9": true, "...": true, "a..b": true, ".a": true, strings.Repeat("x", 64): true,
		"": false, ".": false, "..": false, "a/b": false, "a b": false, "é": false, "%2e": false, "*": false, strings.Repeat("x", 65): false,
	} {
		if Room(name) != want {
			t.Errorf("Room(%q) is %v", name, !want)
		}
	}
}

// Names of all scripts stay as they are, with the joiners and selectors that their letters and emoji need.
func TestDisplayKeeps(t *testing.T) {
	t.Parallel()
	for script, name := range map[string]string{
		"Latin":                         "Ann O’Hara-Müller Jr. 2",
		"Vietnamese, decomposed":        "Ng\u0075\u031b\u0303",
		"Greek":                         "Ἀλέξανδρος",
		"Cyrillic":                      "Ольга",
		"Hebrew with points":            "שָׁלוֹם",
		"Arabic with vowels":            "مُحَمَّدٌ",
		"Persian, not joined":           "می\u200cخواهم",
		"Arabic, joined to nothing":     "ه\u200d",
		"Devanagari, half form":         "क\u094d\u200dष",
		"Devanagari, no ligature":       "क\u094d\u200cष",
		"Sinhala":                       "ශ\u0dca\u200dරී",
		"Malayalam, old chillu":         "അവന\u0d4d\u200d",
		"Bengali":                       "র\u200d\u09cdযা",
		"Tibetan":                       "བརྒྱད",
		"Thai":                          "สมชาย",
		"Mongolian":                     "ᠮᠣᠩᠭᠣᠯ\u180b",
		"Mongolian, separated vowel":    "ᠨ\u180eᠠ",
		"Chinese":                       "李小龍",
		"Chinese, a variant":            "葛\U000e0100城",
		"Korean":                        "김\u3000민수",
		"Japanese":                      "さくら゛",
		"emoji":                         "🚀",
		"emoji, coloured":               "❤\ufe0f",
		"emoji, family":                 "👨\u200d👩\u200d👧",
		"emoji, skin and trade":         "👩🏽\u200d🚀",
		"emoji, joined behind selector": "❤\ufe0f\u200d🔥",
		"emoji, flag":                   "🇫🇷",
		"emoji, flag of a region":       "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
		"keycap":                        "1\ufe0f\u20e3",
		"signs":                         "^_^",
		"Arabic number sign":            "\u0600١٢",
	} {
		if got, err := Display(name); err != nil || got != name {
			t.Errorf("%s: %+q becomes %+q, %v", script, name, got, err)
		}
	}
}

func TestDisplayCleans(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"  Ann  ":                 "Ann",
		"A\u00adn\u200bn\ufeff":   "Ann", // as copied from a page
		"A\u200dn\u200cn":         "Ann", // Latin joins nothing
		"Ann\ufe0f":               "Ann",
		"Ann\u200b ":              "Ann",
		"\u200b Ann":              "Ann",
		"\u200fاحمد\u200f":        "احمد",
		"A\U000e0061\U000e0062nn": "Ann", // tags, which say something that nobody sees
		"Ann \u3164\u115f":        "Ann",
		"Ann\u2800":               "Ann",
		"می\u200c\u200c\u200dخ":   "می\u200cخ", // one is enough
		"🚀\u200dx":                "🚀x",
		"👩\u200d\u00ad🚀":          "👩🚀",
		"\U000e0100葛":             "葛",
	} {
		if got, err := Display(name); err != nil || got != want {
			t.Errorf("%+q becomes %+q, %v; want %+q", name, got, err, want)
		}
	}
}

func TestDisplayRefuses(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]error{
		"": ErrBlank, " \t ": ErrBlank, "\u200b": ErrBlank, "\u3164": ErrBlank, "\u00ad\u00ad": ErrBlank, "\u200d\u200c": ErrBlank,
		"\u2800\u2800": ErrBlank, "\U000e0041\U000e0042": ErrBlank, "\ufe0f": ErrBlank, "\u00a0\u3000": ErrBlank, "\u115f\u1160\uffa0": ErrBlank,
		"\u0903":     ErrBlank, // a mark that has a width, on nothing
		"a\x00b":     ErrControl,
		"a\nb":       ErrControl,
		"\u202eevil": ErrControl,
		"a\u2066b":   ErrControl,
		"a\u2028b":   ErrControl,

		"Z" + strings.Repeat("\u0301", 63):      ErrMarks,
		"Z\u0301\u0302\u0303\u0304\u0305":       ErrMarks,
		"\u0301Ann":                             ErrMarks,
		"\u200b\u0301Ann":                       ErrMarks,
		"\u00ad \u0301Ann":                      ErrMarks,
		"Z\u0301\u200b\u0302\u0303\u0304\u0305": ErrMarks, // though something stands between
	} {
		if got, err := Display(name); !errors.Is(err, want) {
			t.Errorf("%+q: %+q, %v; want %v", name, got, err, want)
		}
	}
}

// Whatever comes, what is shown can be seen, and shown again is the same.
func FuzzDisplay(f *testing.F) {
	for _, s := range []string{
		"Ann", "\u00ad \u0301Ann", "👩🏽\u200d🚀", "🏴\U000e0067\U000e007f", "क\u094d\u200dष", "\u202e", "1\ufe0f\u20e3", "\xff", " \u2800x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, err := Display(name)
		if err != nil {
			if got != "" {
				t.Errorf("%+q is refused, and yet %+q", name, got)
			}
			return
		}
		if again, err := Display(got); err != nil || again != got {
			t.Errorf("%+q becomes %+q, and that %+q, %v", name, got, again, err)
		}
		if got != strings.TrimSpace(got) || !utf8.ValidString(got) || strings.ContainsFunc(got, control) ||
			strings.TrimFunc(got, invisible) == "" {
			t.Errorf("%+q becomes %+q", name, got)
		}
	})
}
