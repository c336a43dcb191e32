package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/session"
)

// Link lets a container reach another one of its task under an alias, as Docker's links on the default bridge do: by a line
// in /etc/hosts and by environment variables.
type Link struct {
	On    int // index of the other container
	Alias string
}

// Linked is what a link needs of the container that it leads to, once that runs.
type Linked struct {
	Address netip.Addr
	Env     []string // of its image
	Exposed []string // ports that its image declares: "80/tcp"
}

// links reads NAME or NAME:ALIAS. What a link leads to must run before.
func (b *builder) links(c *Container) error {
	for _, text := range b.in.Links {
		name, alias, _ := strings.Cut(text, ":")
		if alias == "" {
			alias = name
		}
		on := slices.IndexFunc(b.all, func(o session.Container) bool { return o.Name == name })
		switch {
		case c.NetworkMode != Bridge:
			return fmt.Errorf("links: are not supported in network mode %s", c.NetworkMode)
		case on < 0 || b.all[on].Name == c.Name:
			return fmt.Errorf("links %q: the task has no such other container", text)
		}
		c.Links = append(c.Links, Link{On: on, Alias: alias})
		c.DependsOn = append(c.DependsOn, Dependency{On: on, Condition: linked})
	}
	return nil
}

// DockerName is the name Docker would know container i by.
func (t *Task) DockerName(i int) string {
	return "ecs-" + t.Family + "-" + t.Version + "-" + t.Containers[i].Name + "-" + t.Containers[i].ID
}

// LinkHosts are the lines of /etc/hosts that container i's links bring: alias, host name and Docker's name of each.
func (t *Task) LinkHosts(i int, to func(i int) Linked) []HostEntry {
	var out []HostEntry
	for _, l := range t.Containers[i].Links {
		names := l.Alias + " " + t.Containers[l.On].Hostname
		if docker := t.DockerName(l.On); docker != l.Alias {
			names += " " + docker
		}
		out = append(out, HostEntry{Name: names, Address: to(l.On).Address})
	}
	return out
}

// LinkEnv are the variables that container i's links bring. The image's and the container's own win over them.
func (t *Task) LinkEnv(i int, to func(i int) Linked) []string {
	var out []string
	for _, l := range t.Containers[i].Links {
		on, found := &t.Containers[l.On], to(l.On)
		prefix := strings.ReplaceAll(strings.ToUpper(l.Alias), "-", "_")
		out = append(out, portVariables(prefix, found.Address.String(), exposed(on, found.Exposed))...)
		out = append(out, prefix+"_NAME=/"+t.DockerName(i)+"/"+l.Alias)
		for _, kv := range merged(found.Env, on.Environ(found.Env)) {
			if name, _, _ := strings.Cut(kv, "="); name != "HOME" && name != "PATH" {
				out = append(out, prefix+"_ENV_"+kv)
			}
		}
	}
	return out
}

// merged lays over over base, by name.
func merged(base, over []string) []string {
	named := func(kv string) string { name, _, _ := strings.Cut(kv, "="); return name }
	out := slices.DeleteFunc(slices.Clone(base), func(kv string) bool {
		return slices.ContainsFunc(over, func(o string) bool { return named(o) == named(kv) })
	})
	return append(out, over...)
}

// exposedPort is one port of a container, published or declared by its image.
type exposedPort struct {
	number   int
	protocol string
}

// exposed are a container's ports, tcp before udp of the same number.
func exposed(c *Container, image []string) []exposedPort {
	var out []exposedPort
	add := func(p exposedPort) {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	for _, p := range c.Ports {
		if p.ContainerPort > 0 {
			add(exposedPort{p.ContainerPort, protocol(p.Protocol)})
		}
	}
	for _, text := range image {
		number, proto, _ := strings.Cut(text, "/")
		if n, err := strconv.Atoi(number); err == nil {
			add(exposedPort{n, protocol(proto)})
		}
	}
	slices.SortFunc(out, func(a, b exposedPort) int {
		if a.number != b.number {
			return a.number - b.number
		}
		return strings.Compare(a.protocol, b.protocol)
	})
	return out
}

func protocol(s string) string {
	if s == "" {
		return "tcp"
	}
	return s
}

// portVariables are Docker's: the first port as PREFIX_PORT, and four of each.
func portVariables(prefix, address string, ports []exposedPort) []string {
	var out []string
	for i, p := range ports {
		number := strconv.Itoa(p.number)
		url := p.protocol + "://" + address + ":" + number
		if i == 0 {
			out = append(out, prefix+"_PORT="+url)
		}
		each := prefix + "_PORT_" + number + "_" + strings.ToUpper(p.protocol)
		out = append(out, each+"="+url, each+"_ADDR="+address, each+"_PORT="+number, each+"_PROTO="+p.protocol)
	}
	return out
}

// LinkedTo says whether another container links to container i.
func (t *Task) LinkedTo(i int) bool {
	return slices.ContainsFunc(t.Containers, func(c Container) bool {
		return slices.ContainsFunc(c.Links, func(l Link) bool { return l.On == i })
	})
}
