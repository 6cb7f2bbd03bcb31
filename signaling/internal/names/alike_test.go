package names

import "testing"

func TestAlike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Ann", "ann", true},
		{"Ann", "А\u200bnn", true}, // the first is Cyrillic
		{"Ann", "Αnn", true},       // Greek
		{"Ann", "Änn", true},
		{"Ann", " A n-n. ", true},
		{"Lisa", "Iisa", true},
		{"Bob", "B0b", true},
		{"Ann", "Anna", false},
		{"Ann", "Bob", false},
		{"李", "王", false},
		{"...", "---", false},
	} {
		if got := Alike(c.a, c.b); got != c.want {
			t.Errorf("Alike(%q, %q) is %v", c.a, c.b, got)
		}
	}
}
