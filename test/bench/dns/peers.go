package main

import (
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

	"golang.org/x/sys/unix"
)

const names = 1000

// host is the address and the name of an interface.
func host(i int) (addr, name string) {
	i += 4
	return fmt.Sprintf("10.0.%d.%d", i/256, i%256), fmt.Sprintf("ip-10-0-%d-%d.ec2.internal.", i/256, i%256)
}

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

// startPeers starts every server and waits until it answers. Those it answers are to be stopped also when it fails.
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
	for _, name := range []string{"berth", "plain", "coredns"} {
		port, err := freePort()
		if err != nil {
			return peers, err
		}
		cmd := exec.CommandContext(ctx, self, "-serve", name, "-port", strconv.Itoa(port))
		if name == "coredns" {
			if err := corefile(dir, port); err != nil {
				return peers, err
			}
			cmd = exec.CommandContext(ctx, coredns, "-conf", filepath.Join(dir, "Corefile"), "-quiet")
		}
		cmd.Env, cmd.Stderr = append(os.Environ(), "GOMAXPROCS=1"), os.Stderr
		if err := cmd.Start(); err != nil {
			return peers, err
		}
		peers[name] = &peer{cmd, port}
		if err := pinProcess(cmd.Process.Pid, 0); err != nil {
			return peers, err
		}
		if err := answers(ctx, port); err != nil {
			return peers, fmt.Errorf("%s: %w", name, err)
		}
	}
	return peers, nil
}

func corefile(dir string, port int) error {
	var zone strings.Builder
	zone.WriteString("$ORIGIN ec2.internal.\n@ 60 IN SOA ns0 hostmaster.amazon.com. 1 3600 3600 3600 60\n") // no NS, which would make its answers longer
	for i := range names {
		addr, name := host(i)
		fmt.Fprintf(&zone, "%s 60 IN A %s\n", name, addr)
	}
	file := filepath.Join(dir, "ec2.internal")
	conf := fmt.Sprintf(".:%d {\n\tbind 127.0.0.1\n\tfile %s ec2.internal {\n\t\treload 0\n\t}\n}\n", port, file)
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

// answers waits until a server answers the last name with its address.
func answers(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	want, name := host(names - 1)
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", fmt.Sprintf("127.0.0.1:%d", port))
	}}
	for {
		got, err := r.LookupNetIP(ctx, "ip4", name)
		if err == nil && len(got) == 1 && got[0].String() == want {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer: %v %w", got, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// pin keeps every thread of this process on a processor, if there are two.
func pin(cpu int) error { return pinProcess(os.Getpid(), cpu) }

func pinProcess(pid, cpu int) error {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	var set unix.CPUSet
	set.Set(cpu)
	for _, t := range threads {
		var tid int
		if _, err := fmt.Sscan(t.Name(), &tid); err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("pin to processor %d: %w", cpu, err)
		}
	}
	return nil
}
