package registryapi

import (
	"fmt"
	"slices"
	"testing"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// many gives a repository images of three tags each.
func (w *world) many(n int) *registry.Repository {
	w.Helper()
	w.repository("app")
	var r *registry.Repository
	if err := w.api.store.Update(w.Context(), func(tx store.Tx) (err error) {
		if r, err = tables.Repository(tx, registry.Home{Account: account, Region: "us-east-1"}, "app"); err != nil {
			return err
		}
		for i := range n {
			digest := fmt.Sprintf("sha256:%064x", i)
			tables.Images.Put(tx, &registry.Image{Home: r.Home, Repository: r.ID, Digest: digest})
			for t := range 3 {
				tables.Tags.Put(tx, &registry.Tag{Home: r.Home, Repository: r.ID, Name: fmt.Sprintf("v%d.%d", t, i), Digest: digest})
			}
		}
		return nil
	}); err != nil {
		w.Fatal(err)
	}
	return r
}

func TestPagesOfImages(t *testing.T) {
	w := newWorld(t)
	w.many(20)
	var images, references []string
	for token := aws.Ptr(""); token != nil; {
		out := must(w, shape.OpDescribeImages, w.api.DescribeImages, &shape.DescribeImagesRequest{RepositoryName: aws.Ptr("app"), MaxResults: aws.Ptr[int32](7), NextToken: token})
		for _, d := range out.ImageDetails {
			images = append(images, aws.Val(d.ImageDigest))
		}
		token = out.NextToken
	}
	for token := aws.Ptr(""); token != nil; {
		out := must(w, shape.OpListImages, w.api.ListImages, &shape.ListImagesRequest{RepositoryName: aws.Ptr("app"), MaxResults: aws.Ptr[int32](7), NextToken: token})
		for _, id := range out.ImageIds {
			references = append(references, aws.Val(id.ImageDigest)+aws.Val(id.ImageTag))
		}
		token = out.NextToken
	}
	for want, got := range map[int][]string{20: images, 60: references} {
		if len(got) != want || len(slices.Compact(slices.Sorted(slices.Values(got)))) != want {
			t.Errorf("%d rows, want %d, each once: %v", len(got), want, got)
		}
	}
}

// A page costs what is on it, not what was on those before.
func TestAPageBeginsWhereTheLastEnded(t *testing.T) {
	w := newWorld(t)
	r := w.many(20)
	last := fmt.Sprintf("sha256:%064x", 17)
	if err := w.api.store.View(t.Context(), store.Any, func(tx store.Tx) error {
		for _, d := range details(tx, r, "", tables.ContentKey(r.Home, r.ID, last)) {
			if got := aws.Val(d.ImageDigest); got <= last {
				t.Errorf("the page behind %s begins with %s", last, got)
			}
			break
		}
		for _, id := range references(tx, r, "", last+" v1.17") {
			if got := aws.Val(id.ImageDigest); got < last[:len(last)-1] {
				t.Errorf("the page behind %s begins with %s", last, got)
			}
			break
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
