package hosts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/test/installation"
)

// SharedEtcd is an etcd that somebody else runs, on a host of its own.
type SharedEtcd struct {
	host *Host
	dir  string
}

const etcdPort = "2379"

// SharedEtcd begins one, which speaks TLS under an authority of its own and asks its clients for a certificate of it.
func (w *World) SharedEtcd() *SharedEtcd {
	w.t.Helper()
	h := w.Host()
	e := &SharedEtcd{host: h, dir: filepath.Join(h.dir, "etcd")}
	program := filepath.Join(w.dir, "etcd-program")
	build := exec.CommandContext(w.t.Context(), "go", "build", "-o", program, "github.com/berth-ecs/berth/test/hosts/etcd")
	if out, err := build.CombinedOutput(); err != nil {
		w.t.Fatalf("build etcd: %v\n%s", err, out)
	}
	if err := e.certify(); err != nil {
		w.t.Fatal(err)
	}
	pem := e.pair("etcd").File
	err := h.beginProgram(Etcd, program, "--dir="+e.dir+"/data", "--url="+e.URL(), "--cert="+pem, "--key="+pem, "--ca="+e.pair("etcd").CA)
	if err != nil {
		w.t.Fatal(err)
	}
	installation.Eventually(w.t, "the etcd to begin", func(context.Context) error {
		if log := h.Log(Etcd); !strings.Contains(log, "begun") {
			return errors.New("it says: " + log)
		}
		return nil
	})
	return e
}

func (e *SharedEtcd) pair(use string) authority.KeyPair { return authority.KeyPairAt(e.dir, use) }

func (e *SharedEtcd) certify() error {
	if err := os.MkdirAll(e.dir, 0o700); err != nil {
		return err
	}
	a, err := authority.Ensure(e.dir, time.Now())
	if err != nil {
		return err
	}
	for use, names := range map[string][]string{"etcd": {e.host.Address.String()}, "client": nil} {
		key, err := authority.NewKey()
		if err != nil {
			return err
		}
		der, err := a.Certify(authority.Machine{Role: authority.ServerRole, Names: names}, &key.PublicKey, time.Now())
		if err != nil {
			return err
		}
		if err := e.pair(use).Write(der, key, a.Certificate()); err != nil {
			return err
		}
	}
	return nil
}

// URL is where its clients come.
func (e *SharedEtcd) URL() string { return fmt.Sprintf("https://%s:%s", e.host.Address, etcdPort) }

// Settings are those of a server that shares it.
func (e *SharedEtcd) Settings() []string {
	pem := e.pair("client").File
	return []string{"--etcd=" + e.URL(), "--etcd-ca=" + e.pair("client").CA, "--etcd-certificate=" + pem, "--etcd-key=" + pem}
}

// Host is where it runs.
func (e *SharedEtcd) Host() *Host { return e.host }

// Share begins a server that shares an etcd, the first of its installation or one that joins another, and waits until it is ready.
func (h *Host) Share(e *SharedEtcd, by *Host) {
	h.world.t.Helper()
	settings := append([]string{fmt.Sprintf("--agent-listen=%s:%s", h.Address, agentPort)}, e.Settings()...)
	if by != nil {
		settings = append(settings, "--server="+by.Agents(), "--join="+by.Ticket(Server))
	}
	if err := h.begin(Server, settings...); err != nil {
		h.world.t.Fatal(err)
	}
	h.AwaitReady()
}

// Refused runs a server that is to end by itself, and answers what it says.
func (h *Host) Refused(settings ...string) string {
	h.world.t.Helper()
	ctx, cancel := context.WithTimeout(h.world.t.Context(), time.Minute)
	defer cancel()
	_, err := h.Berth(ctx, append([]string{string(Server), fmt.Sprintf("--agent-listen=%s:%s", h.Address, agentPort)}, settings...)...)
	if err == nil || ctx.Err() != nil {
		h.world.t.Fatalf("a server that is to be refused runs, or ends without a word: %v", err)
	}
	return err.Error()
}
