package runtime

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	goruntime "runtime"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/berth-ecs/berth/node/runtime/tiny"
)

// PauseImage is an image that Pull makes of this program's own: its one process does nothing but to be there, until it is killed. As a name of an
// image it is none, so no registry is asked for it and nobody can put another in its place.
const PauseImage = "@berth/pause"

// pauseName is what containerd knows it by.
const pauseName = "berth.internal/pause:1"

// pullPause makes the image unless it is here.
func (r *Runtime) pullPause(ctx context.Context, task string) (Image, error) {
	img, err := r.pulls.Do(ctx, PauseImage, func(ctx context.Context) (Image, error) { return r.makePause(ctx) })
	if err == nil && task != "" {
		err = r.keep(ctx, task, img)
	}
	img.Ref = PauseImage
	return img, named(CannotPullContainerError, err)
}

func (r *Runtime) makePause(ctx context.Context) (Image, error) {
	blobs, manifest, err := pause(tiny.Program())
	if err != nil {
		return Image{}, err
	}
	ctx, done, err := r.hold(ctx)
	if err != nil {
		return Image{}, err
	}
	defer done()
	for _, b := range blobs {
		err := content.WriteBlob(ctx, r.cd.ContentStore(), "berth-pause-"+b.Digest.Encoded(), bytes.NewReader(b.data), b.Descriptor, content.WithLabels(b.keeps))
		if err != nil && !errdefs.IsAlreadyExists(err) {
			return Image{}, err
		}
	}
	record := images.Image{Name: pauseName, Target: manifest}
	made, err := r.cd.ImageService().Create(ctx, record)
	if errdefs.IsAlreadyExists(err) { // that of another release, maybe
		made, err = r.cd.ImageService().Update(ctx, record, "target")
	}
	if err != nil {
		return Image{}, err
	}
	return r.image(ctx, client.NewImage(r.cd, made))
}

// blob is content, and the labels that keep what it refers to.
type blob struct {
	ocispec.Descriptor
	data  []byte
	keeps map[string]string
}

func blobOf(media string, data []byte) blob {
	return blob{Descriptor: ocispec.Descriptor{MediaType: media, Digest: digest.FromBytes(data), Size: int64(len(data))}, data: data}
}

// pause is the image of a program: its blobs, those that others refer to first, and its manifest. The same program gives the same image.
func pause(program []byte) ([]blob, ocispec.Descriptor, error) {
	if len(program) == 0 {
		return nil, ocispec.Descriptor{}, tiny.ErrNone
	}
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	if err := w.WriteHeader(&tar.Header{Name: "pause", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}); err != nil {
		return nil, ocispec.Descriptor{}, err
	}
	if _, err := w.Write(program); err != nil {
		return nil, ocispec.Descriptor{}, err
	}
	if err := w.Close(); err != nil {
		return nil, ocispec.Descriptor{}, err
	}
	layer := blobOf(ocispec.MediaTypeImageLayer, files.Bytes())
	config, err := json.Marshal(ocispec.Image{
		Platform: ocispec.Platform{OS: "linux", Architecture: goruntime.GOARCH},
		Config:   ocispec.ImageConfig{Entrypoint: []string{"/pause"}, Cmd: []string{"wait"}, User: "65534:65534", StopSignal: "SIGKILL"},
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer.Digest}},
	})
	if err != nil {
		return nil, ocispec.Descriptor{}, err
	}
	about := blobOf(ocispec.MediaTypeImageConfig, config)
	document, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: about.Descriptor, Layers: []ocispec.Descriptor{layer.Descriptor},
	})
	if err != nil {
		return nil, ocispec.Descriptor{}, err
	}
	m := blobOf(ocispec.MediaTypeImageManifest, document)
	m.keeps = map[string]string{
		"containerd.io/gc.ref.content.config": about.Digest.String(), "containerd.io/gc.ref.content.l.0": layer.Digest.String(),
	}
	return []blob{layer, about, m}, m.Descriptor, nil
}
