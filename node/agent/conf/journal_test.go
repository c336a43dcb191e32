package conf

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/nodeconf"
)

// Wherever the file ends, what is read is a configuration that was.
func TestAFileThatIsCutOff(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "conf")
		j, c, was := journal{path: path}, &nodeconf.Config{}, map[int64]string{0: ""}
		for v := range rapid.Int64Range(1, 8).Draw(t, "changes") {
			d := change(c.Version, v+1, "eni-"+strconv.FormatInt(v, 10))
			if rapid.Bool().Draw(t, "gone") {
				d.Gone = []nodeconf.Key{{Kind: "Interfaces", ID: "eni-0"}}
			}
			if err := c.Apply(d); err != nil {
				t.Fatal(err)
			}
			if err := j.append(c, d); err != nil {
				t.Fatal(err)
			}
			was[c.Version] = c.Text()
		}
		j.close()
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, whole[:rapid.IntRange(0, len(whole)).Draw(t, "cut")], 0o600); err != nil {
			t.Fatal(err)
		}
		again := journal{path: path}
		got, err := again.load()
		if err != nil {
			t.Fatal(err)
		}
		if text, known := was[got.Version]; !known || got.Text() != text {
			t.Fatalf("version %d: %s", got.Version, got.Text())
		}
		// What follows a line that was cut off is a new file.
		d := change(got.Version, 99, "last")
		if err := got.Apply(d); err != nil {
			t.Fatal(err)
		}
		if err := again.append(got, d); err != nil {
			t.Fatal(err)
		}
		again.close()
		if read, err := (&journal{path: path}).load(); err != nil || read.Text() != got.Text() || read.Version != 99 {
			t.Fatalf("%v: %s", err, read.Text())
		}
	})
}

// The file does not grow with the number of changes.
func TestTheFileStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	j, c := journal{path: path}, &nodeconf.Config{}
	defer j.close()
	for v := range int64(10000) {
		d := change(c.Version, v+1, "eni-"+strconv.FormatInt(v%10, 10))
		if err := c.Apply(d); err != nil {
			t.Fatal(err)
		}
		if err := j.append(c, d); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 2*slack {
		t.Errorf("%v, %d bytes", err, info.Size())
	}
	if read, err := (&journal{path: path}).load(); err != nil || read.Text() != c.Text() || read.Version != 10000 {
		t.Errorf("%v: version %d", err, read.Version)
	}
}
