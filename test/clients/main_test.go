// Package clients drives a real region with clients that know nothing of berth: the AWS CLI as people and pipelines use it, and raw
// requests as nobody should send them.
package clients

import (
	"context"
	"os"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

const busyboxImage = "test.local/busybox:1"

var region *installation.Installation

func TestMain(m *testing.M) {
	os.Exit(installation.Main(m, func(ctx context.Context, i *installation.Installation) error {
		region = i
		shell, err := images.Busybox(v1.Config{})
		if err != nil {
			return err
		}
		return region.Import(ctx, busyboxImage, shell)
	}))
}
