// Package load brings images into a node's image store from an archive, without a registry.
//
// Guarantees: any process may call it while the node's containerd runs; an image is unpacked when its name is answered, and
// loading one again is harmless.
package load

import (
	"context"
	"fmt"
	"io"

	client "github.com/containerd/containerd/v2/client"
)

// snapshotter is the one that the node's containers stand on.
const snapshotter = "overlayfs"

// Archive loads the images of an OCI archive into the given namespace of the containerd at address, and answers their names.
func Archive(ctx context.Context, address, namespace string, archive io.Reader) ([]string, error) {
	cd, err := client.New(address, client.WithDefaultNamespace(namespace))
	if err != nil {
		return nil, fmt.Errorf("containerd at %s: %w (does the region run?)", address, err)
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
