package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/cmd/berth/tryout"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/rootkeys"
	"github.com/berth-ecs/berth/joining"
)

// tryout is the region of several machines on this one, if the installation is such.
func (a *app) tryout() (*tryout.Region, error) {
	exe, err := os.Executable()
	return &tryout.Region{
		Settings: a.settings, Environ: a.environ, Exe: exe, Ticket: a.ticket,
		Show: func(line string) { a.printf("%s\n", line) },
	}, err
}

// ticket asks the region for one.
func (a *app) ticket(ctx context.Context, role joining.Role) (string, error) {
	const life = 10 * time.Minute
	in := joining.TicketRequest{Role: role, Account: a.settings.Account, Region: a.settings.Region, Seconds: int64(life.Seconds())}
	var out joining.TicketAnswer
	err := a.operate(ctx, http.MethodPost, joining.TicketsPath, in, &out)
	return out.Ticket, err
}

// several makes sure that a region of several machines runs and is ready.
func (c upCommand) several(ctx context.Context, a *app) error {
	begin := time.Now()
	want := tryout.Want{Servers: c.Servers, Nodes: c.Nodes, Front: a.front}
	if c.Network != "" {
		var err error
		if want.Network, err = netip.ParsePrefix(c.Network); err != nil {
			return fmt.Errorf("up: network: %w", err)
		}
	}
	r, err := a.tryout()
	if err != nil {
		return fmt.Errorf("up: %w", err)
	}
	machines, _ := r.List() // none yet
	most := cmp.Or(c.Timeout, patience+time.Duration(max(len(machines), c.Servers+c.Nodes))*each)
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	if _, running, err := background.Running(a.settings.PIDFile()); err == nil && !running {
		if err := a.fit(ctx); err != nil {
			return fmt.Errorf("up: %w", err)
		}
	}
	if err := r.Up(ctx, want); err != nil {
		return fmt.Errorf("up: %w", err)
	}
	if err := a.connected(ctx, r); err != nil {
		return fmt.Errorf("up: %w", err)
	}
	a.printf("region    ready at %s after %.1f s\n", a.settings.Endpoint(), time.Since(begin).Seconds())
	return nil
}

// each is how much longer than one several machines may take, for each.
const each = 20 * time.Second

// front makes sure that the endpoint's process runs.
func (a *app) front(ctx context.Context) error {
	_, running, err := background.Running(a.settings.PIDFile())
	if err != nil || running {
		return err
	}
	child, err := a.spawn("front")
	if err != nil {
		return err
	}
	// It is there when it holds the pid file: servers that it could hand a connection to come later.
	return child.Await(ctx, func(context.Context) (bool, string) {
		pid, running, err := background.Running(a.settings.PIDFile())
		return err == nil && running && pid == child.PID, "starting the endpoint"
	}, a.progress)
}

// frontCommand is the endpoint's process.
type frontCommand struct{}

func (frontCommand) Run(ctx context.Context, a *app) error {
	r, err := a.tryout()
	if err != nil {
		return err
	}
	return ended("front", r.Front(ctx, a.log))
}

// connected waits until the agents of all nodes are.
func (a *app) connected(ctx context.Context, r *tryout.Region) error {
	nodes, err := r.Nodes()
	if err != nil || len(nodes) == 0 {
		return err
	}
	page := health.Page(a.settings.Endpoint())
	return background.Await(ctx, func(ctx context.Context) (bool, string) {
		if ok, doing := page.Ready(ctx); !ok {
			return false, "endpoint " + doing
		}
		n, err := a.agents(ctx)
		if err != nil { // the cluster comes with the first node
			return false, "waiting for the nodes"
		}
		return n >= len(nodes), fmt.Sprintf("%d of %d nodes are connected", n, len(nodes))
	}, a.progress)
}

// agents counts the container instances of the cluster whose agents are connected.
func (a *app) agents(ctx context.Context) (int, error) {
	api, err := a.ecs()
	if err != nil {
		return 0, err
	}
	list, err := api.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{Cluster: aws.String(a.settings.Cluster)})
	if err != nil || len(list.ContainerInstanceArns) == 0 {
		return 0, err
	}
	out, err := api.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{
		Cluster: aws.String(a.settings.Cluster), ContainerInstances: list.ContainerInstanceArns,
	})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, i := range out.ContainerInstances {
		if i.AgentConnected {
			n++
		}
	}
	return n, nil
}

// serversKeys are the root keys of an account, as a server of several on this machine has them.
func (a *app) serversKeys() (rootkeys.Keys, error) {
	r, err := a.tryout()
	if err != nil {
		return rootkeys.Keys{}, err
	}
	servers, err := r.Servers()
	if err != nil {
		return rootkeys.Keys{}, err
	}
	err = fs.ErrNotExist
	for _, s := range servers {
		var keys rootkeys.Keys
		if keys, err = rootkeys.Read(rootkeys.Of{DataDir: s.DataDir, Account: a.settings.Account}); err == nil {
			return keys, nil
		}
	}
	return rootkeys.Keys{}, err
}

// machineOf answers the settings of the machine that has a task's log: this one, or one of several on it.
func (a *app) machineOf(task string) config.Settings {
	r, err := a.tryout()
	if err != nil || !tryout.There(a.settings.DataDir) {
		return a.settings
	}
	nodes, _ := r.Nodes() // none is as good as none that ran it
	for _, s := range nodes {
		if _, err := os.Stat(filepath.Join(s.DataDir, "logs", task)); !errors.Is(err, fs.ErrNotExist) {
			return s
		}
	}
	return a.settings
}
