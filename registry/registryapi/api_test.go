package registryapi

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/registry/lifecycle"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

func TestRepositories(t *testing.T) {
	w := newWorld(t)
	out := must(w, shape.OpCreateRepository, w.api.CreateRepository, &shape.CreateRepositoryRequest{RepositoryName: aws.Ptr("team/web"),
		Tags: []shape.Tag{{Key: aws.Ptr("k"), Value: aws.Ptr("v")}}})
	r := out.Repository
	if aws.Val(r.RepositoryUri) != "000000000000.dkr.ecr.us-east-1.amazonaws.com/team/web" ||
		aws.Val(r.RepositoryArn) != "arn:aws:ecr:us-east-1:000000000000:repository/team/web" ||
		aws.Val(r.ImageTagMutability) != "MUTABLE" || aws.Val(r.EncryptionConfiguration.EncryptionType) != "AES256" {
		t.Errorf("created %+v", r)
	}
	fails(w, shape.OpCreateRepository, w.api.CreateRepository, &shape.CreateRepositoryRequest{RepositoryName: aws.Ptr("team/web")},
		"RepositoryAlreadyExistsException", "The repository with name 'team/web' already exists in the registry with id '000000000000'")
	for i := range 5 {
		w.repository(fmt.Sprintf("repo%d", i))
	}
	var names []string
	var token *string
	for {
		page := must(w, shape.OpDescribeRepositories, w.api.DescribeRepositories, &shape.DescribeRepositoriesRequest{MaxResults: aws.Ptr[int32](2), NextToken: token})
		for _, r := range page.Repositories {
			names = append(names, aws.Val(r.RepositoryName))
		}
		if token = page.NextToken; token == nil {
			break
		}
	}
	if want := []string{"repo0", "repo1", "repo2", "repo3", "repo4", "team/web"}; !slices.Equal(names, want) {
		t.Errorf("paged %v", names)
	}
	fails(w, shape.OpDescribeRepositories, w.api.DescribeRepositories, &shape.DescribeRepositoriesRequest{RepositoryNames: []string{"nope"}},
		"RepositoryNotFoundException", "The repository with name 'nope' does not exist in the registry with id '000000000000'")
	fails(w, shape.OpDescribeRepositories, w.api.DescribeRepositories, &shape.DescribeRepositoriesRequest{RegistryId: aws.Ptr("111111111111")},
		"AccessDeniedException", "because no resource-based policy allows the ecr:DescribeRepositories action")
	fails(w, shape.OpCreateRepository, w.api.CreateRepository, &shape.CreateRepositoryRequest{RepositoryName: aws.Ptr("Bad")}, "InvalidParameterException", "repositoryName")
	fails(w, shape.OpCreateRepository, w.api.CreateRepository, &shape.CreateRepositoryRequest{RepositoryName: aws.Ptr("scan"),
		ImageScanningConfiguration: &shape.ImageScanningConfiguration{ScanOnPush: aws.Ptr(true)}}, "InvalidParameterException", "scanning is not available")
	fails(w, shape.OpCreateRepository, w.api.CreateRepository, &shape.CreateRepositoryRequest{RepositoryName: aws.Ptr("kms"),
		EncryptionConfiguration: &shape.EncryptionConfiguration{EncryptionType: aws.Ptr("KMS")}}, "InvalidParameterException", "KMS")
	tags := must(w, shape.OpListTagsForResource, w.api.ListTagsForResource, &shape.ListTagsForResourceRequest{ResourceArn: r.RepositoryArn})
	if len(tags.Tags) != 1 || aws.Val(tags.Tags[0].Value) != "v" {
		t.Errorf("tags %v", tags.Tags)
	}
	must(w, shape.OpTagResource, w.api.TagResource, &shape.TagResourceRequest{ResourceArn: r.RepositoryArn, Tags: []shape.Tag{{Key: aws.Ptr("x"), Value: aws.Ptr("y")}}})
	must(w, shape.OpUntagResource, w.api.UntagResource, &shape.UntagResourceRequest{ResourceArn: r.RepositoryArn, TagKeys: []string{"k"}})
	tags = must(w, shape.OpListTagsForResource, w.api.ListTagsForResource, &shape.ListTagsForResourceRequest{ResourceArn: r.RepositoryArn})
	if len(tags.Tags) != 1 || aws.Val(tags.Tags[0].Key) != "x" {
		t.Errorf("tags %v", tags.Tags)
	}
	fails(w, shape.OpTagResource, w.api.TagResource, &shape.TagResourceRequest{ResourceArn: r.RepositoryArn, Tags: []shape.Tag{{Key: aws.Ptr("aws:x"), Value: aws.Ptr("")}}},
		"InvalidTagParameterException", "reserved")
}

