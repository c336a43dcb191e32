package ports

import (
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestPortRules(t *testing.T) {
	for _, c := range []struct {
		name  string
		ports []Port
		err   string // empty: accepted
	}{
		{"dynamic", []Port{{ContainerPort: 80}}, ""},
		{"one port for both protocols", []Port{{ContainerPort: 53, HostPort: 53}, {ContainerPort: 53, HostPort: 53, Protocol: "udp"}}, ""},
		{"range", []Port{{ContainerPortRange: "80-90", HostPortRange: "180-190"}}, ""},
		{"no container port", []Port{{HostPort: 80}}, "port 1: ContainerPort 0: must be between 1 and 65535"},
		{"host port too high", []Port{{ContainerPort: 80}, {ContainerPort: 80, HostPort: 65536}}, "port 2: HostPort 65536: must be between 0 and 65535"},
		{"protocol", []Port{{ContainerPort: 80, Protocol: "sctp"}}, `protocol "sctp": must be "tcp" or "udp"`},
		{"range and port", []Port{{ContainerPort: 1, ContainerPortRange: "1-2"}}, "cannot be combined"},
		{"range backwards", []Port{{ContainerPortRange: "9-1"}}, `ContainerPortRange "9-1": must be "first-last"`},
		{"range is text", []Port{{ContainerPortRange: "a-b"}}, `must be "first-last"`},
		{"host range alone", []Port{{ContainerPort: 80, HostPortRange: "1-2"}}, "needs a ContainerPortRange"},
		{"unequal ranges", []Port{{ContainerPortRange: "80-90", HostPortRange: "1-2"}}, "must be as long as"},
		{"asked for twice", []Port{{ContainerPort: 80, HostPort: 85}, {ContainerPortRange: "1-9", HostPortRange: "81-89"}}, "asked for twice"},
		{"too many", []Port{{ContainerPortRange: "1-1001"}}, "at most 1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.ports)
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

// What is written port by port reads back as the bindings that were asked for, in any order.
func TestBindingsAreTheInverseOfMappings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := netip.MustParseAddr("10.1.2.3")
		var all []Mapping
		var want []Binding
		next := map[byte]int{TCP: 1000, UDP: 1000}
		for range rapid.IntRange(0, 5).Draw(t, "ports") {
			w := Wish{Proto: rapid.SampledFrom([]byte{TCP, UDP}).Draw(t, "proto"), Ranged: rapid.Bool().Draw(t, "ranged")}
			n := 1
			if w.Ranged {
				n = rapid.IntRange(1, 20).Draw(t, "length")
			}
			first := rapid.IntRange(1, 60000).Draw(t, "container")
			w.Containers = Span{first, first + n - 1}
			w.Host = Span{next[w.Proto], next[w.Proto] + n - 1}
			next[w.Proto] += n
			all = append(all, w.Mappings("some-id.1", addr)...)
			b := Binding{BindIP: "0.0.0.0", Protocol: ProtoName(w.Proto)}
			if w.Ranged {
				b.ContainerPortRange, b.HostPortRange = w.Containers.String(), w.Host.String()
			} else {
				b.ContainerPort, b.HostPort = w.Containers.First, w.Host.First
			}
			want = append(want, b)
		}
		read := rapid.Permutation(all).Draw(t, "order")
		slices.SortStableFunc(want, func(a, b Binding) int { return strings.Compare(a.Protocol, b.Protocol) })
		if diff := cmp.Diff(want, Bindings(read)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// busy is a host on which some ports are taken.
type busy map[Key]bool

func (b busy) reserve(k Key) (io.Closer, error) {
	if b[k] {
		return nil, unix.EADDRINUSE
	}
	b[k] = true
	return release(func() { delete(b, k) }), nil
}

type release func()

func (f release) Close() error { f(); return nil }

func TestPortBook(t *testing.T) {
	host := busy{{TCP, 80}: true, {TCP, DynamicFirst}: true, {TCP, DynamicFirst + 3}: true}
	b := NewBook(0, host.reserve)
	got, err := b.Take("a", []Wish{{Proto: TCP, Containers: Span{1, 3}, Ranged: true}, {Proto: TCP, Containers: Span{9, 9}, Host: Span{DynamicFirst + 4, DynamicFirst + 4}}})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Span{DynamicFirst + 5, DynamicFirst + 7}); got[0].Host != want {
		t.Errorf("range %v, want %v: behind the taken port, the host's and the static one", got[0].Host, want)
	}
	before := len(host)
	_, err = b.Take("b", []Wish{{Proto: TCP, Containers: Span{1, 1}}, {Proto: TCP, Containers: Span{80, 80}, Host: Span{80, 80}}})
	var c *Conflict
	if !errors.As(err, &c) || c.Port != 80 {
		t.Errorf("error %v, want a conflict on 80", err)
	}
	if len(host) != before {
		t.Errorf("%d ports held after a refusal, want %d", len(host), before)
	}
	b.Free(KeysOf(got))
	if len(host) != 3 {
		t.Errorf("%d ports held in the end, want the host's 3", len(host))
	}
}

func TestPortBookRunsOut(t *testing.T) {
	b := NewBook(7, func(Key) (io.Closer, error) { return nil, unix.EADDRINUSE })
	_, err := b.Take("a", []Wish{{Proto: UDP, Containers: Span{1, 1}}})
	if err == nil || !strings.Contains(err.Error(), "no 1 free udp ports") {
		t.Errorf("error %v", err)
	}
	if _, err := b.Take("a", []Wish{{Proto: UDP, Containers: Span{1, 20000}}}); err == nil {
		t.Error("a range longer than the dynamic range was given")
	}
}
