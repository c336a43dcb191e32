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
	os.Exit(installation.Main(m, func(ctx context.Context, i *installation.Installation) error {
		region = i
		return importImages(ctx)
	}))
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
