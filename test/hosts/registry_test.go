package hosts_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// An image that one server took is pulled from each: who lacks a layer gets it from the others.
func pullEverywhere(t *testing.T, all []*hosts.Host) {
	t.Helper()
	askECR(t, all[0], "CreateRepository", `{"repositoryName":"several/web"}`, nil)
	img, err := images.Build(images.Spec{Layers: [][]images.File{{{Path: "/a", Body: bytes.Repeat([]byte("a"), 1<<20)}}, {{Path: "/b", Body: []byte("b")}}}})
	if err != nil {
		t.Fatal(err)
	}
	ref := at(t, "several/web:1")
	if err := remote.Write(ref, img, reach(t, all[0])...); err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		got, err := remote.Image(ref, reach(t, h)...)
		if err == nil {
			err = validate.Image(got)
		}
		if err != nil {
			t.Errorf("pushed at %s, pulled at %s: %v", all[0].Name, h.Name, err)
		}
	}
	// Another server takes an image whose layers it never had.
	more, err := mutate.Config(img, v1.Config{Env: []string{"another=one"}})
	if err == nil {
		err = remote.Write(at(t, "several/web:2"), more, reach(t, all[1])...)
	}
	if err != nil {
		t.Errorf("pushed on top at %s: %v", all[1].Name, err)
	}
}

func at(t *testing.T, image string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(strings.TrimPrefix(hosts.Endpoint, "http://")+"/"+image, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func reach(t *testing.T, h *hosts.Host) []remote.Option {
	t.Helper()
	var out struct {
		AuthorizationData []struct{ AuthorizationToken string }
	}
	askECR(t, h, "GetAuthorizationToken", `{}`, &out)
	token, err := base64.StdEncoding.DecodeString(out.AuthorizationData[0].AuthorizationToken)
	if err != nil {
		t.Fatal(err)
	}
	_, password, _ := strings.Cut(string(token), ":")
	return []remote.Option{
		remote.WithContext(t.Context()), remote.WithTransport(h.HTTP().Transport),
		remote.WithAuth(&authn.Basic{Username: "AWS", Password: password}),
	}
}

// askECR calls an operation of ECR at a host's server.
func askECR(t *testing.T, h *hosts.Host, operation, body string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hosts.Endpoint+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921."+operation)
	k := h.Keys()
	sigv4.Signer{
		Credentials: sigv4.Credentials{AccessKey: k.AccessKey, Secret: k.SecretKey}, Scope: sigv4.Scope{Region: installation.Region, Service: "ecr"},
	}.Sign(r, []byte(body), time.Now())
	resp, err := h.HTTP().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", operation, answer, err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			t.Fatal(err)
		}
	}
}
