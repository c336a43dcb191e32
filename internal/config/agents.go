package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
)

var hostRule = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)

// deriveAgents names the agents' endpoint after its address.
func (s *Settings) deriveAgents() {
	host, _, err := net.SplitHostPort(s.AgentListen)
	if s.AgentListen != "" && err == nil && len(s.AgentNames) == 0 && !everywhere(host) {
		s.AgentNames = []string{host}
	}
}

// everywhere: an address that stands for all of the machine's names none.
func everywhere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

func (s *Settings) validateAgents(check func(key string, err error)) {
	if s.AgentListen == "" {
		for _, k := range []struct{ key, value string }{{"agent-certificate", s.AgentCertificate}, {"agent-key", s.AgentKey}} {
			if k.value != "" {
				check(k.key, errors.New("is given without agent-listen"))
			}
		}
		if len(s.AgentNames) > 0 {
			check("agent-names", errors.New("is given without agent-listen"))
		}
		return
	}
	check("agent-listen", s.agentListen())
	for _, n := range s.AgentNames {
		if _, err := netip.ParseAddr(n); err != nil && !hostRule.MatchString(n) {
			check("agent-names", fmt.Errorf("%q is neither a host name nor an address", n))
		}
	}
	switch {
	case s.AgentCertificate == "" && s.AgentKey == "":
	case s.AgentKey == "":
		check("agent-key", errors.New("is missing while agent-certificate is given: give both or neither"))
	case s.AgentCertificate == "":
		check("agent-certificate", errors.New("is missing while agent-key is given: give both or neither"))
	default:
		check("agent-certificate", absolute(s.AgentCertificate))
		check("agent-key", absolute(s.AgentKey))
	}
}

func (s *Settings) agentListen() error {
	host, port, err := net.SplitHostPort(s.AgentListen)
	if err != nil {
		return fmt.Errorf("%q is not host:port", s.AgentListen)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q does not end in a port from 1 to 65535", s.AgentListen)
	}
	if everywhere(host) && len(s.AgentNames) == 0 {
		return fmt.Errorf("%q names no host that a certificate could be for: give agent-names", s.AgentListen)
	}
	return nil
}
