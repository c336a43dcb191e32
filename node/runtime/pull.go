package runtime

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/registry"
	"github.com/berth-ecs/berth/node/runtime/rootfs"
	"github.com/berth-ecs/berth/node/runtime/snapshot"
)

const (
	labelPulled = "berth.pulled"  // on images: came from its registry through us
	labelElf32  = "berth.elf32"   // on images: "true" or "false", has 32-bit programs
	labelChain  = "berth.elf32of" // on images: the chain labelElf32 speaks of
)

// registryPatience is how long a registry may take to say what a name means, when
// there is an image that can serve.
const registryPatience = 10 * time.Second

// viewPrefix begins the keys of the views that show where an image's layers lie.
const viewPrefix = "view-"

// Pull makes the image ref names present and unpacked. Pulls of one image with
// the same credentials that overlap are one pull; it ends when nobody waits for
// it any more.
func (r *Runtime) Pull(ctx context.Context, ref string, p Pull) (Image, error) {
	if ref == PauseImage {
		return r.pullPause(ctx, p.TaskID)
	}
	name, err := normalize(ref)
	if err != nil {
		return Image{}, named(CannotPullContainerError, err)
	}
	defer r.flying.Begin(name)()
	key := strings.Join([]string{name, p.Username, p.Password, p.LoginAs, string(p.Behaviour)}, "\x00")
	defer failpoint.Around(failpoint.Pull)()
	img, err := r.pulls.Do(ctx, key, func(ctx context.Context) (Image, error) { return r.pull(ctx, name, p) })
	if err != nil {
		return Image{}, named(CannotPullContainerError, err)
	}
	img.Ref = ref
	if p.TaskID != "" {
		err = r.keep(ctx, p.TaskID, img)
	}
	return img, named(CannotPullContainerError, err)
}

// normalize is Docker's rule: "busybox" is docker.io/library/busybox:latest.
func normalize(ref string) (string, error) {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return "", fmt.Errorf("image %q: %w", ref, err)
	}
	return named.String(), nil
}

func (r *Runtime) pull(ctx context.Context, name string, p Pull) (Image, error) {
	local, err := r.cd.ImageService().Get(ctx, name)
	switch {
	case errdefs.IsNotFound(err):
		return r.ask(ctx, name, p, nil)
	case err != nil:
		return Image{}, err
	case p.Behaviour == PullPreferCached,
		p.Behaviour == PullOnce && local.Labels[labelPulled] != "":
		return r.image(ctx, client.NewImage(r.cd, local))
	}
	img, err := r.ask(ctx, name, p, &local)
	if err != nil && p.Behaviour != PullAlways && ctx.Err() == nil {
		r.log.Warn("the registry did not give the image; the cached one serves", "image", name, "error", err)
		return r.image(ctx, client.NewImage(r.cd, local))
	}
	return img, err
}

// ask pulls from the registry what is not here. A login that is refused is asked for once more: it may have been kept for
// too long.
func (r *Runtime) ask(ctx context.Context, name string, p Pull, local *images.Image) (Image, error) {
	for fresh := false; ; fresh = true {
		from, err := r.registryOf(ctx, p, fresh)
		if err != nil {
			return Image{}, err
		}
		img, err := r.refresh(ctx, name, p, from, local)
		if err == nil || !from.Denied() || p.Login == nil || fresh {
			return img, err
		}
	}
}

// registryOf is the registry that a pull asks, signed in to.
func (r *Runtime) registryOf(ctx context.Context, p Pull, fresh bool) (*registry.Registry, error) {
	login := Login{Username: p.Username, Password: p.Password}
	if p.Login != nil {
		var err error
		if login, err = p.Login(ctx, fresh); err != nil {
			return nil, named(CannotPullECRContainerError, err)
		}
	}
	return registry.Open(r.registries, login)
}

// refresh asks the registry what the name means now, one small request, and
// pulls when that is not what is here, whole.
func (r *Runtime) refresh(ctx context.Context, name string, p Pull, from *registry.Registry, local *images.Image) (Image, error) {
	asked, cancel := ctx, func() {}
	if local != nil && p.Behaviour != PullAlways { // what is here serves, so a registry that is silent must not hold it up for long
		asked, cancel = context.WithTimeout(ctx, registryPatience)
	}
	_, desc, err := from.Resolve(asked, name)
	cancel()
	if err != nil {
		return Image{}, named(unresolved(name), from.Explain(err))
	}
	if local != nil && desc.Digest == local.Target.Digest && local.Labels[labelPulled] != "" {
		if img, ok, err := r.known(ctx, desc.Digest.String()); ok || err != nil {
			img.Ref = name
			return img, err
		}
	}
	img, err := r.fetch(ctx, name, from.Resolved(name, desc))
	if err != nil {
		return Image{}, named(CannotPullContainerError, from.Explain(err))
	}
	return img, nil
}

// unresolved names the failure to find out what a name means: the agent resolves tags to digests before it pulls, and that failure
// has a name of its own.
func unresolved(name string) string {
	if strings.Contains(name, "@") {
		return CannotPullContainerError
	}
	return CannotPullImageManifestError
}

