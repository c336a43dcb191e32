package config

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
)

var serverNameRule = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// derivePeers says where the other servers reach this one.
func (s *Settings) derivePeers() {
	if s.PeerAddress == "" {
		s.PeerAddress = s.PeerListen
	}
}

func (s *Settings) validatePeers(check func(key string, err error)) {
	for _, u := range s.Servers() {
		check("server", httpURL(u))
	}
	if s.Join != "" && !strings.HasPrefix(s.Join, "berth-") {
		check("join", errors.New("is not a ticket: one begins with berth-"))
	}
	if s.ServerName != "" {
		check("server-name", matches(serverNameRule, s.ServerName, "1 to 63 letters, digits, dots, underscores and hyphens"))
	}
	if s.PeerListen == "" {
		if s.PeerAddress != "" {
			check("peer-address", errors.New("is given without peer-listen"))
		}
		return
	}
	if s.AgentListen == "" {
		check("peer-listen", errors.New("is given without agent-listen: where several servers are, they and the nodes join by TLS"))
	}
	_, _, err := net.SplitHostPort(s.PeerListen)
	if err != nil {
		check("peer-listen", fmt.Errorf("%q is not host:port", s.PeerListen))
	}
	host, _, err := net.SplitHostPort(s.PeerAddress)
	switch {
	case err != nil:
		check("peer-address", fmt.Errorf("%q is not host:port", s.PeerAddress))
	case everywhere(host):
		check("peer-address", fmt.Errorf("%q names no address that others could reach: give peer-address", s.PeerAddress))
	}
}
