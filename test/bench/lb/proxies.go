package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/proxyconf"
	"github.com/berth-ecs/berth/test/envoy"
)

// proxy is one that is measured.
type proxy struct {
	pid                 int
	http, https, stream uint16
	end                 func()
}

// proxies are all, and what is behind them.
type proxies struct {
	berth, hand, again, haproxy, nginx *proxy
	backend, sink                      uint16
	all                                []*proxy
	listeners                          []net.Listener
}

func (p *proxies) stop() {
	for _, one := range p.all {
		one.end()
	}
	for _, l := range p.listeners {
		_ = l.Close()
	}
}

// cpu is the processor time of the proxy's process so far, to the nanosecond where the kernel tells it.
func (p *proxy) cpu() (time.Duration, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.pid))
	if err != nil || len(threads) == 0 {
		return 0, errors.Join(err, fmt.Errorf("process %d is gone", p.pid))
	}
	var sum time.Duration
	for _, t := range threads {
		text, err := os.ReadFile(t)
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n)
	}
	return sum, nil
}

// startAll starts what is behind, and every proxy on the second processor.
func startAll(ctx context.Context, dir string) (*proxies, error) {
	p := &proxies{}
	var err error
	if p.backend, err = p.behind(serve); err != nil {
		return p, err
	}
	if p.sink, err = p.behind(drain); err != nil {
		return p, err
	}
	cert, key, err := certificate()
	if err != nil {
		return p, err
	}
	file := filepath.Join(dir, "both.pem")
	if err := os.WriteFile(file, append(bytes.Clone(cert), key...), 0o600); err != nil {
		return p, err
	}
	p.berth, err = p.asBerth(ctx, filepath.Join(dir, "berth"), proxyconf.Secret{Name: "c", Chain: cert, Key: key})
	for _, one := range []**proxy{&p.hand, &p.again} {
		if err == nil {
			*one, err = p.byHand(ctx, filepath.Join(dir, fmt.Sprint("hand", len(p.all))), file)
		}
	}
	if err == nil {
		p.haproxy, err = p.other(ctx, filepath.Join(dir, "haproxy"), file, haproxy)
	}
	if err == nil {
		p.nginx, err = p.other(ctx, filepath.Join(dir, "nginx"), file, nginx)
	}
	return p, err
}

func (p *proxies) behind(serve func(net.Listener)) (uint16, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	p.listeners = append(p.listeners, l)
	go serve(l)
	return uint16(l.Addr().(*net.TCPAddr).Port), nil
}

func certificate() (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "www.example.com"}, DNSNames: []string{"www.example.com"}, NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), err
}

// ports are new ones for a proxy.
func ports() (*proxy, error) {
	one := &proxy{}
	var err error
	for _, at := range []*uint16{&one.http, &one.https, &one.stream} {
		var perr error
		*at, perr = envoy.Free()
		err = errors.Join(err, perr)
	}
	return one, err
}

// rules are how many a listener has: what is asked meets the last. byHost says whether every second asks for hosts, too.
var (
	rules  = 100
	byHost = true
)

