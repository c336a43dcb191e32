// Package e2e drives a real region through the AWS API and looks at what happens on the machine: containers, ports, limits,
// output. One installation serves every test of the package.
package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

// busybox is the image of most tasks here.
const busybox = "test.local/busybox:1"

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
	spec, err := images.Busybox(v1.Config{})
	if err != nil {
		return 1, err
	}
	if err := region.Import(ctx, busybox, spec); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// shell is a definition of one container that runs a shell script.
func shell(family, script string, change ...func(*types.ContainerDefinition)) *ecs.RegisterTaskDefinitionInput {
	c := types.ContainerDefinition{
		Name: aws.String("main"), Image: aws.String(busybox), Memory: aws.Int32(32),
		EntryPoint: []string{"sh", "-c"}, Command: []string{script},
	}
	for _, f := range change {
		f(&c)
	}
	return &ecs.RegisterTaskDefinitionInput{Family: aws.String(family), ContainerDefinitions: []types.ContainerDefinition{c}}
}
