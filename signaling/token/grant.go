package token

import (
	"errors"
	"slices"
)

// What is wrong with what somebody wants to let a guest do.
var (
	ErrUnknown = errors.New("there is no such permission")
	ErrMore    = errors.New("nobody lets others do what he may not do himself")
	ErrNobody  = errors.New("with these permissions nobody would get in")
)

// Grant is what a guest may do whom somebody invites with these permissions of his own: what he wants, or, where he says
// nothing, what is usual, as far as he may himself. The error is ErrUnknown, ErrMore or ErrNobody.
func Grant(own, want, usual []Permission) ([]Permission, error) {
	may := func(p Permission) bool { return slices.Contains(own, p) }
	if want == nil {
		want = slices.DeleteFunc(slices.Clone(usual), func(p Permission) bool { return !may(p) })
	}
	for _, p := range want {
		if !p.Valid() {
			return nil, ErrUnknown
		}
		if !may(p) {
			return nil, ErrMore
		}
	}
	if !(Claims{Can: want}).May(Join) {
		return nil, ErrNobody
	}
	return want, nil
}
