package config

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var comparePrefix = cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})

func defaults() Settings {
	return Settings{
		Name: "berth", DataDir: "/var/lib/berth", RunDir: "/run/berth", BinDir: "/opt/berth/bin",
		Listen: "127.0.0.1:4566", DNSListen: "127.0.0.1:4553", Server: "http://127.0.0.1:4566", EtcdPrefix: "berth",
		Region: "us-east-1", Regions: []string{"us-east-1"}, Zones: []string{"us-east-1a", "us-east-1b", "us-east-1c"}, Account: "000000000000", Accounts: []string{"000000000000"},
		Cluster: "default", BridgeSubnet: netip.MustParsePrefix("172.28.0.0/16"), PublicPool: netip.MustParsePrefix("198.18.0.0/15"), Fargate: true, Introspection: ":51678", ImagePull: "default", FargateRuntime: "auto", SandboxesAhead: 1, TaskPids: 4096,
		StoppedRetention: 24 * time.Hour, RegistryRetention: 24 * time.Hour, DiskPressure: 85,
		ImageCleanupInterval: 30 * time.Minute, ImageMinimumAge: time.Hour, ImagesPerCleanup: 5,
		LogLevel: "info", LogFormat: "text",
	}
}

func flag(key, text string) Value { return Value{Key: key, Text: text, From: "flag --" + key} }
func line(key, text string) Value { return Value{Key: key, Text: text, From: "berth.yaml line 1"} }

func TestStorageOfANode(t *testing.T) {
	for _, c := range []struct {
		says int
		size int64
		want int64
	}{{0, 100 << 30, 90}, {0, 10 << 30, 9}, {0, 1 << 20, 0}, {7, 100 << 30, 7}, {1000, 100 << 30, 1000}} {
		if got := (Settings{FargateStorage: c.says}).StorageGiB(c.size); got != c.want {
			t.Errorf("of %d bytes, told %d: %d GiB, want %d", c.size, c.says, got, c.want)
		}
	}
}

func TestWhereANodeIs(t *testing.T) {
	for _, c := range []struct {
		in         []Value
		zone       string
		attributes map[string]string
	}{
		{nil, "us-east-1a", map[string]string{}},
		{[]Value{flag("zones", "us-east-1d,us-east-1e")}, "us-east-1d", map[string]string{}},
		{[]Value{flag("zone", "us-east-1b"), flag("attributes", "rack=7, ssd")}, "us-east-1b", map[string]string{"rack": "7", "ssd": ""}},
	} {
		s, err := Load(Layers{Flags: c.in})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.attributes, s.NodeAttributes()); s.ZoneIn(s.Region) != c.zone || diff != "" {
			t.Errorf("%v: zone %s, attributes %s", c.in, s.ZoneIn(s.Region), diff)
		}
	}
}

