package daemon

import (
	"os"
	"path/filepath"
	"testing"
)

func TestALongLogBeginsAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	if err := bound(path, 4); err != nil {
		t.Errorf("a log that is not there: %v", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range []struct{ write, want string }{{"four", "four"}, {"five!", ""}, {"new", "new"}} {
		if _, err := f.WriteString(c.write); err != nil {
			t.Fatal(err)
		}
		if err := bound(path, 4); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != c.want {
			t.Errorf("after %q: %q, %v", c.write, got, err)
		}
	}
}
