package crash

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/audit/inventory"
	"github.com/berth-ecs/berth/test/installation"
)

func (w *world) inventory(ctx context.Context) (inventory.Inventory, error) {
	return inventory.Take(ctx, inventory.Options{
		Name: w.Name, RunDir: w.RunDir, DataDir: w.DataDir, Ctr: filepath.Join(w.BinDir, "ctr"),
	})
}

// audit waits until the machine has exactly what the live tasks need. What a task left goes a moment after its end.
func (w *world) audit(what string) {
	w.t.Helper()
	installation.Eventually(w.t, what+": the audit", func(ctx context.Context) error {
		live, err := w.live(ctx)
		if err != nil {
			return err
		}
		v, err := w.inventory(ctx)
		if err != nil {
			return err
		}
		nodes, err := w.nodes(ctx)
		if err != nil {
			return err
		}
		findings := inventory.Expect(v, append(containers(live), runningNodes(nodes)...))
		return verdict(slices.Concat(findings, twice(live), envoys(v, nodes)))
	})
}

// empty checks that an installation that is down has nothing. A killed process is there until init collects it, so it looks
// more than once.
func (w *world) empty(what string) {
	w.t.Helper()
	installation.Eventually(w.t, what+": the audit", func(ctx context.Context) error {
		v, err := w.inventory(ctx)
		if err != nil {
			return err
		}
		return verdict(inventory.Empty(v))
	})
}

func verdict(findings []string) error {
	if len(findings) == 0 {
		return nil
	}
	return fmt.Errorf("%d findings:\n\t%s", len(findings), strings.Join(findings, "\n\t"))
}

// twice are the addresses that more than one live task has.
func twice(live []types.Task) (findings []string) {
	owner := map[string]string{}
	for _, t := range live {
		a, arn := detail(t, "privateIPv4Address"), aws.ToString(t.TaskArn)
		if other := owner[a]; other != "" && a != "" {
			findings = append(findings, fmt.Sprintf("%s is the address of %s and of %s", a, other, arn))
		}
		owner[a] = arn
	}
	return findings
}

// detail is what a task says of its interface.
func detail(t types.Task, name string) string {
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			if aws.ToString(d.Name) == name {
				return aws.ToString(d.Value)
			}
		}
	}
	return ""
}

// containers are those of live tasks, as the audit names them.
func containers(live []types.Task) []inventory.Running {
	var out []inventory.Running
	for _, t := range live {
		out = append(out, containersOf(t)...)
	}
	return out
}

// freePort is one that nobody has now.
func freePort(t *testing.T) int32 {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return int32(l.Addr().(*net.TCPAddr).Port)
}
