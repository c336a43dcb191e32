package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
)

// metadataAddr is where containers and their SDKs look for metadata and credentials.
var metadataAddr = netip.MustParseAddr("169.254.170.2")

var defaultSubnet = netip.MustParsePrefix("172.28.0.0/16")

var (
	nameRule = regexp.MustCompile(`^[a-z][a-z0-9-]{0,7}$`)
	idRule   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)
)

// check fills in the defaults and refuses what cannot work.
func (c Config) check() (Config, error) {
	if !nameRule.MatchString(c.Name) {
		return c, fmt.Errorf("network: Name %q: must be 1 to 8 lower-case letters, digits or dashes and begin with a letter", c.Name)
	}
	if !filepath.IsAbs(c.RunDir) {
		return c, fmt.Errorf("network: RunDir %q: must be an absolute path", c.RunDir)
	}
	if !c.Subnet.IsValid() {
		c.Subnet = defaultSubnet
	}
	if !c.Subnet.Addr().Is4() || c.Subnet.Bits() > 29 || c.Subnet.Bits() < 8 {
		return c, fmt.Errorf("network: Subnet %s: must be an IPv4 prefix between /8 and /29", c.Subnet)
	}
	c.Subnet = c.Subnet.Masked()
	return c, nil
}

func checkID(id string) error {
	if !idRule.MatchString(id) {
		return fmt.Errorf("network: endpoint id %q: must be 1 to 128 letters, digits, dashes, dots or underscores", id)
	}
	return nil
}

func (c Config) bridge() string       { return c.Name + "0" }
func (c Config) portPrefix() string   { return c.Name + "_" } // no installation's name has an underscore
func (c Config) metadataLink() string { return c.portPrefix() + "m" }
func (c Config) table() string        { return c.Name + "_net" }
func (c Config) gateway() netip.Addr  { return c.Subnet.Addr().Next() }
func (c Config) netnsDir() string     { return filepath.Join(c.RunDir, "netns") }
func (c Config) netns(id string) string {
	return filepath.Join(c.netnsDir(), id)
}
func (c Config) metadataNetns() string { return filepath.Join(c.RunDir, "metadata.netns") }
func (c Config) lockFile() string      { return filepath.Join(c.RunDir, "network.lock") }

// portLink names the host's end of an endpoint's link: together with an 8 letter installation it fills the 15 bytes a
// link name holds.
func (c Config) portLink(serial uint32) string {
	return fmt.Sprintf("%s%06x", c.portPrefix(), serial&0xffffff)
}

// macOf derives the link address from the IP address, so that an address that moves never meets a stale neighbour entry.
func macOf(a netip.Addr) net.HardwareAddr {
	b := a.As4()
	return net.HardwareAddr{0x0a, 0xbe, b[0], b[1], b[2], b[3]}
}

// alias is the record on the host's end of a link that makes it an endpoint's.
func alias(id string, a netip.Addr) string { return id + " " + a.String() }

var errAlias = errors.New("not an endpoint's alias")

func parseAlias(s string) (id string, a netip.Addr, err error) {
	id, addr, ok := strings.Cut(s, " ")
	if !ok || !idRule.MatchString(id) {
		return "", netip.Addr{}, errAlias
	}
	if a, err = netip.ParseAddr(addr); err != nil {
		return "", netip.Addr{}, errAlias
	}
	return id, a, nil
}
