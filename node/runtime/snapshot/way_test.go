package snapshot

import (
	"errors"
	"testing"
)

func TestInTheWay(t *testing.T) {
	t.Parallel()
	taken := errors.New("failed to rename: rename /data/containerd/overlay/snapshots/new-123 /data/containerd/overlay/snapshots/57: file exists")
	for _, c := range []struct {
		err        error
		root, want string
	}{
		{taken, "/data", "/data/containerd/overlay/snapshots/57"},
		{taken, "/other", ""}, // somebody else's
		{errors.New("no space left on device"), "/data", ""},
		{nil, "/data", ""},
	} {
		if got := InTheWay(c.err, c.root); got != c.want {
			t.Errorf("%v below %s: %q, want %q", c.err, c.root, got, c.want)
		}
	}
}
