package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
)

// small is the machine of a server whose disk can be filled: it holds the store's logs and a hundred megabytes of records.
const small, smallDisk = machines - 1, 400

// fullDisk: the disk of one server of three is full. The others go on, it says why it does not, and it has everything once there is room.
func (w *world) fullDisk() {
	t := w.t
	t.Helper()
	full, c := w.servers[small], w.ecs[0]
	room := full.Fill(0)
	n := 0
	installation.Eventually(t, "the full disk to be noticed", func(ctx context.Context) error {
		for range 20 {
			if err := write(ctx, c, fmt.Sprintf("full-%d", n)); err != nil {
				return err
			}
			n++
		}
		if full.Running(hosts.Server) {
			return fmt.Errorf("%d writes went well, and it runs", n)
		}
		return nil
	})
	const why = "the disk of data-dir is full"
	if !strings.Contains(full.Log(hosts.Server), why) {
		t.Errorf("it does not say why it ended:\n%s", full.LastLog(20))
	}
	full.Again(hosts.Server)
	installation.Eventually(t, "it to end again", func(context.Context) error {
		if full.Running(hosts.Server) {
			return errors.New("it runs")
		}
		return nil
	})
	room()
	full.Again(hosts.Server)
	full.AwaitReady()
	if _, err := w.ecs[small].DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(fmt.Sprintf("full-%d", n-1))}); err != nil {
		t.Errorf("what was written meanwhile: %v", err)
	}
	t.Logf("a server's disk was full: noticed within %d writes, and good again", n)
}

// write records something of some size.
func write(ctx context.Context, c *ecs.Client, name string) error {
	_, err := c.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{Family: &name, ContainerDefinitions: []types.ContainerDefinition{
		{Name: aws.String("app"), Image: aws.String("app"), Memory: aws.Int32(64), Command: []string{strings.Repeat("x", 60_000)}},
	}})
	return err
}
