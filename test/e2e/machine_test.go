package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// web looks at containers as anybody on the machine would.
var web = http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// fetch answers what a URL answers, or the error.
func fetch(url string) (string, error) {
	r, err := web.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %.300s", url, r.Status, body)
	}
	return string(body), err
}

// hostPort is where a container's port is published.
func hostPort(t testing.TB, task types.Task, container string, port int32) string {
	t.Helper()
	for _, b := range containerOf(t, task, container).NetworkBindings {
		if aws.ToInt32(b.ContainerPort) == port {
			return strconv.Itoa(int(aws.ToInt32(b.HostPort)))
		}
	}
	t.Fatalf("port %d of %s has no binding: %+v", port, container, containerOf(t, task, container).NetworkBindings)
	return ""
}

// inside is the URL at which a peer, itself at base, fetches another.
func inside(base, target string) string { return base + "/get?url=" + url.QueryEscape(target) }

// freePort is one that nobody has now.
func freePort(t testing.TB) int32 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return int32(l.Addr().(*net.TCPAddr).Port)
}

// machineAddress is an address of this machine beside loopback and berth's own.
func machineAddress(t testing.TB) string {
	t.Helper()
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		addrs, _ := l.Addrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() && (strings.HasPrefix(l.Name, "e") || strings.HasPrefix(l.Name, "w")) {
				return n.IP.String()
			}
		}
	}
	t.Skip("this machine has no address but loopback's")
	return ""
}

// pids are the processes of a task, by the cgroups the kernel says they are in.
func pids(t testing.TB, taskARN string) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err == nil && bytes.Contains(text, []byte("/"+region.Name+"/"+id(taskARN)+"/")) {
			out = append(out, int(number(strings.Split(f, "/")[2])))
		}
	}
	return out
}

// cgroupFile reads a control file of the task's cgroup (parent true) or its container's, by its name in v1 and v2.
func cgroupFile(t testing.TB, pid int, parent bool, names [3]string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		file := names[1]
		if f[0] == "0" {
			file = names[2]
		} else if !strings.Contains(","+f[1]+",", ","+names[0]+",") {
			continue
		}
		group := f[2]
		if parent {
			group = filepath.Dir(group)
		}
		for _, root := range []string{"/sys/fs/cgroup/" + f[1], "/sys/fs/cgroup/" + names[0], "/sys/fs/cgroup"} {
			if b, err := os.ReadFile(filepath.Join(root, group, file)); err == nil {
				return strings.TrimSpace(string(b))
			}
		}
	}
	t.Fatalf("process %d has no %s:\n%s", pid, names[1], text)
	return ""
}

// cgroupVersion2 says whether a process's memory is in a cgroup of version 2.
func cgroupVersion2(t testing.TB, pid int) bool {
	t.Helper()
	return !strings.Contains(readFile(t, fmt.Sprintf("/proc/%d/cgroup", pid)), "memory")
}

func text(n int) string { return strconv.Itoa(n) }

// wayTo is the link of the best route to an address, which is given as the kernel prints it.
func wayTo(t testing.TB, address string) string {
	t.Helper()
	link, best := "", int32(0)
	for line := range strings.Lines(readFile(t, "/proc/net/route")) {
		f := strings.Fields(line)
		if len(f) > 6 && f[1] == address && (link == "" || number(f[6]) < best) {
			link, best = f[0], number(f[6])
		}
	}
	return link
}

// machineAddresses are the machine's own, without the loopback's.
func machineAddresses(t testing.TB) []string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() {
			out = append(out, p.Addr().String())
		}
	}
	return out
}