func TestDeleteRepository(t *testing.T) {
	w := newWorld(t)
	w.repository("app")
	w.image("app", "v1", "one")
	del := &shape.DeleteRepositoryRequest{RepositoryName: aws.Ptr("app")}
	fails(w, shape.OpDeleteRepository, w.api.DeleteRepository, del, "RepositoryNotEmptyException",
		"The repository with name 'app' in registry with id '000000000000' cannot be deleted because it still contains images")
	del.Force = aws.Ptr(true)
	must(w, shape.OpDeleteRepository, w.api.DeleteRepository, del)
	fails(w, shape.OpDeleteRepository, w.api.DeleteRepository, del, "RepositoryNotFoundException", "'app'")
	w.repository("app") // one that is made again begins empty
	if out := must(w, shape.OpListImages, w.api.ListImages, &shape.ListImagesRequest{RepositoryName: aws.Ptr("app")}); len(out.ImageIds) != 0 {
		t.Errorf("images of the one before: %v", out.ImageIds)
	}
}

func TestImages(t *testing.T) {
	w := newWorld(t)
	w.repository("app")
	repo := aws.Ptr("app")
	missing := blobs.Digest([]byte("missing"))
	put := &shape.PutImageRequest{RepositoryName: repo, ImageTag: aws.Ptr("v1"), ImageManifest: aws.Ptr(manifest(missing))}
	fails(w, shape.OpPutImage, w.api.PutImage, put, "LayersNotFoundException", missing)
	one := w.image("app", "v1", "one")
	two := w.image("app", "", "two")
	text := manifest(blobs.Digest([]byte("config of one")), blobs.Digest([]byte("layer of one")))
	put = &shape.PutImageRequest{RepositoryName: repo, ImageTag: aws.Ptr("v1"), ImageManifest: &text}
	fails(w, shape.OpPutImage, w.api.PutImage, put, "ImageAlreadyExistsException",
		"Image with digest '"+one+"' and tag 'v1' already exists in the repository with name 'app' in registry with id '000000000000'")
	put.ImageDigest = &two
	fails(w, shape.OpPutImage, w.api.PutImage, put, "ImageDigestDoesNotMatchException", two)
	put.ImageDigest, put.ImageTag = nil, aws.Ptr("latest")
	must(w, shape.OpPutImage, w.api.PutImage, put)

	d := must(w, shape.OpDescribeImages, w.api.DescribeImages, &shape.DescribeImagesRequest{RepositoryName: repo, ImageIds: []shape.ImageIdentifier{{ImageTag: aws.Ptr("latest")}}})
	if len(d.ImageDetails) != 1 || aws.Val(d.ImageDetails[0].ImageDigest) != one || !slices.Equal(d.ImageDetails[0].ImageTags, []string{"latest", "v1"}) ||
		aws.Val(d.ImageDetails[0].ImageSizeInBytes) != 12 || !d.ImageDetails[0].ImagePushedAt.Equal(w.now) {
		t.Errorf("described %+v", d.ImageDetails)
	}
	fails(w, shape.OpDescribeImages, w.api.DescribeImages, &shape.DescribeImagesRequest{RepositoryName: repo, ImageIds: []shape.ImageIdentifier{{ImageTag: aws.Ptr("nope")}}},
		"ImageNotFoundException", "The image with imageId {imageDigest:'null', imageTag:'nope'} does not exist within the repository with name 'app' in the registry with id '000000000000'")
	for status, want := range map[string]int{"TAGGED": 2, "UNTAGGED": 1, "ANY": 3} {
		l := must(w, shape.OpListImages, w.api.ListImages, &shape.ListImagesRequest{RepositoryName: repo, Filter: &shape.ListImagesFilter{TagStatus: &status}})
		if len(l.ImageIds) != want {
			t.Errorf("%s: %d references, want %d", status, len(l.ImageIds), want)
		}
	}
	got := must(w, shape.OpBatchGetImage, w.api.BatchGetImage, &shape.BatchGetImageRequest{RepositoryName: repo, ImageIds: []shape.ImageIdentifier{
		{ImageTag: aws.Ptr("v1")}, {ImageTag: aws.Ptr("nope")}, {}, {ImageDigest: &two, ImageTag: aws.Ptr("v1")}, {ImageDigest: aws.Ptr("x")}}})
	if len(got.Images) != 1 || aws.Val(got.Images[0].ImageManifest) != text {
		t.Errorf("images %+v", got.Images)
	}
	var codes []string
	for _, f := range got.Failures {
		codes = append(codes, aws.Val(f.FailureCode))
	}
	if want := []string{"ImageNotFound", "MissingDigestAndTag", "ImageTagDoesNotMatchDigest", "InvalidImageDigest"}; !slices.Equal(codes, want) {
		t.Errorf("failures %v", codes)
	}
	d = must(w, shape.OpDescribeImages, w.api.DescribeImages, &shape.DescribeImagesRequest{RepositoryName: repo, ImageIds: []shape.ImageIdentifier{{ImageDigest: &one}}})
	if p := d.ImageDetails[0].LastRecordedPullTime; p == nil || !p.Equal(w.now) {
		t.Errorf("pulled at %v", p)
	}
}

