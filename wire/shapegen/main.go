// Command shapegen writes wire/shape/<service> from models/<service>.json, and models/overlay/<service>.json if there is one.
//
// Guarantees:
//   - The output is a pure function of the models: sorted, gofmt-ed, without dates or paths, so that generating again changes nothing.
//   - What it writes is data and structs; every rule lives in packages shape and wire.
//   - A model it does not understand is an error, never a guess.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	models := flag.String("models", "models", "directory of AWS service models")
	out := flag.String("out", "wire/shape", "directory the packages are written below")
	flag.Parse()
	if err := run(*models, *out); err != nil {
		fmt.Fprintln(os.Stderr, "shapegen:", err)
		os.Exit(1)
	}
}

func run(models, out string) error {
	paths, err := filepath.Glob(filepath.Join(models, "*.json"))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("no models in %s", models)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pkg := packageName(strings.TrimSuffix(filepath.Base(path), ".json"))
		private, err := readOverlay(path)
		if err != nil {
			return err
		}
		files, err := generate(pkg, raw, private)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := replace(filepath.Join(out, pkg), files); err != nil {
			return err
		}
	}
	return nil
}

// replace makes dir hold exactly the files: what an earlier model left behind is removed.
func replace(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if _, kept := files[filepath.Base(path)]; kept {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil { //nolint:gosec // source code is for everyone
			return err
		}
	}
	return nil
}
