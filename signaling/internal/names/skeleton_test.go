package names

import (
	"testing"
	"unicode/utf8"
)

func TestSkeleton(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		like bool
	}{
		{"Ann", "Ann", true},
		{"Ann", "ANN", true},
		{"Ann", "Änn", true},
		{"Ann", "Аnn", true}, // Cyrillic А
		{"Ann", "Αnn", true}, // Greek Α
		{"Ann", "аnп", true}, // Cyrillic а, п
		{"Ann", "Ａｎｎ", true}, // fullwidth
		{"Ann", "𝐀𝐧𝐧", true}, // mathematical
		{"Ann", "A\u200bnn", true},
		{"Ann Lee", "AnnLee", true},
		{"Ann Lee", "Ann.Lee ", true},
		{"Bill", "BiII", true}, // capital I
		{"Bill", "Bi11", true},
		{"Olof", "0l0f", true},
		{"Tom", "Torn", true},
		{"William", "VVilliam", true},
		{"Søren", "Soren", true},
		{"Łukasz", "Lukasz", true},
		{"İpek", "ıpek", true},
		{"Ηλίας", "ηλιας", true}, // capitals and small letters of one name
		{"ΗΛΙΑΣ", "Ηλίας", true},
		{"Мария", "МАРИЯ", true},
		{"HOST", "НОЅТ", true}, // Cyrillic
		{"host", "hоst", true},
		{"日本", "日本", true},
		{"Ann", "Anna", false},
		{"Ann", "Ben", false},
		{"日本", "日月", false},
		{"-", ".", false},
		{"", "", false},
		{"🙂", "🙂", true},
		{"🙂", "🙃", false},
	} {
		a, b := SkeletonOf(c.a), SkeletonOf(c.b)
		if a.Like(b) != c.like || b.Like(a) != c.like {
			t.Errorf("%q and %q: %v, %+v, %+v", c.a, c.b, a.Like(b), a, b)
		}
	}
}

// Whatever the name: no panic, and a name that can be seen looks like itself, written in capitals or not.
func FuzzSkeleton(f *testing.F) {
	for _, s := range []string{"", "Ann", "Ηλίας", "ß", "ǅ", "\u0345", "ﷺ", "\xff", "İ", "ΐ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		s := SkeletonOf(name)
		if s.shape != "" && !s.Like(SkeletonOf(name)) {
			t.Errorf("%q is not like itself", name)
		}
		if !utf8.ValidString(s.shape) || !utf8.ValidString(s.folded) {
			t.Errorf("%q: %q, %q", name, s.shape, s.folded)
		}
		if len(s.shape) > 64*(len(name)+1) {
			t.Errorf("%q grows to %d bytes", name, len(s.shape))
		}
	})
}
