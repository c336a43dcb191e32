package config

import (
	"strings"
	"testing"
)

func TestAnExistingEtcd(t *testing.T) {
	for name, c := range map[string]struct {
		in   []Value
		says string // "": it is right
	}{
		"several":         {[]Value{flag("etcd", "https://192.0.2.1:2379, https://etcd-b.example:2379"), flag("etcd-ca", "/ca.pem")}, ""},
		"here":            {[]Value{flag("etcd", "http://127.0.0.1:2379")}, ""},
		"certificate":     {[]Value{flag("etcd", "https://192.0.2.1:2379"), flag("etcd-certificate", "/c.pem"), flag("etcd-key", "/k.pem")}, ""},
		"plain elsewhere": {[]Value{flag("etcd", "http://192.0.2.1:2379")}, "by TLS only"},
		"no port":         {[]Value{flag("etcd", "https://192.0.2.1")}, "no port"},
		"no URL":          {[]Value{flag("etcd", "192.0.2.1:2379")}, "etcd (flag --etcd)"},
		"a path":          {[]Value{flag("etcd", "https://192.0.2.1:2379/v3")}, "not a URL such as"},
		"twice":           {[]Value{flag("etcd", "https://a:1,https://a:1")}, "given twice"},
		"no key":          {[]Value{flag("etcd", "https://192.0.2.1:2379"), flag("etcd-certificate", "/c.pem")}, "etcd-key"},
		"no certificate":  {[]Value{flag("etcd", "https://192.0.2.1:2379"), flag("etcd-key", "/k.pem")}, "etcd-certificate"},
		"files alone":     {[]Value{flag("etcd-ca", "/ca.pem")}, "without etcd"},
		"relative":        {[]Value{flag("etcd", "https://192.0.2.1:2379"), flag("etcd-ca", "ca.pem")}, "absolute"},
		"prefix":          {[]Value{flag("etcd-prefix", "a/b")}, "etcd-prefix"},
		"peers, too": {
			[]Value{flag("etcd", "https://192.0.2.1:2379"), flag("agent-listen", "192.0.2.7:443"), flag("peer-listen", "192.0.2.7:2380")}, "peer-listen",
		},
	} {
		s, err := Load(Layers{Flags: c.in})
		switch {
		case c.says == "" && (err != nil || !s.SharesEtcd() || s.SeveralServers()):
			t.Errorf("%s: %v", name, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	s, err := Load(Layers{Flags: []Value{flag("etcd", "http://127.0.0.1:2379"), flag("agent-listen", "192.0.2.7:443")}})
	if err != nil || !s.SeveralServers() {
		t.Error(err)
	}
}
