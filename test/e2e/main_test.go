// Package e2e drives a real region through the AWS API and looks at what happens on the machine: containers, ports, limits,
// output. One installation serves every test of the package; each test has families and services of its own name.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

// The images of most tasks here: a shell, and the program in ./peer.
const (
	busyboxImage = "test.local/busybox:1"
	peerImage    = "test.local/peer:1"
)

var region *installation.Installation

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if os.Geteuid() != 0 {
		fmt.Println("skipped: needs root")
		return 0, nil
	}
	ctx := context.Background()
	defer installation.Discard()
	region, err = installation.Open(ctx, installation.Options{})
	if region != nil {
		defer func() {
			if code != 0 {
				fmt.Fprintln(os.Stderr, region.LastLog(80))
			}
			if cerr := region.Close(ctx); err == nil {
				err = cerr
			}
		}()
	}
	if err != nil {
		return 1, err
	}
	if err := importImages(ctx); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func importImages(ctx context.Context) error {
	shell, err := images.Busybox(v1.Config{})
	if err != nil {
		return err
	}
	if err := region.Import(ctx, busyboxImage, shell); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "peer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "peer")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./peer")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build peer: %w\n%s", err, out)
	}
	spec, err := images.Program(binary, v1.Config{})
	if err != nil {
		return err
	}
	return region.Import(ctx, peerImage, spec)
}
