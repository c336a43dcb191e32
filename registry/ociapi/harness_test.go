package ociapi

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/berth-ecs/berth/blobs/dir"
	"github.com/berth-ecs/berth/registry/registryapi"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

const (
	account = "000000000000"
	region  = "us-east-1"
	root    = "arn:aws:iam::000000000000:root"
)

// world is a registry on loopback.
type world struct {
	*testing.T
	server *httptest.Server
	oci    *Handler
	api    *registryapi.API
	shelf  *shelf.Shelf
	auth   authn.Authenticator

	mu  sync.Mutex
	now time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(t *testing.T, repos ...string) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	s := mem.Open(tables.Schema(), mem.Options{Now: w.clock})
	t.Cleanup(func() { _ = s.Close() })
	b, err := dir.Open(t.TempDir()+"/blobs", w.clock)
	if err != nil {
		t.Fatal(err)
	}
	w.shelf = &shelf.Shelf{Store: s, Blobs: b}
	w.api = registryapi.New(registryapi.Config{Shelf: w.shelf})
	w.oci = New(Config{Shelf: w.shelf, Authorizer: wire.RootOnly{}, Now: w.clock})
	w.server = httptest.NewServer(w.oci)
	t.Cleanup(w.server.Close)
	w.auth = &authn.Basic{Username: "AWS", Password: w.password(root)}
	for _, r := range repos {
		w.create(r, "")
	}
	return w
}

func (w *world) call(principal string) wire.Call {
	return wire.Call{Account: account, Region: region, Partition: "aws", Service: "ecr", Principal: principal}
}

func (w *world) create(repo, mutability string) {
	w.Helper()
	in := &shape.CreateRepositoryRequest{RepositoryName: &repo}
	if mutability != "" {
		in.ImageTagMutability = &mutability
	}
	if _, err := w.api.CreateRepository(w.Context(), w.call(root), in); err != nil {
		w.Fatal(err)
	}
}

func (w *world) password(principal string) string {
	w.Helper()
	out, err := w.api.GetAuthorizationToken(w.Context(), w.call(principal), &shape.GetAuthorizationTokenRequest{})
	if err != nil {
		w.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(aws.Val(out.AuthorizationData[0].AuthorizationToken))
	if err != nil {
		w.Fatal(err)
	}
	return strings.TrimPrefix(string(raw), "AWS:")
}

func (w *world) host() string { return strings.TrimPrefix(w.server.URL, "http://") }

func (w *world) ref(repoTag string) name.Reference {
	w.Helper()
	r, err := name.ParseReference(w.host()+"/"+repoTag, name.Insecure)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) image(layers int64) v1.Image {
	w.Helper()
	img, err := random.Image(3000, layers)
	if err != nil {
		w.Fatal(err)
	}
	return img
}

func (w *world) push(repoTag string, img v1.Image) error {
	return remote.Write(w.ref(repoTag), img, remote.WithAuth(w.auth))
}

// raw sends one request and answers status, headers and body.
func (w *world) raw(method, path, body string, headers ...string) (int, http.Header, string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	c, err := w.auth.Authorization()
	if err != nil {
		w.Fatal(err)
	}
	r.SetBasicAuth(c.Username, c.Password)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

// wants is raw that must be answered so.
func (w *world) wants(status int, sentence, method, path, body string, headers ...string) http.Header {
	w.Helper()
	got, h, text := w.raw(method, path, body, headers...)
	if got != status || !strings.Contains(text, sentence) {
		w.Errorf("%s %s: %d %s, want %d ...%s...", method, path, got, text, status, sentence)
	}
	return h
}
