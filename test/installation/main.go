package installation

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// Main is the TestMain of a package whose tests share one installation: it starts it, prepares it, runs the tests, takes
// everything away again and answers the exit code. Without root it runs nothing and says so.
func Main(m *testing.M, prepare func(context.Context, *Installation) error) int {
	return MainOf(m, Options{}, prepare)
}

// MainOf is Main with an installation of options.
func MainOf(m *testing.M, o Options, prepare func(context.Context, *Installation) error) int {
	code, err := shared(m, o, prepare)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

func shared(m *testing.M, o Options, prepare func(context.Context, *Installation) error) (code int, err error) {
	if os.Geteuid() != 0 {
		fmt.Println("skipped: needs root")
		return 0, nil
	}
	ctx := context.Background()
	defer Discard()
	i, err := Open(ctx, o)
	if i != nil {
		defer func() {
			if code != 0 {
				fmt.Fprintln(os.Stderr, i.LastLog(80))
			}
			if cerr := i.Close(ctx); err == nil {
				err = cerr
			}
		}()
	}
	if err != nil {
		return 1, err
	}
	if err := prepare(ctx, i); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
