package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	// A link name holds 15 bytes: the installation's name and up to seven of berth's own.
	nameRule      = regexp.MustCompile(`^[a-z][a-z0-9]{0,7}$`)
	regionRule    = regexp.MustCompile(`^[a-z]{2,8}(-[a-z]{1,16}){1,3}-[0-9]{1,2}$`)
	accountRule   = regexp.MustCompile(`^[0-9]{12}$`)
	clusterRule   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	accessKeyRule = regexp.MustCompile(`^[A-Z0-9]{16,128}$`)
)

// derive fills the settings whose default follows from others.
func (s *Settings) derive() {
	if len(s.Zones) == 0 {
		s.Zones = []string{s.Region + "a", s.Region + "b", s.Region + "c"}
	}
	if !s.EveryRegion() && !slices.Contains(s.Regions, s.Region) {
		s.Regions = append([]string{s.Region}, s.Regions...)
	}
	if !slices.Contains(s.Accounts, s.Account) {
		s.Accounts = append([]string{s.Account}, s.Accounts...)
	}
	if s.Server == "" {
		s.Server = s.Endpoint()
	}
	s.deriveAgents()
	s.derivePeers()
}

// validate joins one error per rule that is broken. given says where each value came from.
func (s *Settings) validate(given map[string]Value) error {
	var errs []error
	check := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s (%s): %w", key, given[key].From, err))
		}
	}
	check("name", matches(nameRule, s.Name, "a lower-case letter followed by up to 7 lower-case letters or digits"))
	check("data-dir", absolute(s.DataDir))
	check("run-dir", absolute(s.RunDir))
	check("bin-dir", absolute(s.BinDir))
	check("listen", loopback(s.Listen))
	s.validateAgents(check)
	s.validatePeers(check)
	s.validateEtcd(check)
	check("region", matches(regionRule, s.Region, "a region such as us-east-1"))
	check("regions", regionsOf(s.Regions))
	if !s.EveryRegion() {
		check("zones", zonesOf(s.Regions, s.Zones))
	}
	s.validatePlacement(check)
	check("account", matches(accountRule, s.Account, "12 digits"))
	check("accounts", eachOnce(s.Accounts, func(a string) error { return matches(accountRule, a, "12 digits") }))
	check("access-key", accessKey(s.AccessKey))
	check("secret-key", secretKey(s.AccessKey, s.SecretKey))
	check("cluster", matches(clusterRule, s.Cluster, "1 to 255 letters, digits, underscores or hyphens"))
	if s.ContainerdAddress != "" {
		check("containerd-address", absolute(s.ContainerdAddress))
	}
	check("bridge-subnet", subnet(s.BridgeSubnet))
	check("public-pool", pool(s.PublicPool, s.BridgeSubnet))
	check("dns-listen", dnsListen(s.DNSListen))
	check("introspection", introspection(s.Introspection))
	check("image-pull-behavior", oneOf(s.ImagePull, "default", "always", "once", "prefer-cached"))
	check("fargate-runtime", oneOf(s.FargateRuntime, "auto", "runsc", "runc"))
	check("fargate-storage", between(s.FargateStorage, 0, maxStorage))
	check("sandboxes-ahead", between(s.SandboxesAhead, 0, maxAhead))
	if s.HealthyAfter < 0 {
		check("healthy-after", errors.New("must not be negative"))
	}
	if s.StoppedRetention <= 0 {
		check("stopped-retention", errors.New("must be longer than 0s"))
	}
	check("registry-retention", atLeast(s.RegistryRetention, time.Minute))
	check("image-cleanup-interval", atLeast(s.ImageCleanupInterval, 0))
	check("image-minimum-cleanup-age", atLeast(s.ImageMinimumAge, 0))
	check("images-deleted-per-cycle", between(s.ImagesPerCleanup, 1, 1000))
	check("disk-pressure", between(s.DiskPressure, 1, 100))
	check("task-pids-limit", between(s.TaskPids, 0, maxPids))
	check("log-level", oneOf(s.LogLevel, "debug", "info", "warn", "error"))
	check("log-format", oneOf(s.LogFormat, "text", "json"))
	return errors.Join(errs...)
}

func atLeast(d, least time.Duration) error {
	if d < least {
		return fmt.Errorf("%s is below %s", d, least)
	}
	return nil
}

func between(n, least, most int) error {
	if n < least || n > most {
		return fmt.Errorf("%d is not from %d to %d", n, least, most)
	}
	return nil
}

// maxStorage is a pebibyte, in GiB.
const maxStorage = 1 << 20

