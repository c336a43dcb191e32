package dns

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// stageEnv says to a copy of this test that it is the one in namespaces of its own.
const stageEnv = "BERTH_TEST_GETENT"

// The C library's resolver asks, as most programs of tasks do: at port 53, by the resolv.conf that a task has, with its search domain.
func TestGetentResolves(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("this is the copy")
	}
	if os.Geteuid() != 0 {
		t.Skip("namespaces need root")
	}
	if _, err := exec.LookPath("getent"); err != nil {
		t.Skip(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestGetentInside$", "-test.v")
	cmd.Env = append(os.Environ(), stageEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestGetentInside") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestGetentInside is the part of TestGetentResolves in namespaces of its own.
func TestGetentInside(t *testing.T) {
	if os.Getenv(stageEnv) == "" {
		t.Skip("a part of another test")
	}
	at := netip.MustParseAddr("127.0.0.2") // instead of base + 2
	loopbackUp(t)
	overResolvConf(t, fmt.Sprintf("nameserver %s\nsearch ec2.internal\noptions timeout:2 attempts:5\n", at))
	start(t, Config{Listen: func(_ context.Context, vpc, network string, where netip.AddrPort) (io.Closer, error) {
		a := net.IPv4(127, 0, 0, byte(3+len(vpc)))
		if vpc == "vpc-a" && where.Addr() == netip.MustParseAddr("10.0.0.2") {
			a = at.AsSlice()
		} else if where.Port() == 53 {
			where = netip.AddrPortFrom(where.Addr(), 0)
		}
		if network == "udp" {
			return net.ListenUDP("udp4", &net.UDPAddr{IP: a, Port: int(where.Port())})
		}
		return net.ListenTCP("tcp4", &net.TCPAddr{IP: a, Port: int(where.Port())})
	}})
	for key, want := range map[string]string{
		"ip-10-0-0-5.ec2.internal": "10.0.0.5 ip-10-0-0-5.ec2.internal",
		"ip-10-0-0-6":              "10.0.0.6 ip-10-0-0-6.ec2.internal", // by the search domain
		"10.0.0.5":                 "10.0.0.5 ip-10-0-0-5.ec2.internal",
		"out.prod.local":           "192.0.2.7 www.example.com out.prod.local",
	} {
		out, err := exec.CommandContext(t.Context(), "getent", "hosts", key).CombinedOutput()
		if got := strings.Join(strings.Fields(string(out)), " "); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", key, got, err, want)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "getent", "hosts", "none.prod.local").CombinedOutput(); err == nil {
		t.Errorf("a name that is not there: %s", out)
	}
}

func loopbackUp(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		t.Fatal(err)
	}
}

// overResolvConf lays files over the machine's, in this namespace alone.
func overResolvConf(t *testing.T, text string) {
	t.Helper()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	for target, content := range map[string]string{"/etc/resolv.conf": text, "/etc/nsswitch.conf": "hosts: files dns\n"} {
		file := filepath.Join(t.TempDir(), filepath.Base(target))
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		real, err := filepath.EvalSymlinks(target)
		if err != nil {
			t.Skip(err)
		}
		if err := unix.Mount(file, real, "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
	}
}