// What cannot write down that an image was pulled lets it be pulled.
func TestPullsFromAFullDisk(t *testing.T) {
	w := newWorld(t)
	w.repository("app")
	w.image("app", "v1", "one")
	reads := 2 // of the repository and of the image
	w.full = func() error {
		if reads--; reads < 0 {
			return store.ErrNoSpace
		}
		return nil
	}
	got := must(w, shape.OpBatchGetImage, w.api.BatchGetImage, &shape.BatchGetImageRequest{RepositoryName: aws.Ptr("app"), ImageIds: []shape.ImageIdentifier{{ImageTag: aws.Ptr("v1")}}})
	if len(got.Images) != 1 || reads >= 0 {
		t.Errorf("images %+v, %d calls of the store left", got.Images, reads)
	}
}

func TestBatchDeleteImage(t *testing.T) {
	w := newWorld(t)
	w.repository("app")
	repo := aws.Ptr("app")
	child := w.image("app", "", "child")
	list := index(child)
	put := must(w, shape.OpPutImage, w.api.PutImage, &shape.PutImageRequest{RepositoryName: repo, ImageTag: aws.Ptr("multi"), ImageManifest: &list})
	parent := put.Image.ImageId.ImageDigest
	orphan := index(blobs.Digest([]byte("nobody")))
	fails(w, shape.OpPutImage, w.api.PutImage, &shape.PutImageRequest{RepositoryName: repo, ImageManifest: &orphan}, "ReferencedImagesNotFoundException", "required for pushing image")
	one := w.image("app", "v1", "one")
	text := manifest(blobs.Digest([]byte("config of one")), blobs.Digest([]byte("layer of one")))
	must(w, shape.OpPutImage, w.api.PutImage, &shape.PutImageRequest{RepositoryName: repo, ImageTag: aws.Ptr("v2"), ImageManifest: &text})
	remove := func(ids ...shape.ImageIdentifier) (string, string) {
		out := must(w, shape.OpBatchDeleteImage, w.api.BatchDeleteImage, &shape.BatchDeleteImageRequest{RepositoryName: repo, ImageIds: ids})
		var gone, failed []string
		for _, id := range out.ImageIds {
			gone = append(gone, aws.Val(id.ImageTag)+"@"+aws.Val(id.ImageDigest))
		}
		for _, f := range out.Failures {
			failed = append(failed, aws.Val(f.FailureCode))
		}
		return strings.Join(gone, " "), strings.Join(failed, " ")
	}
	if gone, failed := remove(shape.ImageIdentifier{ImageDigest: &child}); gone != "" || failed != "ImageReferencedByManifestList" {
		t.Errorf("%q, %q", gone, failed)
	}
	if gone, failed := remove(shape.ImageIdentifier{ImageTag: aws.Ptr("v1")}); gone != "v1@"+one || failed != "" {
		t.Errorf("%q, %q", gone, failed)
	}
	if d := must(w, shape.OpDescribeImages, w.api.DescribeImages, &shape.DescribeImagesRequest{RepositoryName: repo, ImageIds: []shape.ImageIdentifier{{ImageDigest: &one}}}); !slices.Equal(d.ImageDetails[0].ImageTags, []string{"v2"}) {
		t.Errorf("left %v", d.ImageDetails)
	}
	if gone, failed := remove(shape.ImageIdentifier{ImageTag: aws.Ptr("v2")}, shape.ImageIdentifier{ImageTag: aws.Ptr("v2")}); gone != "v2@"+one || failed != "ImageNotFound" {
		t.Errorf("%q, %q", gone, failed)
	}
	// In one call a list may go before its images, in whatever order they are named.
	if gone, failed := remove(shape.ImageIdentifier{ImageDigest: &child}, shape.ImageIdentifier{ImageDigest: parent}); failed != "" || !strings.Contains(gone, child) {
		t.Errorf("%q, %q", gone, failed)
	}
	if l := must(w, shape.OpListImages, w.api.ListImages, &shape.ListImagesRequest{RepositoryName: repo}); len(l.ImageIds) != 0 {
		t.Errorf("left %v", l.ImageIds)
	}
}

