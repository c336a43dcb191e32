package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/cmd/berth/top"
	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/wire/sigv4"
)

func TestTopShowsWhatContainersUse(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, script("busy", "while :; do :; done")))
	page := top.Source{Endpoint: region.Endpoint, Cluster: "default", Signer: sigv4.Signer{
		Credentials: sigv4.Credentials{AccessKey: installation.AccessKey, Secret: installation.SecretKey},
		Scope:       sigv4.Scope{Region: installation.Region, Service: "ecs"},
	}}
	installation.Eventually(t, "the agent's word on the busy container", func(ctx context.Context) error {
		told, err := page.Get(ctx)
		for _, one := range told.Tasks {
			if one.TaskARN == *task.TaskArn && len(one.Containers[0].Samples) > 0 {
				return nil
			}
		}
		return errors.Join(err, fmt.Errorf("it is told of %d tasks", len(told.Tasks)))
	})
	out, err := region.Command(t.Context(), "top", "--once", "--cluster", "default").Output()
	// cluster, task, family, container, status, health, CPU of a twentieth of a core at least, memory, network, restarts, age
	line := regexp.MustCompile(`(?m)^default +` + id(*task.TaskArn) + ` +\S+ +busy +RUNNING +- +([0-9]{2,3}|[5-9])\.[0-9] +[0-9.]+ / 32 .* 0 +[0-9]`)
	if err != nil || !line.Match(out) {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = region.Command(t.Context(), "top", "--once", "--cluster", "another").Output()
	if err != nil || strings.Contains(string(out), "busy") {
		t.Errorf("another cluster: %v\n%s", err, out)
	}
	// Nobody without the keys reads it.
	if out, err := exec.CommandContext(t.Context(), "curl", "-sS", "-f", region.Endpoint+"/_berth/top").CombinedOutput(); err == nil {
		t.Errorf("unsigned: %s", out)
	}
}
