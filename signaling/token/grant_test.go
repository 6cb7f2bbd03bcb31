package token

import (
	"errors"
	"slices"
	"testing"
)

func TestGrant(t *testing.T) {
	t.Parallel()
	usual := []Permission{Publish, Subscribe, Message, Watch}
	for _, c := range []struct {
		own, want, gives []Permission
		err              error
	}{
		{own: []Permission{Moderate, Message, Watch, Invite}, gives: []Permission{Message, Watch}},
		{own: usual, want: []Permission{Message}, gives: []Permission{Message}},
		{own: []Permission{Invite, Join}, err: ErrNobody},
		{own: usual, want: []Permission{}, err: ErrNobody},
		{own: usual, want: []Permission{Watch}, err: ErrNobody},
		{own: usual, want: []Permission{Moderate}, err: ErrMore},
		{own: All(), want: []Permission{"fly"}, err: ErrUnknown},
	} {
		if got, err := Grant(c.own, c.want, usual); !errors.Is(err, c.err) || !slices.Equal(got, c.gives) {
			t.Errorf("of %v, %v: %v, %v", c.own, c.want, got, err)
		}
	}
}
