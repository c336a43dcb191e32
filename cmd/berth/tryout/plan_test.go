package tryout

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/joining"
)

var zones = []string{"eu-west-1a", "eu-west-1b"}

func TestGrow(t *testing.T) {
	p := Plan{Network: Network}
	if err := p.Grow(3, 3, zones); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range p.Machines {
		got = append(got, m.Name+" "+p.address(m.Number).String()+" "+m.Zone)
	}
	want := []string{
		"s1 10.99.0.1/24 ", "s2 10.99.0.2/24 ", "s3 10.99.0.3/24 ",
		"n1 10.99.0.4/24 eu-west-1a", "n2 10.99.0.5/24 eu-west-1b", "n3 10.99.0.6/24 eu-west-1a",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []struct {
		servers, nodes int
		says           string
	}{
		{1, 3, "there are 3 servers, not 1"}, {3, 2, "there are 3 nodes, not 2"}, {4, 3, "1, 3 or 5, not 4"}, {7, 3, "1, 3 or 5, not 7"}, {3, 38, "41 machines are more"},
	} {
		if err := p.Grow(bad.servers, bad.nodes, zones); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%d servers, %d nodes: %v, want %q", bad.servers, bad.nodes, err, bad.says)
		}
	}
	if len(p.Machines) != len(want) {
		t.Errorf("a plan that was refused changed: %v", p.Machines)
	}
}

// Whatever comes and goes, names and addresses are each one machine's.
func TestNamesAndAddressesAreOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Plan{Network: Network}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(p.Machines) > 0 && rapid.Bool().Draw(t, "remove") {
				i := rapid.IntRange(0, len(p.Machines)-1).Draw(t, "which")
				p.Machines = slices.Delete(p.Machines, i, i+1)
				continue
			}
			p.Add(rapid.SampledFrom([]joining.Role{joining.Server, joining.Node}).Draw(t, "role"), zones)
			names, numbers := map[string]bool{}, map[int]bool{}
			for _, m := range p.Machines {
				if names[m.Name] || numbers[m.Number] || m.Number < 1 || m.Number >= doorNumber {
					t.Fatalf("%+v of %+v", m, p.Machines)
				}
				names[m.Name], numbers[m.Number] = true, true
			}
		}
	})
}

// The settings of every machine are good ones, and nothing that has to be a machine's own is another's.
func TestSettings(t *testing.T) {
	s, err := config.Load(config.Layers{Flags: []config.Value{{Key: "name", Text: "berth"}, {Key: "data-dir", Text: t.TempDir()}, {Key: "region", Text: "eu-west-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	r := &Region{Settings: s}
	p := Plan{Network: Network}
	if err := p.Grow(5, 11, s.ZonesOf(s.Region)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, m := range p.Machines {
		got, err := config.Load(config.Layers{Environ: r.settings(&p, m).Environ()})
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		for _, own := range []string{"name " + got.Name, got.DataDir, got.RunDir, got.NodeAddress.String(), got.AgentListen} {
			if other, taken := seen[own]; taken && own != "" {
				t.Errorf("%q is %s's and %s's", own, other, m.Name)
			}
			seen[own] = m.Name
		}
		if m.Role == joining.Node && got.Zone != m.Zone || got.Join != "" || slices.Contains(got.Servers(), got.AgentEndpoint()) {
			t.Errorf("%s: %+v", m.Name, got)
		}
		if dir, _ := filepath.Rel(s.DataDir, got.DataDir); strings.HasPrefix(dir, "..") {
			t.Errorf("%s has its data in %s", m.Name, got.DataDir)
		}
	}
	r.Settings.Name = "toolong"
	if err := r.check(); err == nil {
		t.Error("a name that leaves no room is taken")
	}
}

func TestCheckNetwork(t *testing.T) {
	for text, good := range map[string]bool{"10.99.0.0/24": true, "10.99.0.1/24": false, "10.99.0.0/16": false, "fd00::/24": false} {
		if err := CheckNetwork(netip.MustParsePrefix(text)); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
	if CheckNetwork(netip.Prefix{}) == nil {
		t.Error("none is good")
	}
}
