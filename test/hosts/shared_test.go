package hosts_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
)

// Servers that share an etcd are one region, as those are that keep the records themselves.
func TestServersShareAnEtcd(t *testing.T) {
	t.Parallel()
	w := hosts.New(t)
	e := w.SharedEtcd()
	a, b := w.Host(), w.Host()
	a.Share(e, nil)
	b.Share(e, a)
	both := []*hosts.Host{a, b}
	keep(t, b, both)
	readEverywhere(t, both, "shared")
	pullEverywhere(t, both)
	refusedByShared(t, w, e, a)

	node := w.Host()
	node.JoinNode(a, "--image-pull-behavior=prefer-cached")
	installation.Eventually(t, "the node to be connected", func(ctx context.Context) error { return connected(ctx, b.ECS(), 1) })
	leaderOfSharedDies(t, w, both)
	etcdAway(t, e, both)

	b.Must("machines", "remove-server", a.Name)
	installation.Eventually(t, "the removed server to end", func(context.Context) error {
		if !strings.Contains(a.Log(hosts.Server), "was removed from the installation") {
			return errors.New(a.LastLog(3))
		}
		return nil
	})
	keep(t, b, []*hosts.Host{b})
	installation.Eventually(t, "the node to be connected to who is left", func(ctx context.Context) error { return connected(ctx, b.ECS(), 1) })
}

// refusedByShared: what a server is told that may not use the etcd, or not these records.
func refusedByShared(t *testing.T, w *hosts.World, e *hosts.SharedEtcd, a *hosts.Host) {
	t.Helper()
	stranger := w.Host()
	for name, c := range map[string]struct {
		change func([]string) []string
		says   string
	}{
		"another installation's": {func(s []string) []string { return s }, "etcd-prefix"},
		"another authority":      {func(s []string) []string { return append(s, "--etcd-ca="+filepath.Join(a.DataDir(), "agent-ca.pem")) }, "certificate signed by unknown authority"},
	} {
		if got := stranger.Refused(c.change(e.Settings())...); !strings.Contains(got, c.says) {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, c := range [][]string{{"backup", filepath.Join(t.TempDir(), "backup")}, append([]string{"restore", "/dev/null"}, e.Settings()...)} {
		if out, err := a.Berth(t.Context(), c...); err == nil || !strings.Contains(err.Error(), "snapshot") {
			t.Errorf("%s: %s %v", c[0], out, err)
		}
	}
}

// leaderOfSharedDies: the other one places tasks once the lease is over.
func leaderOfSharedDies(t *testing.T, w *hosts.World, both []*hosts.Host) {
	t.Helper()
	leader := w.Leader(both[0])
	rest := others(both, leader)
	c := rest[0].ECS()
	_, err := c.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("placed"), NetworkMode: types.NetworkModeNone,
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("main"), Image: aws.String("test.local/nothing:1"), Memory: aws.Int32(16)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := use(t, rest)
	killed := time.Now()
	leader.Kill(hosts.Server)
	installation.Eventually(t, "a wish", func(ctx context.Context) error {
		_, err := c.CreateService(ctx, &ecs.CreateServiceInput{ServiceName: aws.String("placed"), TaskDefinition: aws.String("placed"), DesiredCount: aws.Int32(1)})
		return err
	})
	installation.Eventually(t, "a placement", func(ctx context.Context) error {
		all := 0
		for _, s := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} { // it cannot run: nobody has its image
			list, err := c.ListTasks(ctx, &ecs.ListTasksInput{ServiceName: aws.String("placed"), DesiredStatus: s})
			if err != nil {
				return err
			}
			all += len(list.TaskArns)
		}
		if all == 0 {
			return errors.New("no task")
		}
		return nil
	})
	t.Logf("the leading one of two servers on an etcd that they share was killed: the next placement after %v", time.Since(killed).Round(time.Millisecond))
	stop()
	leader.Again(hosts.Server)
	leader.AwaitReady()
}

// etcdAway: without the etcd nothing is written or read, which is said; with it the servers go on.
func etcdAway(t *testing.T, e *hosts.SharedEtcd, both []*hosts.Host) {
	t.Helper()
	e.Host().Kill(hosts.Etcd)
	installation.Eventually(t, "a server to say that the etcd is away", func(ctx context.Context) error {
		page, err := get(ctx, both[1].HTTP(), hosts.Endpoint+health.ReadyPath)
		if err == nil && !strings.Contains(page, "does not answer") {
			err = errors.New(page)
		}
		return err
	})
	e.Host().Again(hosts.Etcd)
	for _, h := range both {
		c := h.ECS()
		installation.Eventually(t, "a write at "+h.Name, func(ctx context.Context) error { return createCluster(ctx, c, "etcd-is-back") })
	}
}
