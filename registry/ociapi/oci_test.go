package ociapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

func TestPushAndPull(t *testing.T) {
	w := newWorld(t, "team/app")
	for _, media := range []types.MediaType{types.DockerManifestSchema2, types.OCIManifestSchema1} {
		img := mutate.MediaType(w.image(3), media)
		if err := w.push("team/app:v1", img); err != nil {
			t.Fatal(err)
		}
		back, err := remote.Image(w.ref("team/app:v1"), remote.WithAuth(w.auth))
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(back); err != nil { // reads every layer
			t.Error(err)
		}
		want, _ := img.Digest()
		if got, err := back.Digest(); err != nil || got != want {
			t.Errorf("%s: %v, want %v", media, got, want)
		}
		if d, err := remote.Head(w.ref("team/app@"+want.String()), remote.WithAuth(w.auth)); err != nil || d.Digest != want || d.MediaType != media {
			t.Errorf("head %+v, %v", d, err)
		}
		if err := w.push("team/app:v1", img); err != nil {
			t.Errorf("again: %v", err)
		}
	}
	idx, err := random.Index(500, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(w.ref("team/app:multi"), idx, remote.WithAuth(w.auth)); err != nil {
		t.Fatal(err)
	}
	back, err := remote.Index(w.ref("team/app:multi"), remote.WithAuth(w.auth))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(back); err != nil {
		t.Error(err)
	}
	repo := w.ref("team/app:x").Context()
	tags, err := remote.List(repo, remote.WithAuth(w.auth), remote.WithPageSize(1))
	if err != nil || !slices.Equal(tags, []string{"multi", "v1"}) {
		t.Errorf("tags %v, %v", tags, err)
	}
	w.create("another", "")
	all, err := remote.Catalog(t.Context(), repo.Registry, remote.WithAuth(w.auth))
	if err != nil || !slices.Equal(all, []string{"another", "team/app"}) {
		t.Errorf("catalog %v, %v", all, err)
	}
	d, err := w.api.DescribeImages(t.Context(), w.call(root), &shape.DescribeImagesRequest{RepositoryName: aws.Ptr("team/app"), Filter: &shape.DescribeImagesFilter{TagStatus: aws.Ptr("TAGGED")}})
	if err != nil || len(d.ImageDetails) != 2 {
		t.Errorf("described %+v, %v", d, err)
	}
}

func TestMountAcrossRepositories(t *testing.T) {
	w := newWorld(t, "one", "two")
	img := w.image(2)
	if err := w.push("one:v1", img); err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	digest, _ := layers[0].Digest()
	w.wants(404, "BLOB_UNKNOWN", "GET", "/v2/two/blobs/"+digest.String(), "") // not readable where it was not pushed
	h := w.wants(201, "", "POST", "/v2/two/blobs/uploads/?mount="+digest.String()+"&from=one", "")
	if h.Get("Docker-Content-Digest") != digest.String() {
		t.Errorf("%v", h)
	}
	w.wants(200, "", "GET", "/v2/two/blobs/"+digest.String(), "")
	w.wants(202, "", "POST", "/v2/two/blobs/uploads/?mount="+blobs.Digest([]byte("x"))+"&from=one", "")
	w.wants(202, "", "POST", "/v2/two/blobs/uploads/?mount="+digest.String()+"&from=nope", "")
	pulled, err := remote.Image(w.ref("one:v1"), remote.WithAuth(w.auth)) // crane copy mounts
	if err != nil {
		t.Fatal(err)
	}
	if err := w.push("two:v1", pulled); err != nil {
		t.Error(err)
	}
}

func TestUploads(t *testing.T) {
	w := newWorld(t, "app")
	content := strings.Repeat("0123456789", 100)
	digest := blobs.Digest([]byte(content))

	w.wants(201, "", "POST", "/v2/app/blobs/uploads/?digest="+blobs.Digest([]byte("mono")), "mono")
	at := w.wants(202, "", "POST", "/v2/app/blobs/uploads/", "").Get("Location")
	h := w.wants(202, "", "PATCH", at, content[:400], "Content-Range", "0-399", "Content-Type", "application/octet-stream")
	if h.Get("Range") != "0-399" {
		t.Errorf("range %q", h.Get("Range"))
	}
	h = w.wants(416, "RANGE_INVALID", "PATCH", at, content[500:], "Content-Range", "500-999")
	if h.Get("Range") != "0-399" {
		t.Errorf("range %q", h.Get("Range"))
	}
	if h = w.wants(204, "", "GET", at, ""); h.Get("Range") != "0-399" {
		t.Errorf("range %q", h.Get("Range"))
	}
	w.wants(202, "", "PATCH", at, content[400:800])
	w.wants(400, "DIGEST_INVALID", "PUT", at, "")
	w.wants(400, "DIGEST_INVALID", "PUT", at+"?digest=sha512:00", "")
	h = w.wants(201, "", "PUT", at+"?digest="+digest, content[800:])
	if h.Get("Location") != "/v2/app/blobs/"+digest {
		t.Errorf("location %q", h.Get("Location"))
	}
	if _, _, body := w.raw("GET", "/v2/app/blobs/"+digest, ""); body != content {
		t.Errorf("got %d bytes", len(body))
	}
	status, _, body := w.raw("GET", "/v2/app/blobs/"+digest, "", "Range", "bytes=990-")
	if status != http.StatusPartialContent || body != content[990:] {
		t.Errorf("a part: %d %q", status, body)
	}
	w.wants(404, "BLOB_UPLOAD_UNKNOWN", "PATCH", at, "more")
	at = w.wants(202, "", "POST", "/v2/app/blobs/uploads/", "").Get("Location")
	w.wants(400, "DIGEST_INVALID", "PUT", at+"?digest="+digest, "not it")
	at = w.wants(202, "", "POST", "/v2/app/blobs/uploads/", "").Get("Location")
	w.wants(204, "", "DELETE", at, "")
	w.wants(404, "BLOB_UPLOAD_UNKNOWN", "GET", at, "")
	w.wants(405, "UNSUPPORTED", "DELETE", "/v2/app/blobs/"+digest, "")
	w.create("two", "")
	at = w.wants(202, "", "POST", "/v2/app/blobs/uploads/", "").Get("Location")
	w.wants(404, "BLOB_UPLOAD_UNKNOWN", "PATCH", strings.Replace(at, "/app/", "/two/", 1), "x") // an upload is its repository's
	for u, err := range w.shelf.Blobs.Uploads(t.Context()) {
		if err != nil || !strings.HasSuffix(at, u.ID) {
			t.Errorf("left %+v, %v", u, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, "app")
	w.create("fixed", "IMMUTABLE")
	img := w.image(1)
	if err := w.push("fixed:v1", img); err != nil {
		t.Fatal(err)
	}
	if err := w.push("fixed:v1", img); err != nil {
		t.Errorf("the same again: %v", err)
	}
	for want, err := range map[string]error{
		"The image tag 'v1' already exists in the 'fixed' repository and cannot be overwritten because the tag is immutable.": w.push("fixed:v1", w.image(1)),
		"The repository with name 'nope' does not exist in the registry with id '000000000000'":                               w.push("nope:v1", img),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	text, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	docker := string(types.DockerManifestSchema2)
	w.wants(400, "MANIFEST_BLOB_UNKNOWN", "PUT", "/v2/app/manifests/v1", string(text), "Content-Type", docker)
	w.wants(400, "MANIFEST_INVALID", "PUT", "/v2/app/manifests/v1", "{", "Content-Type", docker)
	w.wants(400, "DIGEST_INVALID", "PUT", "/v2/fixed/manifests/"+blobs.Digest([]byte("x")), string(text), "Content-Type", docker)
	w.wants(404, "Requested image not found", "GET", "/v2/app/manifests/nope", "")
	w.wants(404, "NAME_UNKNOWN", "GET", "/v2/nope/manifests/v1", "")
	w.wants(404, "NAME_UNKNOWN", "GET", "/v2/nope/tags/list", "")
	w.wants(400, "DIGEST_INVALID", "GET", "/v2/app/manifests/sha256:0", "")
	w.wants(405, "UNSUPPORTED", "POST", "/v2/app/tags/list", "")
	w.wants(400, "PAGINATION_NUMBER_INVALID", "GET", "/v2/app/tags/list?n=x", "")
}

func TestDeletes(t *testing.T) {
	w := newWorld(t, "app")
	img := w.image(1)
	idx := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img})
	if err := remote.WriteIndex(w.ref("app:multi"), idx, remote.WithAuth(w.auth)); err != nil {
		t.Fatal(err)
	}
	child, _ := img.Digest()
	parent, _ := idx.Digest()
	w.wants(403, "referenced by manifest list", "DELETE", "/v2/app/manifests/"+child.String(), "")
	if err := remote.Tag(w.ref("app:again").Context().Tag("again"), idx, remote.WithAuth(w.auth)); err != nil {
		t.Fatal(err)
	}
	w.wants(202, "", "DELETE", "/v2/app/manifests/again", "")
	w.wants(200, "", "GET", "/v2/app/manifests/multi", "")
	w.wants(202, "", "DELETE", "/v2/app/manifests/"+parent.String(), "")
	w.wants(404, "MANIFEST_UNKNOWN", "GET", "/v2/app/manifests/multi", "")
	w.wants(202, "", "DELETE", "/v2/app/manifests/"+child.String(), "")
	w.wants(404, "MANIFEST_UNKNOWN", "DELETE", "/v2/app/manifests/"+child.String(), "")
}

func TestAuthentication(t *testing.T) {
	w := newWorld(t, "app")
	good := w.auth
	w.wants(200, "{}", "GET", "/v2/", "")
	for _, bad := range []authn.Authenticator{&authn.Basic{Username: "AWS", Password: "x"}, &authn.Basic{Username: "root", Password: w.password(root)}} {
		w.auth = bad
		h := w.wants(401, "UNAUTHORIZED", "GET", "/v2/", "")
		if want := fmt.Sprintf("Basic realm=%q,service=%q", w.server.URL+"/", "ecr.amazonaws.com"); h.Get("Www-Authenticate") != want {
			t.Errorf("challenge %q, want %q", h.Get("Www-Authenticate"), want)
		}
	}
	w.auth = &authn.Basic{Username: "AWS", Password: w.password("arn:aws:iam::000000000000:user/alice")}
	w.wants(403, "is not authorized to perform: ecr:ListImages on resource: arn:aws:ecr:us-east-1:000000000000:repository/app", "GET", "/v2/app/tags/list", "")
	w.auth = good
	w.wants(200, "", "GET", "/v2/app/tags/list", "", "Host", "000000000000.dkr.ecr.us-east-1.amazonaws.com")
	w.wants(403, "not authorized to use the registry", "GET", "/v2/app/tags/list", "", "Host", "000000000000.dkr.ecr.us-west-2.amazonaws.com")
	w.pass(12 * time.Hour)
	w.wants(403, "Your authorization token has expired. Reauthenticate and try again.", "GET", "/v2/", "")
}

// A layer whose content is lost, which should never be, is named so.
func TestLostContent(t *testing.T) {
	w := newWorld(t, "app")
	digest := blobs.Digest([]byte("content"))
	w.wants(201, "", "POST", "/v2/app/blobs/uploads/?digest="+digest, "content")
	if done, err := w.shelf.Blobs.Delete(t.Context(), digest, w.clock().Add(time.Second)); !done || err != nil {
		t.Fatal(done, err)
	}
	w.wants(404, "is not accessible", "GET", "/v2/app/blobs/"+digest, "")
}

// Many push at once, images that share layers; all can be pulled then.
func TestPushesAtOnce(t *testing.T) {
	w := newWorld(t, "app")
	base := w.image(2)
	errs := make(chan error)
	const n = 6
	for i := range n {
		go func() {
			layer, err := random.Layer(500, types.DockerLayer)
			if err != nil {
				errs <- err
				return
			}
			img, err := mutate.AppendLayers(base, layer)
			if err == nil {
				err = w.push(fmt.Sprintf("app:v%d", i), img)
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	for i := range n {
		img, err := remote.Image(w.ref(fmt.Sprintf("app:v%d", i)), remote.WithAuth(w.auth))
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(img); err != nil {
			t.Error(err)
		}
	}
}

// A client that goes away in the middle of a chunk can go on.
func TestCutOffChunk(t *testing.T) {
	w := newWorld(t, "app")
	at := w.wants(202, "", "POST", "/v2/app/blobs/uploads/", "").Get("Location")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.host())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, w.server.URL+at, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := w.auth.Authorization()
	r.SetBasicAuth(c.Username, c.Password)
	_, err = fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nContent-Length: 100\r\n\r\npart", at, w.host(), r.Header.Get("Authorization"))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil { // until the server has let go of the upload
		t.Fatal(err)
	}
	if h := w.wants(204, "", "GET", at, ""); h.Get("Range") != "0-3" {
		t.Fatalf("range %q", h.Get("Range"))
	}
	digest := blobs.Digest([]byte("part two"))
	w.wants(201, "", "PUT", at+"?digest="+digest, " two")
	if _, _, body := w.raw("GET", "/v2/app/blobs/"+digest, ""); !bytes.Equal([]byte(body), []byte("part two")) {
		t.Errorf("%q", body)
	}
}

// A HEAD promises a push that the layer will be there; a GET, which is a pull, writes nothing.
func TestHeadPromisesALayer(t *testing.T) {
	w := newWorld(t, "app")
	w.wants(201, "", "POST", "/v2/app/blobs/uploads/?digest="+blobs.Digest([]byte("layer")), "layer")
	pushed := w.clock()
	w.pass(time.Hour)
	at := func() (at time.Time) {
		w.Helper()
		if err := w.shelf.Store.View(w.Context(), store.Fresh, func(tx store.Tx) error {
			for _, l := range tables.Layers.List(tx, "", "") {
				at = l.At
			}
			return nil
		}); err != nil {
			w.Fatal(err)
		}
		return at
	}
	w.wants(200, "layer", "GET", "/v2/app/blobs/"+blobs.Digest([]byte("layer")), "")
	if got := at(); !got.Equal(pushed) {
		t.Errorf("a pull made it one of %v", got)
	}
	w.wants(200, "", "HEAD", "/v2/app/blobs/"+blobs.Digest([]byte("layer")), "")
	if got := at(); !got.Equal(w.clock()) {
		t.Errorf("after HEAD it is one of %v", got)
	}
	w.wants(404, "", "HEAD", "/v2/app/blobs/"+blobs.Digest([]byte("other")), "")
}

// slow are blobs that take their time to reach the disk.
type slow struct {
	blobs.Store
	time.Duration
}

func (s slow) Create(ctx context.Context, id string) (blobs.Upload, error) {
	u, err := s.Store.Create(ctx, id)
	return slowUpload{u, s.Duration}, err
}

type slowUpload struct {
	blobs.Upload
	time.Duration
}

func (u slowUpload) Commit(ctx context.Context, digest string) (blobs.Info, error) {
	select {
	case <-ctx.Done():
		return blobs.Info{}, ctx.Err()
	case <-time.After(u.Duration):
		return u.Upload.Commit(ctx, digest)
	}
}

// A client that has sent its layer is not given up while the server brings it to the disk.
func TestASlowDiskIsNotSilence(t *testing.T) {
	w := newWorld(t, "app")
	w.oci.silence = 100 * time.Millisecond
	w.shelf.Blobs = slow{w.shelf.Blobs, 500 * time.Millisecond}
	w.wants(201, "", "POST", "/v2/app/blobs/uploads/?digest="+blobs.Digest([]byte("layer")), "layer")
}
