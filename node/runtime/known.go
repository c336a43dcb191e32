package runtime

import (
	"context"
	"sync"

	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"
)

// knownImages remembers what was read of images, by the digest of what a
// reference named: it says everything that follows but where the layers lie.
type knownImages struct {
	mu sync.Mutex
	m  map[string]Image
}

// maxKnown bounds what is remembered; more images than that are read again.
const maxKnown = 1024

func (k *knownImages) get(digest string) (Image, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	img, ok := k.m[digest]
	return img, ok
}

func (k *knownImages) put(img Image) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.m == nil || len(k.m) >= maxKnown {
		k.m = map[string]Image{}
	}
	k.m[img.Digest] = img
}

// known answers what was read of an image before, when it is still unpacked.
func (r *Runtime) known(ctx context.Context, digest string) (Image, bool, error) {
	img, ok := r.images.get(digest)
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

// leased remembers the tasks whose lease this process made; by task, one of the
// verbs that need it makes it.
type leased struct{ m sync.Map }

func (l *leased) has(task string) bool { _, ok := l.m.Load(task); return ok }
func (l *leased) add(task string)      { l.m.Store(task, nil) }
func (l *leased) drop(task string)     { l.m.Delete(task) }

// atOnce runs what needs nothing of each other and answers the first error.
func atOnce(parts ...func() error) error {
	var g errgroup.Group
	for _, p := range parts {
		g.Go(p)
	}
	return g.Wait()
}
