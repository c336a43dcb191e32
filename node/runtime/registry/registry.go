// Package registry reaches the registries that images come from.
//
// Guarantees: a registry that falls silent is given up; what it says of a failure is kept, in the words of Docker's daemon; and where
// a login names an endpoint, that is asked and nothing else.
package registry

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Silence is how long a registry may send nothing at all while it is waited for: the ECS agent's pull inactivity
// timeout. A pull that moves, however slowly, is not cut off by it.
const Silence = time.Minute

// Client is a client for registries and their token servers that gives up one that is silent.
func Client(silence time.Duration) *http.Client {
	t := docker.DefaultHTTPTransport(nil)
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return impatient{c, silence}, nil
	}
	return &http.Client{Transport: t}
}

// impatient is a connection whose other side must not be silent for longer than it takes.
type impatient struct {
	net.Conn
	silence time.Duration
}

func (c impatient) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Login is how a registry is signed in to.
type Login struct {
	Username, Password string
	Endpoint           string // optional: the URL of where the registry is, whatever the image's name says
}

// Registry is the registry of one pull.
type Registry struct {
	remotes.Resolver
	words *words
}

// Open is a registry, signed in to, by way of a client that Client made.
func Open(c *http.Client, login Login) (*Registry, error) {
	w := &words{inner: c.Transport}
	client := &http.Client{Transport: w}
	authorizer := docker.NewDockerAuthorizer(docker.WithAuthClient(client), docker.WithAuthCreds(func(string) (string, string, error) {
		return login.Username, login.Password, nil
	}))
	hosts := docker.ConfigureDefaultRegistries(docker.WithPlainHTTP(docker.MatchLocalhost), docker.WithClient(client), docker.WithAuthorizer(authorizer))
	if login.Endpoint != "" {
		u, err := url.Parse(login.Endpoint)
		if err != nil {
			return nil, fmt.Errorf("registry endpoint %q: %w", login.Endpoint, err)
		}
		hosts = func(string) ([]docker.RegistryHost, error) {
			return []docker.RegistryHost{{Client: client, Authorizer: authorizer, Host: u.Host, Scheme: u.Scheme, Path: "/v2",
				Capabilities: docker.HostCapabilityPull | docker.HostCapabilityResolve}}, nil
		}
	}
	return &Registry{docker.NewResolver(docker.ResolverOptions{Hosts: hosts}), w}, nil
}

// Explain adds the registry's own words to a failure.
func (r *Registry) Explain(err error) error {
	if said, _ := r.words.heard(); said != "" && !strings.Contains(err.Error(), said) {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// Denied says that the registry refused the login.
func (r *Registry) Denied() bool {
	_, denied := r.words.heard()
	return denied
}

// Resolved is a registry that was asked already what a name means.
func (r *Registry) Resolved(name string, desc ocispec.Descriptor) remotes.Resolver {
	return resolved{r, name, desc}
}

type resolved struct {
	remotes.Resolver
	name string
	desc ocispec.Descriptor
}

func (a resolved) Resolve(context.Context, string) (string, ocispec.Descriptor, error) {
	return a.name, a.desc, nil
}