// An image with more tags than a transaction takes goes in steps; the answer names them all.
func TestDeleteAnImageOfManyTags(t *testing.T) {
	w := newWorld(t)
	w.repository("app")
	doc := manifest(w.layer("app", "config"))
	const tags = 200
	for i := range tags {
		must(w, shape.OpPutImage, w.api.PutImage, &shape.PutImageRequest{RepositoryName: aws.Ptr("app"), ImageManifest: &doc, ImageTag: aws.Ptr(fmt.Sprintf("v%03d", i))})
	}
	out := must(w, shape.OpBatchDeleteImage, w.api.BatchDeleteImage, &shape.BatchDeleteImageRequest{RepositoryName: aws.Ptr("app"),
		ImageIds: []shape.ImageIdentifier{{ImageDigest: aws.Ptr(blobs.Digest([]byte(doc)))}}})
	named := map[string]bool{}
	for _, id := range out.ImageIds {
		named[aws.Val(id.ImageTag)] = true
	}
	if len(out.ImageIds) != tags+1 || len(named) != tags+1 || len(out.Failures) > 0 {
		t.Errorf("%d ids of %d tags, failures %v", len(out.ImageIds), len(named), out.Failures)
	}
	if left := must(w, shape.OpListImages, w.api.ListImages, &shape.ListImagesRequest{RepositoryName: aws.Ptr("app")}); len(left.ImageIds) > 0 {
		t.Errorf("left %v", left.ImageIds)
	}
}

func TestImmutableTags(t *testing.T) {
	w := newWorld(t)
	must(w, shape.OpCreateRepository, w.api.CreateRepository, &shape.CreateRepositoryRequest{RepositoryName: aws.Ptr("app"), ImageTagMutability: aws.Ptr("IMMUTABLE_WITH_EXCLUSION"),
		ImageTagMutabilityExclusionFilters: []shape.ImageTagMutabilityExclusionFilter{{Filter: aws.Ptr("dev*"), FilterType: aws.Ptr("WILDCARD")}}})
	w.image("app", "v1", "one")
	w.image("app", "dev1", "two")
	w.image("app", "dev1", "three") // excluded
	text := manifest(blobs.Digest([]byte("config of two")), blobs.Digest([]byte("layer of two")))
	put := &shape.PutImageRequest{RepositoryName: aws.Ptr("app"), ImageTag: aws.Ptr("v1"), ImageManifest: &text}
	fails(w, shape.OpPutImage, w.api.PutImage, put, "ImageTagAlreadyExistsException",
		"The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.")
	mutable := &shape.PutImageTagMutabilityRequest{RepositoryName: aws.Ptr("app"), ImageTagMutability: aws.Ptr("MUTABLE")}
	must(w, shape.OpPutImageTagMutability, w.api.PutImageTagMutability, mutable)
	must(w, shape.OpPutImage, w.api.PutImage, put)
	mutable.ImageTagMutability = aws.Ptr("MUTABLE_WITH_EXCLUSION")
	fails(w, shape.OpPutImageTagMutability, w.api.PutImageTagMutability, mutable, "InvalidParameterException", "at least one filter")
}

