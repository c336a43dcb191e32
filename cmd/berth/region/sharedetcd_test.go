package region

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd/etcdtest"
	"github.com/berth-ecs/berth/store/mem"
)

// certificates are certificates of an authority: for serving at 127.0.0.1, and for asking.
func certificates(t *testing.T, dir string) (serving, asking authority.KeyPair) {
	t.Helper()
	a, err := authority.Ensure(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	make := func(use string, names ...string) authority.KeyPair {
		key, err := authority.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		der, err := a.Certify(authority.Machine{Role: authority.ServerRole, Names: names}, &key.PublicKey, time.Now())
		if err == nil {
			err = authority.KeyPairAt(dir, use).Write(der, key, a.Certificate())
		}
		if err != nil {
			t.Fatal(err)
		}
		return authority.KeyPairAt(dir, use)
	}
	return make("etcd", "127.0.0.1"), make("client")
}

// An etcd is spoken to by TLS, its name is checked, and it checks who asks.
func TestAnEtcdIsKnownByItsCertificate(t *testing.T) {
	dir := t.TempDir()
	serving, asking := certificates(t, dir)
	_, others := certificates(t, t.TempDir())
	port := freePort(t)
	ctx, stop := context.WithCancel(t.Context())
	begun, ended := make(chan struct{}), make(chan error, 1)
	l := etcdtest.Listener{Dir: filepath.Join(dir, "data"), URL: "https://127.0.0.1:" + port, Cert: serving.File, Key: serving.File, CA: serving.CA}
	go func() { ended <- l.Run(ctx, func() { close(begun) }) }()
	select {
	case <-begun:
	case err := <-ended:
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); <-ended })
	good := config.Settings{Etcd: []string{l.URL}, EtcdCA: asking.CA, EtcdCertificate: asking.File, EtcdKey: asking.File, EtcdPrefix: "berth"}
	t.Run("cases", func(t *testing.T) {
		for name, c := range map[string]struct {
			change func(*config.Settings)
			says   string
		}{
			"right":             {func(*config.Settings) {}, ""},
			"one that is down":  {func(s *config.Settings) { s.Etcd = []string{"https://127.0.0.1:1", l.URL} }, ""},
			"another authority": {func(s *config.Settings) { s.EtcdCA = others.CA }, "unknown authority"},
			"another name":      {func(s *config.Settings) { s.Etcd = []string{"https://localhost:" + port} }, "to match localhost"},
			"no certificate":    {func(s *config.Settings) { s.EtcdCertificate, s.EtcdKey = "", "" }, "certificate required"},
			"a stranger's":      {func(s *config.Settings) { s.EtcdCertificate, s.EtcdKey = others.File, others.File }, "it hangs up: remote error: tls"},
			"nobody":            {func(s *config.Settings) { s.Etcd = []string{"https://127.0.0.1:1"} }, "connection refused"},
			"no file":           {func(s *config.Settings) { s.EtcdCA = "/nowhere" }, "etcd-ca"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := good
				c.change(&s)
				said, err := ProbeEtcd(t.Context(), s)
				switch {
				case c.says == "" && (err != nil || !strings.Contains(said, "version 3.")):
					t.Errorf("%q %v", said, err)
				case c.says != "" && !strings.Contains(fmt.Sprint(err), c.says):
					t.Errorf("%v, want %q", err, c.says)
				}
			})
		}
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func TestWhoseRecordsAndNamesTheyAre(t *testing.T) {
	s := mem.Open(tables.Schema(), mem.Options{})
	defer s.Close()
	update := func(fn func(tx store.Tx) error) error { return s.Update(t.Context(), fn) }
	claim := func(who string) error {
		return update(func(tx store.Tx) error { return tables.Claim(tx, []byte(who)) })
	}
	if err := claim("a"); err != nil {
		t.Fatal(err)
	}
	if err := claim("a"); err != nil {
		t.Error(err)
	}
	if err := claim("b"); err == nil {
		t.Error("another's records")
	}
	m := &membership{settings: config.Settings{Etcd: []string{"x"}}}
	if err := m.settle(t.Context(), s, joining.Place{Name: "a", Address: "192.0.2.1:1", Machine: "m1"}); err != nil {
		t.Fatal(err)
	}
	if err := m.settle(t.Context(), s, joining.Place{Name: "a", Address: "192.0.2.1:2", Machine: "m1"}); err != nil {
		t.Errorf("it moved: %v", err)
	}
	if err := m.settle(t.Context(), s, joining.Place{Name: "a", Address: "192.0.2.1:2", Machine: "m2"}); err == nil || !strings.Contains(err.Error(), "server-name") {
		t.Errorf("two of one name: %v", err)
	}
	m.machine = "m3"
	if err := m.settle(t.Context(), s, joining.Place{Name: "c", Machine: "m3"}); err == nil || !strings.Contains(err.Error(), "was removed") {
		t.Errorf("a removed one: %v", err)
	}
}
