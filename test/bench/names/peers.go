package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// peer is a server's process.
type peer struct {
	cmd  *exec.Cmd
	port int
}

func (p *peer) stop() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.cmd.Wait() // it was killed
	return nil
}

// start starts a server on processor 0, before everything else there, and waits until it answers; without a question it does not wait.
func start(ctx context.Context, port int, ask, want string, argv ...string) (*peer, error) {
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"-c", "0", "chrt", "--rr", "10"}, argv...)...)
	cmd.Env, cmd.Stderr = append(os.Environ(), "GOMAXPROCS=1"), os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &peer{cmd, port}
	if err := answers(ctx, port, ask, want); err != nil {
		return p, fmt.Errorf("%s: %w", argv[0], err)
	}
	return p, nil
}

// startPeers starts the resolver and CoreDNS. Those it answers are to be stopped also when it fails.
func startPeers(ctx context.Context, dir string) (map[string]*peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	coredns := filepath.Join(dir, "coredns")
	build := exec.CommandContext(ctx, "go", "build", "-o", coredns, ".")
	build.Dir = filepath.Join("test", "bench", "dns", "coredns")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build CoreDNS: %w\n%s", err, out)
	}
	peers := map[string]*peer{}
	for _, name := range []string{"berth", "coredns"} {
		port, err := freePort()
		if err != nil {
			return peers, err
		}
		argv := []string{self, "-serve", "names", "-port", strconv.Itoa(port)}
		if name == "coredns" {
			if err := corefile(dir, port); err != nil {
				return peers, err
			}
			argv = []string{coredns, "-conf", filepath.Join(dir, "Corefile"), "-quiet"}
		}
		p, err := start(ctx, port, serviceName(services-1), address(services-1, 0), argv...)
		if p != nil {
			peers[name] = p
		}
		if err != nil {
			return peers, err
		}
	}
	return peers, nil
}

func corefile(dir string, port int) error {
	var zone strings.Builder
	zone.WriteString("$ORIGIN prod.local.\n@ 60 IN SOA ns0 hostmaster 1 3600 3600 3600 60\n") // no NS, which would make its answers longer
	for i := range services {
		for k := range instances {
			fmt.Fprintf(&zone, "%s. 60 IN A %s\n", serviceName(i), address(i, k))
		}
	}
	file := filepath.Join(dir, "prod.local")
	conf := fmt.Sprintf(".:%d {\n\tbind 127.0.0.1\n\tfile %s prod.local {\n\t\treload 0\n\t}\n}\n", port, file)
	return errors.Join(os.WriteFile(file, []byte(zone.String()), 0o600), os.WriteFile(filepath.Join(dir, "Corefile"), []byte(conf), 0o600))
}

func freePort() (int, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}

// answers waits until a server answers a name with an address among others.
func answers(ctx context.Context, port int, name, want string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", fmt.Sprintf("127.0.0.1:%d", port))
	}}
	for {
		got, err := r.LookupHost(ctx, name+".")
		if err == nil && strings.Contains(strings.Join(got, " ")+" ", want+" ") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer: %v %w", got, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// memory starts a server that has many names and tells what it takes.
func memory(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	p, err := start(ctx, port, "service-249.zone-199.local", address(249, 199), self, "-serve", "memory", "-port", strconv.Itoa(port))
	if p != nil {
		defer func() { _ = p.stop() }()
	}
	if err != nil {
		return err
	}
	mb, err := resident(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	fmt.Printf("%d names in %d zones, in the configuration and in the resolver: %.0f MB resident\n", zonesKept*namesKept, zonesKept, mb)
	verdict("MB", mb, most, true)
	return nil
}

func resident(pid int) (mb float64, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kb float64
		if _, err := fmt.Sscanf(s.Text(), "VmRSS: %f kB", &kb); err == nil {
			return kb * 1024 / 1e6, nil
		}
	}
	return 0, errors.New("no VmRSS")
}