func (r *Runtime) fetch(ctx context.Context, name string, from remotes.Resolver) (Image, error) {
	ctx, done, err := r.hold(ctx)
	if err != nil {
		return Image{}, err
	}
	defer done()
	img, err := r.cd.Pull(ctx, name, client.WithPullUnpack, client.WithPullSnapshotter(snapshotter),
		client.WithPullLabel(labelPulled, "true"), client.WithResolver(from))
	if err != nil {
		return Image{}, err
	}
	return r.image(ctx, img)
}

// image reads what containers need of an image that is here, unpacking it when
// it came some other way.
func (r *Runtime) image(ctx context.Context, img client.Image) (Image, error) {
	if out, ok, err := r.known(ctx, img.Target().Digest.String()); ok || err != nil {
		out.Ref = img.Name()
		return out, err
	}
	if ok, err := img.IsUnpacked(ctx, snapshotter); err != nil {
		return Image{}, err
	} else if !ok {
		if err := img.Unpack(ctx, snapshotter); err != nil {
			return Image{}, err
		}
	}
	desc, err := img.Config(ctx)
	if err != nil {
		return Image{}, err
	}
	blob, err := content.ReadBlob(ctx, img.ContentStore(), desc)
	if err != nil {
		return Image{}, err
	}
	var doc ocispec.Image
	if err := json.Unmarshal(blob, &doc); err != nil {
		return Image{}, fmt.Errorf("configuration of %s: %w", img.Name(), err)
	}
	size, err := img.Size(ctx)
	if err != nil {
		return Image{}, err
	}
	out := describe(img.Name(), doc)
	out.Digest, out.SizeBytes = img.Target().Digest.String(), size
	if out.Compat32, err = r.compat32(ctx, img, out); err == nil {
		r.images.Put(out.Digest, out)
	}
	return out, err
}

func describe(ref string, doc ocispec.Image) Image {
	c := doc.Config
	return Image{
		Ref: ref, ChainID: identity.ChainID(doc.RootFS.DiffIDs).String(),
		EntryPoint: c.Entrypoint, Cmd: c.Cmd, Env: c.Env, User: c.User, WorkingDir: c.WorkingDir,
		StopSignal: c.StopSignal, Architecture: doc.Architecture, Volumes: slices.Collect(maps.Keys(c.Volumes)),
		Exposed: slices.Sorted(maps.Keys(c.ExposedPorts)),
	}
}

// compat32 finds out once per image whether it has 32-bit programs.
func (r *Runtime) compat32(ctx context.Context, img client.Image, i Image) (bool, error) {
	labels := img.Labels()
	if labels[labelChain] == i.ChainID {
		return labels[labelElf32] == "true", nil
	}
	dirs, err := r.chainDirs(ctx, i.ChainID)
	if err != nil {
		return false, err
	}
	found, err := rootfs.Layers(dirs).Has32Bit()
	if err != nil {
		return false, err
	}
	_, err = r.cd.ImageService().Update(ctx, images.Image{
		Name: img.Name(), Target: img.Target(),
		Labels: map[string]string{labelElf32: strconv.FormatBool(found), labelChain: i.ChainID},
	}, "labels."+labelElf32, "labels."+labelChain)
	if errdefs.IsNotFound(err) {
		err = nil // removed meanwhile; the answer is right all the same
	}
	return found, err
}

// chainDirs asks a snapshot on the chain where the layers lie. It is a view, and
// goes at once.
func (r *Runtime) chainDirs(ctx context.Context, chain string) ([]string, error) {
	if dirs, ok := r.layers.Get(chain); ok {
		return dirs, nil
	}
	ctx, done, err := r.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	svc := r.cd.SnapshotService(snapshotter)
	key := viewPrefix + rand.Text() // its own: another who asks at the same time takes his away
	mounts, err := svc.View(ctx, key, chain)
	if err != nil {
		return nil, err
	}
	dirs := snapshot.Dirs(mounts)
	r.layers.Put(chain, dirs)
	if err := svc.Remove(ctx, key); err != nil && !errdefs.IsNotFound(err) {
		return nil, err
	}
	return dirs, nil
}

// hold keeps what is made with ctx until done; Sweep ends it when this process does not.
func (r *Runtime) hold(ctx context.Context) (_ context.Context, done func(), err error) {
	ctx, end, err := r.cd.WithLease(ctx, leases.WithRandomID(), leases.WithExpiration(24*time.Hour), leases.WithLabel(labelUser, r.id))
	if err != nil {
		return nil, nil, err
	}
	return ctx, func() {
		if err := end(context.WithoutCancel(ctx)); err != nil {
			r.log.Warn("the lease of a pull stays until it expires", "error", err)
		}
	}, nil
}

// keep puts the image under the task's lease: another pull of its name, or its
// removal, takes nothing from the task.
func (r *Runtime) keep(ctx context.Context, task string, img Image) error {
	if err := checkTaskID(task); err != nil {
		return err
	}
	if err := r.ensureLease(ctx, task); err != nil {
		return err
	}
	lease := leases.Lease{ID: leaseID(task)}
	add := func(id, kind string) func() error {
		return func() error { return r.cd.LeasesService().AddResource(ctx, lease, leases.Resource{ID: id, Type: kind}) }
	}
	return atOnce(add(img.Digest, "content"), add(img.ChainID, "snapshots/"+snapshotter))
}