// part is a load balancer with 100 rules, of which the last but the default one takes what is asked; and a network one's listener.
func part(name string, one *proxy) proxyconf.Part {
	web := []proxyconf.Weighted{{Cluster: "web", Weight: 1}}
	h := &proxyconf.HTTP{HTTP2: true, ForwardedFor: "append", IdleTimeout: time.Minute, KeepAlive: time.Hour, ServerHeader: true, Desync: "defensive"}
	for i := range rules {
		m := []proxyconf.Match{{Of: "path", Globs: []string{fmt.Sprintf("/service-%d/*", i+1)}}}
		if byHost && i%2 == 0 {
			m = append(m, proxyconf.Match{Of: "host", Globs: []string{"www.example.com", fmt.Sprintf("s%d.example.com", i)}})
		}
		h.Routes = append(h.Routes, proxyconf.Route{Name: fmt.Sprint("rule", i), Matches: m, Forward: web})
	}
	h.Routes = append(h.Routes, proxyconf.Route{Name: "default", Fixed: &proxyconf.Fixed{Status: 404, ContentType: "text/plain"}})
	t := proxyconf.TLS{Certificates: []string{"c"}}
	p, _ := elb.SSLPolicyOf("ELBSecurityPolicy-TLS13-1-2-2021-06")
	t.Min, t.Max, t.Ciphers = p.Speaks()
	out := proxyconf.Part{Name: name,
		Listeners: []proxyconf.Listener{{Name: "http", Port: one.http, HTTP: h}},
		Clusters:  []proxyconf.Cluster{{Name: "web", Endpoints: "web", Protocol: "http1"}, {Name: "tcp", Endpoints: "sink", Protocol: "tcp"}}}
	if one.https != 0 {
		out.Listeners = append(out.Listeners, proxyconf.Listener{Name: "https", Port: one.https, TLS: &t, HTTP: h},
			proxyconf.Listener{Name: "tcp", Port: one.stream, TCP: &proxyconf.TCP{Forward: []proxyconf.Weighted{{Cluster: "tcp", Weight: 1}}, IdleTimeout: 350 * time.Second}})
	}
	return out
}

func hosts(name string, port uint16) xds.Resource {
	return xds.Endpoints(proxyconf.Endpoints{Name: name, Hosts: []proxyconf.Host{{Addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}}})
}

func (p *proxies) asBerth(ctx context.Context, dir string, s proxyconf.Secret) (*proxy, error) {
	one, err := ports()
	if err != nil {
		return nil, err
	}
	all, err := xds.Resources(part("berth", one))
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	e, err := envoy.Start(ctx, dir, 1, append(all, xds.Secret(s), hosts("web", p.backend), hosts("sink", p.sink)))
	if err != nil {
		return nil, err
	}
	one.pid, one.end = e.PID(), func() { _ = e.Stop() }
	return p.settled(ctx, one, e.Ready)
}

func (p *proxies) byHand(ctx context.Context, dir, pem string) (*proxy, error) {
	one, err := ports()
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "envoy.yaml")
	if err := os.WriteFile(file, []byte(p.text(hand, one, pem, dir)), 0o600); err != nil {
		return nil, err
	}
	e, err := envoy.StartOn(ctx, file, 1)
	if err != nil {
		return nil, err
	}
	one.pid, one.end = e.PID(), func() { _ = e.Stop() }
	return p.settled(ctx, one, e.Ready)
}

// settled pins a proxy that listens.
func (p *proxies) settled(ctx context.Context, one *proxy, ready func(context.Context, uint16) error) (*proxy, error) {
	p.all = append(p.all, one)
	for _, port := range []uint16{one.http, one.https, one.stream} {
		if err := ready(ctx, port); err != nil {
			return nil, err
		}
	}
	out, err := exec.CommandContext(ctx, "taskset", "-a", "-p", "-c", "1", strconv.Itoa(one.pid)).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("taskset: %w: %s", err, out)
	}
	return one, nil
}

// other starts a proxy of another make.
func (p *proxies) other(ctx context.Context, dir, pem string, kind program) (*proxy, error) {
	one, err := ports()
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(file, []byte(p.text(kind.conf, one, pem, dir)), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, kind.path, append(kind.args, file)...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	one.pid = cmd.Process.Pid
	one.end = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	return p.settled(ctx, one, func(ctx context.Context, port uint16) error {
		if err := listening(ctx, port); err != nil {
			return fmt.Errorf("%s: %w: %s", kind.path, err, said.String())
		}
		return nil
	})
}

func listening(ctx context.Context, port uint16) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (p *proxies) text(form string, one *proxy, pem, dir string) string {
	return strings.NewReplacer("{http}", strconv.FormatUint(uint64(one.http), 10), "{https}", strconv.FormatUint(uint64(one.https), 10), "{stream}", strconv.FormatUint(uint64(one.stream), 10),
		"{backend}", strconv.FormatUint(uint64(p.backend), 10), "{sink}", strconv.FormatUint(uint64(p.sink), 10), "{pem}", pem, "{dir}", dir).Replace(form)
}
