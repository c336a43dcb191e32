// Package balancing puts load balancers under real traffic: services in awsvpc behind an application and a network load balancer, clients outside and
// inside the VPC, and counts the requests that fail while tasks, servers, nodes and proxies come and go.
package balancing

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

const peerImage = "test.local/target:1"

var region *installation.Installation

func TestMain(m *testing.M) {
	os.Exit(installation.MainOf(m, installation.Options{Split: true}, func(ctx context.Context, i *installation.Installation) error {
		region = i
		return importPeer(ctx)
	}))
}

func importPeer(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "target-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "target")
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
