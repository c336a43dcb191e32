// Package clients drives a real region with clients that know nothing of berth: the AWS CLI as people and pipelines use it, and raw
// requests as nobody should send them.
package clients

import (
	"context"
	"fmt"
	"os"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

const busyboxImage = "test.local/busybox:1"

var region *installation.Installation

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if os.Geteuid() != 0 {
		fmt.Println("skipped: needs root")
		return 0, nil
	}
	ctx := context.Background()
	defer installation.Discard()
	region, err = installation.Open(ctx, installation.Options{})
	if region != nil {
		defer func() {
			if code != 0 {
				fmt.Fprintln(os.Stderr, region.LastLog(80))
			}
			if cerr := region.Close(ctx); err == nil {
				err = cerr
			}
		}()
	}
	if err != nil {
		return 1, err
	}
	shell, err := images.Busybox(v1.Config{})
	if err != nil {
		return 1, err
	}
	if err := region.Import(ctx, busyboxImage, shell); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
