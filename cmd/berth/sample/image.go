package sample

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// ImageName is what task definitions call the sample image.
const ImageName = "berth.local/web:1"

// WriteImage writes an image archive to path whose only file is the static program exe, run as /web.
// The same program makes the same digest.
func WriteImage(exe, path string) error {
	program, err := os.ReadFile(exe)
	if err != nil {
		return fmt.Errorf("sample image: %w", err)
	}
	if needsLoader(program) {
		return fmt.Errorf("sample image: %s is dynamically linked and cannot run alone in an image: build it with CGO_ENABLED=0 (make build does)", exe)
	}
	image, err := webImage(program)
	if err != nil {
		return fmt.Errorf("sample image: %w", err)
	}
	tag, err := name.NewTag(ImageName)
	if err != nil {
		return fmt.Errorf("sample image: %w", err)
	}
	if err := tarball.WriteToFile(path, tag, image); err != nil {
		return fmt.Errorf("sample image: %w", err)
	}
	return nil
}

// needsLoader: an ELF program that names an interpreter, which the image does not have.
func needsLoader(program []byte) bool {
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

func webImage(program []byte) (v1.Image, error) {
	files, err := oneFile("web", program)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = platform()
	config.Config = v1.Config{Entrypoint: []string{"/web"}, Env: []string{"PORT=8080"}, ExposedPorts: map[string]struct{}{"8080/tcp": {}}}
	return mutate.ConfigFile(image, config)
}

func oneFile(path string, content []byte) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
