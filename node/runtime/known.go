package runtime

import (
	"context"

	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"
)

// known answers what was read of an image before, when it is still unpacked.
func (r *Runtime) known(ctx context.Context, digest string) (Image, bool, error) {
	img, ok := r.images.Get(digest)
	if !ok {
		return Image{}, false, nil
	}
	err := r.present(ctx, img)
	if errdefs.IsNotFound(err) {
		return Image{}, false, nil
	}
	return img, err == nil, err
}

// present looks for what containers need of an image.
func (r *Runtime) present(ctx context.Context, img Image) error {
	_, err := r.cd.SnapshotService(snapshotter).Stat(ctx, img.ChainID)
	return err
}

// atOnce runs what needs nothing of each other and answers the first error.
func atOnce(parts ...func() error) error {
	var g errgroup.Group
	for _, p := range parts {
		g.Go(p)
	}
	return g.Wait()
}