// What says that a layer need not be sent promises that it will be there.
func TestAvailableLayersAreYoung(t *testing.T) {
	w := newWorld(t)
	w.repository("app")
	repo, digest := aws.Ptr("app"), w.layer("app", "content")
	young := func(how string) {
		t.Helper()
		if err := w.api.store.View(t.Context(), store.Fresh, func(tx store.Tx) error {
			for _, l := range tables.Layers.List(tx, "", "") {
				if !l.At.Equal(w.now) {
					t.Errorf("%s: the layer is of %v, not of %v", how, l.At, w.now)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Hour)
	}
	young("pushed")
	must(w, shape.OpBatchCheckLayerAvailability, w.api.BatchCheckLayerAvailability, &shape.BatchCheckLayerAvailabilityRequest{RepositoryName: repo, LayerDigests: []string{digest}})
	young("available")
	up := must(w, shape.OpInitiateLayerUpload, w.api.InitiateLayerUpload, &shape.InitiateLayerUploadRequest{RepositoryName: repo})
	must(w, shape.OpUploadLayerPart, w.api.UploadLayerPart, &shape.UploadLayerPartRequest{RepositoryName: repo, UploadId: up.UploadId,
		PartFirstByte: aws.Ptr[int64](0), PartLastByte: aws.Ptr[int64](6), LayerPartBlob: []byte("content")})
	fails(w, shape.OpCompleteLayerUpload, w.api.CompleteLayerUpload, &shape.CompleteLayerUploadRequest{RepositoryName: repo, UploadId: up.UploadId,
		LayerDigests: []string{digest}}, "LayerAlreadyExistsException", digest)
	young("already there")
}

func TestLayers(t *testing.T) {
	w := newWorld(t)
	w.repository("app")
	repo := aws.Ptr("app")
	digest := w.layer("app", "content")
	other := blobs.Digest([]byte("other"))
	out := must(w, shape.OpBatchCheckLayerAvailability, w.api.BatchCheckLayerAvailability, &shape.BatchCheckLayerAvailabilityRequest{RepositoryName: repo, LayerDigests: []string{digest, other, "bad"}})
	if len(out.Layers) != 2 || aws.Val(out.Layers[0].LayerAvailability) != "AVAILABLE" || aws.Val(out.Layers[0].LayerSize) != 7 ||
		aws.Val(out.Layers[1].LayerAvailability) != "UNAVAILABLE" || len(out.Failures) != 1 || aws.Val(out.Failures[0].FailureCode) != "InvalidLayerDigest" {
		t.Errorf("%+v", out)
	}
	url := must(w, shape.OpGetDownloadUrlForLayer, w.api.GetDownloadUrlForLayer, &shape.GetDownloadUrlForLayerRequest{RepositoryName: repo, LayerDigest: &digest})
	if aws.Val(url.DownloadUrl) != "http://127.0.0.1:4566/v2/app/blobs/"+digest {
		t.Errorf("%v", aws.Val(url.DownloadUrl))
	}
	fails(w, shape.OpGetDownloadUrlForLayer, w.api.GetDownloadUrlForLayer, &shape.GetDownloadUrlForLayerRequest{RepositoryName: repo, LayerDigest: &other}, "LayersNotFoundException", other)
	up := must(w, shape.OpInitiateLayerUpload, w.api.InitiateLayerUpload, &shape.InitiateLayerUploadRequest{RepositoryName: repo})
	part := &shape.UploadLayerPartRequest{RepositoryName: repo, UploadId: up.UploadId, PartFirstByte: aws.Ptr[int64](5), PartLastByte: aws.Ptr[int64](6), LayerPartBlob: []byte("xy")}
	fails(w, shape.OpUploadLayerPart, w.api.UploadLayerPart, part, "InvalidLayerPartException", "not consecutive")
	part.LayerPartBlob = []byte("xyz")
	fails(w, shape.OpUploadLayerPart, w.api.UploadLayerPart, part, "InvalidParameterException", "3 bytes")
	done := &shape.CompleteLayerUploadRequest{RepositoryName: repo, UploadId: up.UploadId, LayerDigests: []string{other}}
	fails(w, shape.OpCompleteLayerUpload, w.api.CompleteLayerUpload, done, "EmptyUploadException", "does not contain")
	part.PartFirstByte, part.PartLastByte = aws.Ptr[int64](0), aws.Ptr[int64](2)
	must(w, shape.OpUploadLayerPart, w.api.UploadLayerPart, part)
	fails(w, shape.OpCompleteLayerUpload, w.api.CompleteLayerUpload, done, "InvalidLayerException", other)
	fails(w, shape.OpCompleteLayerUpload, w.api.CompleteLayerUpload, done, "UploadNotFoundException", aws.Val(up.UploadId))
	up = must(w, shape.OpInitiateLayerUpload, w.api.InitiateLayerUpload, &shape.InitiateLayerUploadRequest{RepositoryName: repo})
	part.UploadId, part.LayerPartBlob, part.PartLastByte = up.UploadId, []byte("content"), aws.Ptr[int64](6)
	must(w, shape.OpUploadLayerPart, w.api.UploadLayerPart, part)
	done.UploadId, done.LayerDigests = up.UploadId, []string{digest}
	fails(w, shape.OpCompleteLayerUpload, w.api.CompleteLayerUpload, done, "LayerAlreadyExistsException", digest)
}

func TestPolicies(t *testing.T) {
	w := newWorld(t)
	w.repository("app")
	repo := aws.Ptr("app")
	fails(w, shape.OpGetLifecyclePolicy, w.api.GetLifecyclePolicy, &shape.GetLifecyclePolicyRequest{RepositoryName: repo}, "LifecyclePolicyNotFoundException",
		"Lifecycle policy does not exist for the repository with name 'app' in the registry with id '000000000000'")
	text := `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"` + lifecycle.Any + `","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`
	bad := strings.Replace(text, "expire", "keep", 1)
	fails(w, shape.OpPutLifecyclePolicy, w.api.PutLifecyclePolicy, &shape.PutLifecyclePolicyRequest{RepositoryName: repo, LifecyclePolicyText: &bad}, "InvalidParameterException", "LifecyclePolicyText")
	fails(w, shape.OpGetLifecyclePolicyPreview, w.api.GetLifecyclePolicyPreview, &shape.GetLifecyclePolicyPreviewRequest{RepositoryName: repo}, "LifecyclePolicyPreviewNotFoundException", "'app'")
	old := w.image("app", "v1", "one")
	w.now = w.now.Add(time.Hour)
	w.image("app", "v2", "two")
	must(w, shape.OpStartLifecyclePolicyPreview, w.api.StartLifecyclePolicyPreview, &shape.StartLifecyclePolicyPreviewRequest{RepositoryName: repo, LifecyclePolicyText: &text})
	p := must(w, shape.OpGetLifecyclePolicyPreview, w.api.GetLifecyclePolicyPreview, &shape.GetLifecyclePolicyPreviewRequest{RepositoryName: repo})
	if aws.Val(p.Status) != "COMPLETE" || len(p.PreviewResults) != 1 || aws.Val(p.PreviewResults[0].ImageDigest) != old || aws.Val(p.Summary.ExpiringImageTotalCount) != 1 {
		t.Errorf("preview %+v", p)
	}
	must(w, shape.OpPutLifecyclePolicy, w.api.PutLifecyclePolicy, &shape.PutLifecyclePolicyRequest{RepositoryName: repo, LifecyclePolicyText: &text})
	must(w, shape.OpDeleteLifecyclePolicy, w.api.DeleteLifecyclePolicy, &shape.DeleteLifecyclePolicyRequest{RepositoryName: repo})
	fails(w, shape.OpDeleteLifecyclePolicy, w.api.DeleteLifecyclePolicy, &shape.DeleteLifecyclePolicyRequest{RepositoryName: repo}, "LifecyclePolicyNotFoundException", "'app'")

	fails(w, shape.OpGetRepositoryPolicy, w.api.GetRepositoryPolicy, &shape.GetRepositoryPolicyRequest{RepositoryName: repo}, "RepositoryPolicyNotFoundException", "'app'")
	fails(w, shape.OpSetRepositoryPolicy, w.api.SetRepositoryPolicy, &shape.SetRepositoryPolicyRequest{RepositoryName: repo, PolicyText: aws.Ptr("{")}, "InvalidParameterException", "PolicyText")
	policy := `{"Version":"2012-10-17","Statement":[]}`
	must(w, shape.OpSetRepositoryPolicy, w.api.SetRepositoryPolicy, &shape.SetRepositoryPolicyRequest{RepositoryName: repo, PolicyText: &policy})
	if out := must(w, shape.OpDeleteRepositoryPolicy, w.api.DeleteRepositoryPolicy, &shape.DeleteRepositoryPolicyRequest{RepositoryName: repo}); aws.Val(out.PolicyText) != policy {
		t.Errorf("%v", out)
	}
}

func TestAuthorizationToken(t *testing.T) {
	w := newWorld(t)
	out := must(w, shape.OpGetAuthorizationToken, w.api.GetAuthorizationToken, &shape.GetAuthorizationTokenRequest{})
	d := out.AuthorizationData[0]
	raw, err := base64.StdEncoding.DecodeString(aws.Val(d.AuthorizationToken))
	if err != nil || !strings.HasPrefix(string(raw), "AWS:") || !d.ExpiresAt.Equal(w.now.Add(12*time.Hour)) ||
		aws.Val(d.ProxyEndpoint) != "https://000000000000.dkr.ecr.us-east-1.amazonaws.com" {
		t.Errorf("%+v, %v", d, err)
	}
}
