package images

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Store says where a containerd is and how to reach it.
type Store struct{ Ctr, Address, Namespace string }

// Import puts the image into containerd under ref, by its own command.
func (s Store) Import(ctx context.Context, ref string, spec Spec) error {
	img, err := Build(spec)
	if err != nil {
		return err
	}
	tag, err := name.NewTag(ref)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp("", "image-*.tar")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := tarball.Write(tag, img, f); err != nil {
		return fmt.Errorf("image %s: %w", ref, err)
	}
	out, err := exec.CommandContext(ctx, s.Ctr, "-a", s.Address, "-n", s.Namespace, "images", "import", "--local", "--snapshotter=overlayfs", f.Name()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("import %s: %w\n%s", ref, err, out)
	}
	return nil
}