func TestLoad(t *testing.T) {
	tests := map[string]struct {
		in   Layers
		want func(*Settings)
	}{
		"defaults":              {},
		"other variables":       {in: Layers{Environ: []string{"HOME=/root", "AWS_REGION=eu-west-1"}}},
		"the file's own name":   {in: Layers{Environ: []string{"BERTH_CONFIG=/x.yaml"}}},
		"switches of the tests": {in: Layers{Environ: []string{"BERTH_TEST_ROUNDS=3"}}},
		"file": {
			in:   Layers{File: []Value{line("account", "111111111111")}},
			want: func(s *Settings) { s.Account = "111111111111" },
		},
		"environment over file": {
			in: Layers{
				File:    []Value{line("account", "111111111111"), line("cluster", "blue")},
				Environ: []string{"BERTH_ACCOUNT=222222222222"},
			},
			want: func(s *Settings) { s.Account, s.Cluster = "222222222222", "blue" },
		},
		"flags over environment": {
			in: Layers{
				Environ: []string{"BERTH_ACCOUNT=222222222222", "BERTH_ALLOW_OLD_RUNC=true"},
				Flags:   []Value{flag("account", "333333333333")},
			},
			want: func(s *Settings) { s.Account, s.AllowOldRunc = "333333333333", true },
		},
		"zones and server follow": {
			in: Layers{Flags: []Value{flag("region", "eu-west-1"), flag("listen", "127.0.0.2:80")}},
			want: func(s *Settings) {
				s.Region, s.Zones = "eu-west-1", []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}
				s.Listen, s.Server = "127.0.0.2:80", "http://127.0.0.2:80"
			},
		},
		"zones given": {
			in:   Layers{Flags: []Value{flag("zones", "us-east-1d, us-east-1e")}},
			want: func(s *Settings) { s.Zones = []string{"us-east-1d", "us-east-1e"} },
		},
		"agents": {
			in:   Layers{Flags: []Value{flag("agent-listen", "192.0.2.7:443")}},
			want: func(s *Settings) { s.AgentListen, s.AgentNames = "192.0.2.7:443", []string{"192.0.2.7"} },
		},
		"an empty value is a value": {
			in: Layers{File: []Value{line("containerd-address", "/run/c.sock")}, Environ: []string{"BERTH_CONTAINERD_ADDRESS="}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := defaults()
			if test.want != nil {
				test.want(&want)
			}
			want.Regions, want.Accounts = []string{want.Region}, []string{want.Account}
			got, err := Load(test.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, comparePrefix); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadAccountsAndRegions(t *testing.T) {
	for name, test := range map[string]struct {
		in   Layers
		want func(*Settings)
	}{
		"accounts and regions": {
			in: Layers{File: []Value{line("accounts", "111111111111,222222222222"), line("regions", "eu-west-1"), line("zones", "eu-west-1b, us-east-1b")}},
			want: func(s *Settings) {
				s.Accounts, s.Regions = []string{"000000000000", "111111111111", "222222222222"}, []string{"us-east-1", "eu-west-1"}
				s.Zones = []string{"eu-west-1b", "us-east-1b"}
			},
		},
		"one of them by flag": {
			in: Layers{File: []Value{line("accounts", "111111111111,000000000000"), line("regions", "eu-west-1,us-east-1")},
				Flags: []Value{flag("account", "111111111111"), flag("region", "eu-west-1")}},
			want: func(s *Settings) {
				s.Account, s.Region, s.Zones = "111111111111", "eu-west-1", []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}
				s.Accounts, s.Regions = []string{"111111111111", "000000000000"}, []string{"eu-west-1", "us-east-1"}
			},
		},
		"every region": {
			in:   Layers{File: []Value{line("regions", "any")}},
			want: func(s *Settings) { s.Regions, s.Accounts = []string{"any"}, []string{"000000000000"} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := defaults()
			test.want(&want)
			got, err := Load(test.in)
			if diff := cmp.Diff(want, got, comparePrefix); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	tests := map[string]struct {
		in   Layers
		want []string // each is part of the error
	}{
		"unknown in the file": {
			Layers{File: []Value{line("acount", "1")}},
			[]string{`berth.yaml line 1: unknown setting "acount"; the nearest known one is "account"`},
		},
		"unknown variable": {
			Layers{Environ: []string{"BERTH_REGIOM=x"}},
			[]string{"unknown variable BERTH_REGIOM; the nearest known one is BERTH_REGION"},
		},
		"two faults": {
			Layers{Flags: []Value{flag("account", "12"), flag("log-level", "loud")}},
			[]string{`account (flag --account): "12" is not 12 digits`, `log-level (flag --log-level): "loud" is not one of debug`},
		},
		"long name":         {Layers{Flags: []Value{flag("name", "much-too-long")}}, []string{"name (flag --name)", "up to 7"}},
		"relative path":     {Layers{Flags: []Value{flag("data-dir", "state")}}, []string{`"state" is not an absolute path`}},
		"open to the world": {Layers{Environ: []string{"BERTH_LISTEN=0.0.0.0:4566"}}, []string{"environment variable BERTH_LISTEN", "loopback only"}},
		"no port":           {Layers{Flags: []Value{flag("listen", "127.0.0.1")}}, []string{"not host:port"}},
		"port 0":            {Layers{Flags: []Value{flag("listen", "127.0.0.1:0")}}, []string{"1 to 65535"}},
		"half a key pair":   {Layers{Flags: []Value{flag("access-key", "AKIAIOSFODNN7EXAMPLE")}}, []string{"secret-key (default): is missing"}},
		"other half":        {Layers{Flags: []Value{flag("secret-key", "x")}}, []string{"secret-key (flag --secret-key): is given without"}},
		"not a switch":      {Layers{Environ: []string{"BERTH_ALLOW_OLD_RUNC=perhaps"}}, []string{`"perhaps" is not true or false`}},
		"not a duration":    {Layers{Flags: []Value{flag("stopped-retention", "1 day")}}, []string{`"1 day" is not a duration`}},
		"no duration":       {Layers{Flags: []Value{flag("stopped-retention", "0s")}}, []string{"longer than 0s"}},
		"too many pids":     {Layers{Flags: []Value{flag("task-pids-limit", "4194305")}}, []string{"is not from 0 to 4194304"}},
		"negative":          {Layers{Flags: []Value{flag("healthy-after", "-1s")}}, []string{"must not be negative"}},
		"names everywhere":  {Layers{Flags: []Value{flag("dns-listen", "0.0.0.0:53")}}, []string{`"0.0.0.0:53" is every address`}},
		"names by a name":   {Layers{Flags: []Value{flag("dns-listen", "localhost:53")}}, []string{`"localhost:53" is neither off nor address:port`}},
		"host bits":         {Layers{Flags: []Value{flag("bridge-subnet", "10.1.2.3/16")}}, []string{`"10.1.0.0/16" is the subnet`}},
		"pool's host bits":  {Layers{Flags: []Value{flag("public-pool", "198.18.0.1/15")}}, []string{`"198.18.0.0/15" is the subnet`}},
		"IPv6 pool":         {Layers{Flags: []Value{flag("public-pool", "fd00::/64")}}, []string{"not an IPv4 subnet"}},
		"one public":        {Layers{Flags: []Value{flag("public-pool", "192.0.2.7/32")}}, []string{"at least a /30"}},
		"bridge in pool":    {Layers{Flags: []Value{flag("public-pool", "172.28.0.0/14")}}, []string{`overlaps bridge-subnet "172.28.0.0/16"`}},
		"IPv6 bridge":       {Layers{Flags: []Value{flag("bridge-subnet", "fd00::/64")}}, []string{"not an IPv4 subnet"}},
		"foreign zone":      {Layers{Flags: []Value{flag("zones", "eu-west-1a")}}, []string{`"eu-west-1a" does not begin with the region`}},
		"a zone of another": {Layers{Flags: []Value{flag("zone", "us-east-1d")}}, []string{`zone (flag --zone): "us-east-1d" is not one of the zones of us-east-1: us-east-1a, us-east-1b, us-east-1c`}},
		"zone of no region": {Layers{Flags: []Value{flag("regions", "us-east-1,eu-west-1"), flag("zones", "us-east-1a,eu-west-1a"), flag("zone", "eu-west-1a")}}, []string{"zones of us-east-1: us-east-1a"}},
		"reserved name":     {Layers{Flags: []Value{flag("attributes", "ecs.os-type=x")}}, []string{`attributes (flag --attributes): "ecs.os-type" is reserved`}},
		"attribute's name":  {Layers{Flags: []Value{flag("attributes", "=x")}}, []string{`"=x" does not begin with a name`}},
		"attribute's value": {Layers{Flags: []Value{flag("attributes", "rack=")}}, []string{`the value of "rack"`}},
		"attribute twice":   {Layers{Flags: []Value{flag("attributes", "a=1,a=2")}}, []string{`"a" is given twice`}},
		"many attributes":   {Layers{Flags: []Value{flag("attributes", "a,b,c,d,e,f,g,h,i,j,k")}}, []string{"11 are given", "at most 10"}},
		"not a region":      {Layers{Flags: []Value{flag("regions", "us-east-1,mars")}}, []string{`regions (flag --regions): "mars" is not a region`}},
		"region twice":      {Layers{Flags: []Value{flag("regions", "eu-west-1,eu-west-1")}}, []string{"given twice"}},
		"any and others":    {Layers{Flags: []Value{flag("regions", "any,eu-west-1")}}, []string{"stands alone"}},
		"not an account":    {Layers{Flags: []Value{flag("accounts", "1234")}}, []string{`accounts (flag --accounts): "1234" is not 12 digits`}},
		"account twice":     {Layers{Flags: []Value{flag("accounts", "111111111111,111111111111")}}, []string{"given twice"}},
		"zone twice":        {Layers{Flags: []Value{flag("zones", "us-east-1a,us-east-1a")}}, []string{"given twice"}},
		"agents everywhere": {Layers{Flags: []Value{flag("agent-listen", ":443")}}, []string{"agent-listen (flag --agent-listen)", "give agent-names"}},
		"agents nowhere":    {Layers{Flags: []Value{flag("agent-listen", "10.0.0.5")}}, []string{`"10.0.0.5" is not host:port`}},
		"agents' port":      {Layers{Flags: []Value{flag("agent-listen", "10.0.0.5:x")}}, []string{"1 to 65535"}},
		"agents' names":     {Layers{Flags: []Value{flag("agent-listen", ":443"), flag("agent-names", "a..b")}}, []string{`agent-names (flag --agent-names): "a..b" is neither`}},
		"names alone":       {Layers{Flags: []Value{flag("agent-names", "a")}}, []string{"agent-names (flag --agent-names): is given without agent-listen"}},
		"half a pair":       {Layers{Flags: []Value{flag("agent-listen", "10.0.0.5:443"), flag("agent-certificate", "/c")}}, []string{"agent-key (default): is missing"}},
		"other half of it":  {Layers{Flags: []Value{flag("agent-listen", "10.0.0.5:443"), flag("agent-key", "/k")}}, []string{"agent-certificate (default): is missing"}},
		"pair for nothing":  {Layers{Flags: []Value{flag("agent-key", "/k")}}, []string{"agent-key (flag --agent-key): is given without agent-listen"}},
		"server":            {Layers{Flags: []Value{flag("server", "host:1")}}, []string{`server (flag --server): "host:1" is not a URL`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Load(test.in)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
		})
	}
}

// A child process that is started with Environ must see the parent's settings, whatever else it finds.
func TestEnvironRoundTrip(t *testing.T) {
	want, err := Load(Layers{Flags: []Value{flag("region", "eu-west-1"), flag("allow-old-runc", "true"), flag("zones", "eu-west-1b")}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Load(Layers{Environ: want.Environ(), File: []Value{line("region", "us-west-2"), line("cluster", "other")}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, comparePrefix); diff != "" {
		t.Error(diff)
	}
}

func TestNearestOfAKeyIsItself(t *testing.T) {
	for _, k := range Keys() {
		if got := nearest(Keys(), k.Name); got.Name != k.Name {
			t.Errorf("nearest(%q) = %q", k.Name, got.Name)
		}
	}
}

func TestDistanceIsAMetric(t *testing.T) {
	word := rapid.StringMatching(`[a-c]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := word.Draw(t, "a"), word.Draw(t, "b"), word.Draw(t, "c")
		if distance(a, b) != distance(b, a) || (distance(a, b) == 0) != (a == b) || distance(a, c) > distance(a, b)+distance(b, c) {
			t.Fatalf("not a metric at %q %q %q", a, b, c)
		}
	})
}

// The user guide's table of settings is compared with the code, so that neither drifts.
func TestUserGuideNamesEverySetting(t *testing.T) {
	guide, err := os.ReadFile("../../docs/user-guide.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Keys() {
		if row := "| `" + k.Name + "` |"; !strings.Contains(string(guide), row) {
			t.Errorf("docs/user-guide.md has no row %q", row)
		}
	}
}

func TestAgentEndpoint(t *testing.T) {
	for _, test := range []struct{ listen, names, want string }{
		{"", "", ""},
		{"192.0.2.7:443", "", "https://192.0.2.7"},
		{"[2001:db8::7]:443", "", "https://[2001:db8::7]"},
		{":443", "ecs.example.test,192.0.2.7", "https://ecs.example.test"},
		{"192.0.2.7:8443", "", "https://192.0.2.7:8443"},
	} {
		s, err := Load(Layers{Flags: []Value{flag("agent-listen", test.listen), flag("agent-names", test.names)}})
		if err != nil || s.AgentEndpoint() != test.want {
			t.Errorf("%q, %q: %q (%v), want %q", test.listen, test.names, s.AgentEndpoint(), err, test.want)
		}
	}
}
