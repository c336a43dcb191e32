package registry

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/berth-ecs/berth/blobs/blobstest"
	ecr "github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/ociapi"
	"github.com/berth-ecs/berth/registry/registryapi"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// region is a region's registry on loopback with a repository "web" and an image web:1 in it.
type region struct {
	endpoint, password, digest string
}

func newRegion(t *testing.T) *region {
	t.Helper()
	s := mem.Open(tables.Schema(), mem.Options{})
	t.Cleanup(func() { _ = s.Close() })
	shelved := &shelf.Shelf{Store: s, Blobs: blobstest.NewFake(nil)}
	api := registryapi.New(registryapi.Config{Shelf: shelved})
	call := wire.Call{Account: "000000000000", Region: "us-east-1", Principal: "arn:aws:iam::000000000000:root"}
	if _, err := api.CreateRepository(t.Context(), call, &shape.CreateRepositoryRequest{RepositoryName: aws.Ptr("web")}); err != nil {
		t.Fatal(err)
	}
	token, err := api.GetAuthorizationToken(t.Context(), call, &shape.GetAuthorizationTokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(aws.Val(token.AuthorizationData[0].AuthorizationToken))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(ociapi.New(ociapi.Config{Shelf: shelved, Authorizer: wire.RootOnly{}}))
	t.Cleanup(server.Close)
	r := &region{endpoint: server.URL, password: strings.TrimPrefix(string(raw), "AWS:")}
	img, err := random.Image(1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(strings.TrimPrefix(r.endpoint, "http://")+"/web:1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithAuth(&authn.Basic{Username: "AWS", Password: r.password})); err != nil {
		t.Fatal(err)
	}
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	r.digest = d.String()
	return r
}

const host = "000000000000.dkr.ecr.us-east-1.amazonaws.com"

func (r *region) open(t *testing.T, password string) *Registry {
	t.Helper()
	got, err := Open(Client(10*time.Second), Login{Username: "AWS", Password: password, Endpoint: r.endpoint})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// containerd's own resolver and fetcher, by the name that a task definition has.
func TestPullByTheNameOfECR(t *testing.T) {
	r := newRegion(t)
	if h, ok := ecr.ParseHost(host); !ok || h.Account != "000000000000" {
		t.Fatal(host)
	}
	from := r.open(t, r.password)
	_, desc, err := from.Resolve(t.Context(), host+"/web:1")
	if err != nil || desc.Digest.String() != r.digest {
		t.Fatalf("%+v, %v; want %s", desc, err, r.digest)
	}
	fetcher, err := from.Resolved(host+"/web:1", desc).Fetcher(t.Context(), host+"/web:1")
	if err != nil {
		t.Fatal(err)
	}
	read := func(d ocispec.Descriptor) []byte {
		t.Helper()
		body, err := fetcher.Fetch(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = body.Close() }()
		b, err := io.ReadAll(body)
		if err != nil || int64(len(b)) != d.Size {
			t.Fatalf("%d bytes, %v; want %d", len(b), err, d.Size)
		}
		return b
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(read(desc), &m); err != nil || len(m.Layers) != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	for _, d := range append(m.Layers, m.Config) {
		read(d)
	}
}

func TestFailuresHaveTheRegistrysWords(t *testing.T) {
	r := newRegion(t)
	for ref, want := range map[string]string{
		"/web:nope": "manifest unknown: Requested image not found",
		"/nope:1":   "name unknown: The repository with name 'nope' does not exist in the registry with id '000000000000'",
	} {
		from := r.open(t, r.password)
		_, _, err := from.Resolve(t.Context(), host+ref)
		if err == nil {
			t.Errorf("%s was resolved", ref)
		} else if got := from.Explain(err).Error(); !strings.Contains(got, want) || !strings.Contains(got, "not found") || from.Denied() {
			t.Errorf("%s: %s, want ...%s", ref, got, want)
		}
	}
	from := r.open(t, "wrong")
	if _, _, err := from.Resolve(t.Context(), host+"/web:1"); err == nil || !from.Denied() {
		t.Errorf("a wrong password: %v, denied %v", err, from.Denied())
	}
}

// What a registry that is not ours says, and a body that is no answer of the protocol.
func TestWords(t *testing.T) {
	for body, want := range map[string]string{
		`{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`: "toomanyrequests: slow down",
		`{"errors":[{"code":"DENIED"}]}`:                                "denied",
		`{}`:                                                            "",
		`<html>`:                                                        "",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, body)
		}))
		w := &words{inner: http.DefaultTransport}
		for _, method := range []string{http.MethodHead, http.MethodGet} {
			req, err := http.NewRequestWithContext(t.Context(), method, s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := w.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			read, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if said, denied := w.heard(); said != want || denied || err != nil || method == http.MethodGet && string(read) != body {
				t.Errorf("%s %s: %q, %v; body %q, %v", method, body, said, denied, read, err)
			}
		}
		s.Close()
	}
}
