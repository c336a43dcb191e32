package runtime

import (
	"context"
	"fmt"
	"io"

	client "github.com/containerd/containerd/v2/client"
)

// Import puts the images of an OCI archive into the node's image store and unpacks them. Any process may call it while the
// installation's containerd runs. It answers the names.
func Import(ctx context.Context, c Config, archive io.Reader) ([]string, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	cd, err := client.New(c.address(), client.WithDefaultNamespace(c.Name))
	if err != nil {
		return nil, fmt.Errorf("containerd at %s: %w (does the region run?)", c.address(), err)
	}
	defer func() { _ = cd.Close() }() // a connection
	found, err := cd.Import(ctx, archive)
	if err != nil {
		return nil, fmt.Errorf("import images: %w", err)
	}
	var names []string
	for _, i := range found {
		if err := client.NewImage(cd, i).Unpack(ctx, snapshotter); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", i.Name, err)
		}
		names = append(names, i.Name)
	}
	return names, nil
}
