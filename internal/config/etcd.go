package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

var etcdPrefixRule = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,64}$`)

// SharesEtcd says whether an existing etcd keeps the records.
func (s Settings) SharesEtcd() bool { return len(s.Etcd) > 0 }

// SeveralServers says whether this server may be one of several: they keep the records together, or share an etcd.
func (s Settings) SeveralServers() bool {
	return s.PeerListen != "" || s.SharesEtcd() && s.AgentListen != ""
}

func (s *Settings) validateEtcd(check func(key string, err error)) {
	check("etcd-prefix", matches(etcdPrefixRule, s.EtcdPrefix, "1 to 64 letters, digits, dots, underscores and hyphens"))
	files := []struct{ key, value string }{{"etcd-ca", s.EtcdCA}, {"etcd-certificate", s.EtcdCertificate}, {"etcd-key", s.EtcdKey}}
	for _, f := range files {
		switch {
		case f.value == "":
		case !s.SharesEtcd():
			check(f.key, errors.New("is given without etcd"))
		default:
			check(f.key, absolute(f.value))
		}
	}
	if !s.SharesEtcd() {
		return
	}
	check("etcd", eachOnce(s.Etcd, etcdURL))
	if s.PeerListen != "" {
		check("peer-listen", errors.New("is given with etcd: servers that share an etcd keep no records of their own"))
	}
	switch {
	case s.EtcdCertificate == "" && s.EtcdKey != "":
		check("etcd-certificate", errors.New("is missing while etcd-key is given: give both or neither"))
	case s.EtcdCertificate != "" && s.EtcdKey == "":
		check("etcd-key", errors.New("is missing while etcd-certificate is given: give both or neither"))
	}
}

// etcdURL: records and keys leave this machine by TLS only.
func etcdURL(v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" || u.User != nil {
		return fmt.Errorf("%q is not a URL such as https://192.0.2.9:2379", v)
	}
	host, port, err := net.SplitHostPort(u.Host)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("%q has no host or no port: https://192.0.2.9:2379 has both", v)
	}
	ip, err := netip.ParseAddr(host)
	local := strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return fmt.Errorf("%q is not https: an etcd on another machine is reached by TLS only", v)
	}
	return nil
}
