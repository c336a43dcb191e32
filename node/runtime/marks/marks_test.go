package marks

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMarks(t *testing.T) {
	d := Dir(filepath.Join(t.TempDir(), "made", "when", "needed"))
	if d.Has("a-1") || d.Remove("a-1") != nil || d.Sweep(func(string) bool { return false }) != nil {
		t.Error("a directory that is not there has nothing")
	}
	for range 2 {
		if err := d.Put("a-1"); err != nil || !d.Has("a-1") {
			t.Error("put:", err)
		}
		path, err := d.FIFO("b-1")
		info, serr := os.Stat(path)
		if err != nil || serr != nil || info.Mode()&os.ModeNamedPipe == 0 {
			t.Error("fifo:", err, serr)
		}
	}
	if err := d.Sweep(func(task string) bool { return task == "b" }); err != nil || d.Has("a-1") || !d.Has("b-1") {
		t.Error("sweep:", err)
	}
	if err := d.Remove("b-1"); err != nil || d.Has("b-1") {
		t.Error("remove:", err)
	}
}
