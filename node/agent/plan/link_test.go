package plan

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/session"
)

// linking is a task whose first container links to the second.
func linking(t *testing.T, links ...string) *Task {
	t.Helper()
	in := web(func(in *session.Task, c *session.Container) {
		c.Links = links
		in.Containers = append(in.Containers, session.Container{
			Name: "db-1", Image: "db", Environment: map[string]string{"K": "own"},
			PortMappings: []session.PortMapping{{ContainerPort: 5432}},
			DockerConfig: session.DockerConfig{Config: `{"Hostname":"dbhost"}`},
		})
	})
	p, err := New(in, testNode)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLinks(t *testing.T) {
	p := linking(t, "db-1", "db-1:store")
	to := func(i int) Linked {
		if i != 1 {
			t.Errorf("asked for container %d", i)
		}
		return Linked{
			Address: netip.MustParseAddr("172.28.0.9"), Env: []string{"PATH=/bin", "HOME=/", "K=image", "V=1"}, Exposed: []string{"53/udp", "5432/tcp"},
		}
	}
	name := "ecs-web-3-db-1-0123456789abcdef0123456789abcdef-1"
	hosts := p.Containers[0].Files(netip.MustParseAddr("172.28.0.2"), HostFiles{}, p.LinkHosts(0, to)).Hosts
	want := loopbackHosts + "172.28.0.9\tdb-1 dbhost " + name + "\n172.28.0.9\tstore dbhost " + name + "\n172.28.0.2\t" + p.Containers[0].Hostname + "\n"
	if diff := cmp.Diff(want, hosts); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	var store []string
	for _, kv := range p.LinkEnv(0, to) {
		if v, ok := strings.CutPrefix(kv, "STORE_"); ok && !strings.Contains(v, "ECS_") && !strings.Contains(v, "AWS_") {
			store = append(store, v)
		} else if !ok && !strings.HasPrefix(kv, "DB_1_") {
			t.Errorf("%s has the prefix of no alias", kv)
		}
	}
	if diff := cmp.Diff([]string{
		"PORT=udp://172.28.0.9:53", "PORT_53_UDP=udp://172.28.0.9:53", "PORT_53_UDP_ADDR=172.28.0.9", "PORT_53_UDP_PORT=53", "PORT_53_UDP_PROTO=udp",
		"PORT_5432_TCP=tcp://172.28.0.9:5432", "PORT_5432_TCP_ADDR=172.28.0.9", "PORT_5432_TCP_PORT=5432", "PORT_5432_TCP_PROTO=tcp",
		"NAME=/ecs-web-3-web-0123456789abcdef0123456789abcdef-0/store", "ENV_V=1", "ENV_K=own",
	}, store); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if !p.LinkedTo(1) || p.LinkedTo(0) {
		t.Error("the second is linked to, the first is not")
	}
	if d := p.Containers[0].DependsOn; len(d) != 2 || !d[0].Linked() || len(p.Dependents(1)) != 0 {
		t.Errorf("what is linked to runs first, and does not stop last: %v, %v", d, p.Dependents(1))
	}
}

func TestLinksThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*session.Task, *session.Container)
		want string
	}{
		"unknown": {func(_ *session.Task, c *session.Container) { c.Links = []string{"x"} }, `links "x": the task has no such other container`},
		"itself":  {func(_ *session.Task, c *session.Container) { c.Links = []string{"web:a"} }, "no such other container"},
		"mode": {func(in *session.Task, c *session.Container) {
			c.Links, c.DockerConfig.HostConfig, in.NetworkMode = []string{"web"}, "", "none"
		}, "not supported in network mode none"},
		"cycle": {func(in *session.Task, c *session.Container) {
			c.Links = []string{"b"}
			in.Containers = append(in.Containers, session.Container{Name: "b", Image: "b", Links: []string{"web"}})
		}, "Task dependencies cannot be resolved"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(web(c.edit), testNode); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// An order that dependsOn contradicts is not kept: the volumes are there all the same.
func TestVolumesFromGivesWay(t *testing.T) {
	p, err := New(web(func(in *session.Task, c *session.Container) {
		c.VolumesFrom = []session.VolumeFrom{{SourceContainer: "b"}}
		in.Containers = append(in.Containers, session.Container{Name: "b", Image: "b", DependsOn: []session.DependsOn{{ContainerName: "web", Condition: "COMPLETE"}}})
	}), testNode)
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Containers[0].DependsOn; len(d) != 0 {
		t.Errorf("it waits: %v", d)
	}
}

// What a container mounts of others is there before it is, read-only where that is said.
func TestVolumesFromWaits(t *testing.T) {
	p, err := New(web(func(in *session.Task, c *session.Container) {
		c.VolumesFrom = []session.VolumeFrom{{SourceContainer: "b", ReadOnly: true}}
		in.Volumes = []session.Volume{{Name: "v"}}
		in.Containers = append(in.Containers, session.Container{Name: "b", Image: "b", MountPoints: []session.MountPoint{{SourceVolume: "v", ContainerPath: "/v"}}})
	}), testNode)
	if err != nil {
		t.Fatal(err)
	}
	c := p.Containers[0]
	if diff := cmp.Diff([]Dependency{{On: 1, Condition: created}}, c.DependsOn); diff != "" || !c.DependsOn[0].Inherited() || len(p.Dependents(1)) != 0 {
		t.Error(diff)
	}
	if len(c.Mounts) != 1 || !c.Mounts[0].ReadOnly || p.Containers[1].Mounts[0].ReadOnly {
		t.Errorf("mounts %v and %v", c.Mounts, p.Containers[1].Mounts)
	}
}