// maxAhead sandboxes weigh as much as a small task each.
const maxAhead = 16

// maxPids is the kernel's.
const maxPids = 4 << 20

func matches(rule *regexp.Regexp, v, words string) error {
	if !rule.MatchString(v) {
		return fmt.Errorf("%q is not %s", v, words)
	}
	return nil
}

func absolute(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%q is not an absolute path", path)
	}
	return nil
}

// loopback: requests are signed, not encrypted, so plain HTTP never leaves the machine.
func loopback(listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("%q is not host:port", listen)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q does not end in a port from 1 to 65535", listen)
	}
	if host == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return fmt.Errorf("%q is not a loopback address: the endpoint speaks plain HTTP, which is served on loopback only", listen)
	}
	return nil
}

// smallestPool is the longest prefix of public addresses.
const smallestPool = 30

// pool: the machine's own containers must not have public addresses.
func pool(p, bridge netip.Prefix) error {
	switch {
	case !p.Addr().Is4() || p.Bits() > smallestPool:
		return fmt.Errorf("%q is not an IPv4 subnet of at least a /%d", p, smallestPool)
	case p != p.Masked():
		return fmt.Errorf("%q has host bits: %q is the subnet", p, p.Masked())
	case p.Overlaps(bridge):
		return fmt.Errorf("%q overlaps bridge-subnet %q", p, bridge)
	}
	return nil
}

// dnsListen: an address, because who answers at more than one must know which he was asked at.
func dnsListen(v string) error {
	if v == IntrospectionOff {
		return nil
	}
	at, err := netip.ParseAddrPort(v)
	if err != nil || at.Port() == 0 {
		return fmt.Errorf("%q is neither %s nor address:port, such as 127.0.0.1:4553", v, IntrospectionOff)
	}
	if at.Addr().IsUnspecified() {
		return fmt.Errorf("%q is every address of the machine: name the one that is to be asked", v)
	}
	return nil
}

// introspection: a host is not looked up, so that what is listened on is what was written.
func introspection(v string) error {
	if v == IntrospectionOff {
		return nil
	}
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return fmt.Errorf("%q is neither %s nor :port nor address:port", v, IntrospectionOff)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q does not end in a port from 1 to 65535", v)
	}
	if _, err := netip.ParseAddr(host); host != "" && err != nil {
		return fmt.Errorf("%q does not begin with an IP address", v)
	}
	return nil
}

func httpURL(v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("%q is not a URL such as http://127.0.0.1:4566", v)
	}
	return nil
}

func zonesOf(regions, zones []string) error {
	return eachOnce(zones, func(z string) error {
		if slices.ContainsFunc(regions, func(r string) bool { return strings.HasPrefix(z, r) && len(z) > len(r) }) {
			return nil
		}
		return fmt.Errorf("%q does not begin with the region %q", z, strings.Join(regions, " or "))
	})
}

func regionsOf(regions []string) error {
	if slices.Contains(regions, AnyRegion) {
		if len(regions) > 1 {
			return fmt.Errorf("%q stands alone: it is every region", AnyRegion)
		}
		return nil
	}
	return eachOnce(regions, func(r string) error { return matches(regionRule, r, "a region such as us-east-1") })
}

func eachOnce(all []string, check func(string) error) error {
	for i, v := range all {
		if err := check(v); err != nil {
			return err
		}
		if slices.Contains(all[:i], v) {
			return fmt.Errorf("%q is given twice", v)
		}
	}
	return nil
}

func accessKey(v string) error {
	if v == "" {
		return nil
	}
	return matches(accessKeyRule, v, "16 to 128 capital letters and digits")
}

func secretKey(access, secret string) error {
	switch {
	case access == "" && secret != "":
		return errors.New("is given without access-key: give both or neither")
	case access != "" && secret == "":
		return errors.New("is missing while access-key is given: give both or neither")
	}
	return nil
}

func subnet(p netip.Prefix) error {
	switch {
	case !p.Addr().Is4():
		return fmt.Errorf("%q is not an IPv4 subnet", p)
	case p != p.Masked():
		return fmt.Errorf("%q has bits set behind its length: %q is the subnet", p, p.Masked())
	case p.Bits() < 8 || p.Bits() > 28:
		return fmt.Errorf("%q must be between /8 and /28", p)
	}
	return nil
}

func oneOf(v string, allowed ...string) error {
	if !slices.Contains(allowed, v) {
		return fmt.Errorf("%q is not one of %s", v, strings.Join(allowed, ", "))
	}
	return nil
}
