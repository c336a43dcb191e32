package runtime

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
)

// registrySilence is how long a registry may send nothing at all while it is waited for: the ECS agent's pull inactivity
// timeout. A pull that moves, however slowly, is not cut off by it.
const registrySilence = time.Minute

// registryClient is a client for registries and their token servers that gives up one that is silent.
func registryClient(silence time.Duration) *http.Client {
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

func (r *Runtime) resolver(p Pull) remotes.Resolver {
	hosts := docker.ConfigureDefaultRegistries(
		docker.WithPlainHTTP(docker.MatchLocalhost),
		docker.WithClient(r.registries),
		docker.WithAuthorizer(docker.NewDockerAuthorizer(docker.WithAuthClient(r.registries), docker.WithAuthCreds(func(string) (string, string, error) {
			return p.Username, p.Password, nil
		}))))
	return docker.NewResolver(docker.ResolverOptions{Hosts: hosts})
}
