package again

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/containerd/errdefs"
)

func TestDo(t *testing.T) {
	other := errors.New("other")
	for name, c := range map[string]struct {
		errs []error // of the calls; the last one again and again
		want error
		runs int
	}{
		"at once":   {[]error{nil}, nil, 1},
		"an answer": {[]error{other}, other, 1},
		"later":     {[]error{errdefs.ErrUnavailable, errdefs.ErrUnavailable, nil}, nil, 3},
		"never":     {[]error{errdefs.ErrUnavailable}, errdefs.ErrUnavailable, retries},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runs := 0
				err := Do(t.Context(), func() error {
					runs++
					return c.errs[min(runs, len(c.errs))-1]
				})
				if !errors.Is(err, c.want) || runs != c.runs {
					t.Errorf("%v after %d runs", err, runs)
				}
			})
		})
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	err := Do(ctx, func() error { runs++; cancel(); return errdefs.ErrUnavailable })
	if !errdefs.IsUnavailable(err) || runs != 1 {
		t.Errorf("%v after %d runs", err, runs)
	}
}
