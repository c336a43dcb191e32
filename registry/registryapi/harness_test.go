package registryapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/blobs/blobstest"
	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// world is an API over a store in memory. Every second transaction loses its first race.
type world struct {
	*testing.T
	api *API
	now time.Time

	full func() error // optional; what a commit or a fresh read fails of
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	n := 0
	lose := func(store.Txn) bool { n++; return n%2 == 1 }
	fail := func(context.Context) error {
		if w.full == nil {
			return nil
		}
		return w.full()
	}
	s := mem.Open(tables.Schema(), mem.Options{Now: clock, Faults: mem.Faults{Conflict: lose, Delay: fail}})
	t.Cleanup(func() { _ = s.Close() })
	w.api = New(Config{Shelf: &shelf.Shelf{Store: s, Blobs: blobstest.NewFake(clock)}, Endpoint: "http://127.0.0.1:4566"})
	return w
}

const account = "000000000000"

// do calls an operation as the edge does, after the refusals.
func do[In, Out any](w *world, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In) (*Out, error) {
	if err := refuse(op.Info.Name, in); err != nil {
		return nil, err
	}
	return h(w.Context(), wire.Call{Account: account, Region: "us-east-1", Partition: "aws", Service: "ecr", Operation: op.Info.Name,
		Principal: "arn:aws:iam::000000000000:root"}, in)
}

// must is do for what has to work.
func must[In, Out any](w *world, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In) *Out {
	w.Helper()
	out, err := do(w, op, h, in)
	if err != nil {
		w.Fatalf("%s: %v", op.Info.Name, err)
	}
	return out
}

// fails wants an error with a code and a part of its sentence.
func fails[In, Out any](w *world, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In, code, sentence string) {
	w.Helper()
	_, err := do(w, op, h, in)
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, sentence) {
		w.Errorf("%s: %v, want %s: ...%s...", op.Info.Name, err, code, sentence)
	}
}

func (w *world) repository(name string) {
	w.Helper()
	must(w, shape.OpCreateRepository, w.api.CreateRepository, &shape.CreateRepositoryRequest{RepositoryName: &name})
}

// layer pushes content by the API and answers its digest.
func (w *world) layer(repo, content string) string {
	w.Helper()
	up := must(w, shape.OpInitiateLayerUpload, w.api.InitiateLayerUpload, &shape.InitiateLayerUploadRequest{RepositoryName: &repo})
	half := len(content) / 2
	for _, part := range [][2]int{{0, half}, {half, len(content)}} {
		must(w, shape.OpUploadLayerPart, w.api.UploadLayerPart, &shape.UploadLayerPartRequest{RepositoryName: &repo, UploadId: up.UploadId,
			PartFirstByte: aws.Ptr(int64(part[0])), PartLastByte: aws.Ptr(int64(part[1] - 1)), LayerPartBlob: []byte(content[part[0]:part[1]])})
	}
	digest := blobs.Digest([]byte(content))
	must(w, shape.OpCompleteLayerUpload, w.api.CompleteLayerUpload, &shape.CompleteLayerUploadRequest{RepositoryName: &repo, UploadId: up.UploadId, LayerDigests: []string{digest}})
	return digest
}

// manifest is one over layers that were or were not pushed.
func manifest(layers ...string) string {
	type d struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int64  `json:"size"`
	}
	doc := map[string]any{"schemaVersion": 2, "mediaType": registry.OCIManifest,
		"config": d{"application/vnd.oci.image.config.v1+json", layers[0], 2}}
	var ls []d
	for _, l := range layers[1:] {
		ls = append(ls, d{"application/vnd.oci.image.layer.v1.tar+gzip", l, 10})
	}
	doc["layers"] = ls
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func index(children ...string) string {
	var parts []string
	for _, c := range children {
		parts = append(parts, fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":1}`, registry.OCIManifest, c))
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, registry.OCIIndex, strings.Join(parts, ","))
}

// image pushes one of its own content and answers its digest.
func (w *world) image(repo, tag, content string) string {
	w.Helper()
	text := manifest(w.layer(repo, "config of "+content), w.layer(repo, "layer of "+content))
	out := must(w, shape.OpPutImage, w.api.PutImage, &shape.PutImageRequest{RepositoryName: &repo, ImageManifest: &text, ImageTag: optional(tag)})
	return aws.Val(out.Image.ImageId.ImageDigest)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
