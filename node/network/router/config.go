package router

import (
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/netip"
	"path/filepath"
	"regexp"

	"github.com/berth-ecs/berth/node/network/router/overlay"
)

// Config says whose routers these are.
type Config struct {
	Name       string       // required: the installation, at most 8 lower-case letters, digits or dashes
	RunDir     string       // required: mounts go to RunDir/vpc and RunDir/eni
	PublicPool netip.Prefix // optional: where public addresses are from; default 198.18.0.0/15. No other route may overlap it
	Routed     bool         // optional: other machines route the pool to this one, so that they may reach it and see it
	Address    netip.Addr   // optional: the machine's on the network of the machines; without, VPCs end at this machine
	AddressMTU int          // optional: of the way between the machines; default that of the link that has Address
	Spares     int          // optional: namespaces kept ready in each VPC; default 2, negative for none
	Flows      int          // optional: flows that one interface may have; default a quarter of what the kernel tracks in a namespace
	Log        *slog.Logger // optional
}

const defaultSpares = 2

var defaultPool = netip.MustParsePrefix("198.18.0.0/15")

var (
	nameRule = regexp.MustCompile(`^[a-z][a-z0-9-]{0,7}$`)
	idRule   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)
)

// check fills in the defaults and refuses what cannot work.
func (c Config) check() (Config, error) {
	if !nameRule.MatchString(c.Name) {
		return c, fmt.Errorf("router: Name %q: must be 1 to 8 lower-case letters, digits or dashes and begin with a letter", c.Name)
	}
	if !filepath.IsAbs(c.RunDir) {
		return c, fmt.Errorf("router: RunDir %q: must be an absolute path", c.RunDir)
	}
	if !c.PublicPool.IsValid() {
		c.PublicPool = defaultPool
	}
	if !c.PublicPool.Addr().Is4() {
		return c, fmt.Errorf("router: PublicPool %s: must be an IPv4 prefix", c.PublicPool)
	}
	c.PublicPool = c.PublicPool.Masked()
	c.Address = c.Address.Unmap()
	if err := (overlay.Machine{Address: c.Address, MTU: c.AddressMTU}).Check(); err != nil {
		return c, err
	}
	if c.Spares == 0 {
		c.Spares = defaultSpares
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// EdgePrefix is how the names of an installation's links to routers begin. No installation's name has a dot.
func EdgePrefix(name string) string { return name + "." }

// edge fills the 15 bytes of a link's name: 8 of the installation, a dot, 24 bits of the VPC's number.
func (c Config) edge(net uint32) string { return fmt.Sprintf("%s%x", EdgePrefix(c.Name), net) }

func (c Config) bridge() string            { return c.Name + "0" }
func (c Config) table() string             { return c.Name + "_vpc" }
func (c Config) guardTable() string        { return c.Name + "_vxlan" }
func (c Config) lockFile() string          { return filepath.Join(c.RunDir, "router.lock") }
func (c Config) vpcDir() string            { return filepath.Join(c.RunDir, "vpc") }
func (c Config) eniDir() string            { return filepath.Join(c.RunDir, "eni") }
func (c Config) vpcMount(id string) string { return filepath.Join(c.vpcDir(), id) }
func (c Config) eniMount(id string) string { return filepath.Join(c.eniDir(), id) }

// poolMetric tells the routes of installations apart.
func (c Config) poolMetric() int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(c.Name)) // a hash does not fail
	return int(h.Sum32()>>2) + 1
}

// routerTable is the table of rules inside of a router, which is alone in its namespace.
const routerTable = "vpc"
