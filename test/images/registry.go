package images

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Registry is an OCI registry in this process, on loopback, in memory.
type Registry struct {
	// Username and Password, when set before the first request, are asked for.
	Username, Password string
	// Watch, when set before the first request, sees every request.
	Watch func(*http.Request)

	server   *http.Server
	listener net.Listener
}

// Serve starts a registry on a free port of 127.0.0.1.
func Serve() (*Registry, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Registry{listener: l}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	r.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.Watch != nil {
			r.Watch(req)
		}
		user, password, _ := req.BasicAuth()
		if r.Username != "" && (user != r.Username || password != r.Password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, req)
	})}
	go r.server.Serve(l) //nolint:errcheck // ends with Close
	return r, nil
}

// Host is the registry's part of a reference.
func (r *Registry) Host() string { return r.listener.Addr().String() }

// Push puts the image there and answers its reference: "127.0.0.1:port/repo:tag".
func (r *Registry) Push(repoTag string, s Spec) (ref string, err error) {
	img, err := Build(s)
	if err != nil {
		return "", err
	}
	return r.push(repoTag, img)
}

func (r *Registry) push(repoTag string, img v1.Image) (string, error) {
	ref := r.Host() + "/" + repoTag
	tag, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return "", err
	}
	auth := authn.Anonymous
	if r.Username != "" {
		auth = &authn.Basic{Username: r.Username, Password: r.Password}
	}
	if err := remote.Write(tag, img, remote.WithAuth(auth)); err != nil {
		return "", fmt.Errorf("push %s: %w", ref, err)
	}
	return ref, nil
}

// Close ends it.
func (r *Registry) Close() error { return r.server.Close() }
