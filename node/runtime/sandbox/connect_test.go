package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// listening answers the calls to a task's sandbox, the first of which has files.
func listening(t *testing.T, c Config, fails string) (calls func() []string) {
	t.Helper()
	dir := filepath.Join(c.Path(task), c.Namespace)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	at, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = at.Close() }()
	path := fmt.Sprintf("/proc/self/fd/%d/runsc-%s.sock", at.Fd(), c.First(task)) // the whole is too long a name
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	out := make(chan string, 8)
	go func() {
		for {
			conn, err := l.AcceptUnix()
			if err != nil {
				return
			}
			serve(conn, fails, out)
		}
	}()
	return func() []string {
		var all []string
		for len(out) > 0 {
			all = append(all, <-out)
		}
		return all
	}
}

func serve(conn *net.UnixConn, fails string, out chan<- string) {
	defer func() { _ = conn.Close() }()
	buf, rights := make([]byte, 1<<16), make([]byte, 1<<10)
	for {
		n, r, _, _, err := conn.ReadMsgUnix(buf, rights)
		if err != nil || n == 0 {
			return
		}
		files := 0
		if messages, err := unix.ParseSocketControlMessage(rights[:r]); err == nil && len(messages) > 0 {
			fds, _ := unix.ParseUnixRights(&messages[0])
			files = len(fds)
			for _, fd := range fds {
				_ = unix.Close(fd)
			}
		}
		var call struct{ Method string }
		_ = json.Unmarshal(buf[:n], &call)
		out <- fmt.Sprint(call.Method, " ", files)
		answer := `{"success":true,"err":"","result":0}`
		if call.Method == fails {
			answer = `{"success":false,"err":"no","result":null}`
		}
		_, _ = conn.Write([]byte(answer))
	}
}

func device(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func one(t *testing.T) *Interface {
	t.Helper()
	return &Interface{
		Netns: "/run/x", Device: device(t), Name: "eth0", MAC: "0a:00:00:00:00:01", MTU: 9001,
		Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.1.7/24")}, Gateway: netip.MustParseAddr("10.0.1.1"),
	}
}

func TestConnect(t *testing.T) {
	c := Config{Dir: t.TempDir(), Namespace: "n"}
	calls := listening(t, c, "")
	i := one(t)
	for range 2 {
		if err := c.Connect(t.Context(), task, "host", i); err != nil {
			t.Fatal(err)
		}
		if _, err := i.Device.Stat(); err == nil {
			t.Error("the device is open")
		}
		i = one(t)
	}
	if got := calls(); !slices.Equal(got, []string{"Network.CreateLinksAndRoutes 1", "Proc.Exec 0"}) {
		t.Errorf("calls %v", got)
	}
	if !c.Connected(task) || c.HalfConnected(task) {
		t.Error("it is not noted")
	}
	if err := c.Disconnect(task); err != nil || c.Connected(task) {
		t.Error("disconnected:", err)
	}
}

// After a failure nobody connects: the sandbox may have got its network.
func TestConnectedHalf(t *testing.T) {
	for name, fails := range map[string]string{"network": "Network.CreateLinksAndRoutes", "name": "Proc.Exec"} {
		t.Run(name, func(t *testing.T) {
			c := Config{Dir: t.TempDir(), Namespace: "n"}
			listening(t, c, fails)
			if err := c.Connect(t.Context(), task, "host", nil); err == nil {
				t.Fatal("no error")
			}
			if err := c.Connect(context.Background(), task, "host", nil); !errors.Is(err, ErrHalfConnected) || c.Connected(task) {
				t.Error("again:", err)
			}
		})
	}
}

func TestLinks(t *testing.T) {
	got, err := linksOf(one(t))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(got.FDBasedLinks[0].Addresses)
	routes, _ := json.Marshal(got.FDBasedLinks[0].Routes[0].Destination)
	if string(text) != `[{"Address":"10.0.1.7","PrefixLen":24}]` || string(routes) != `{"IP":"10.0.1.0","Mask":"////AA=="}` ||
		got.Defaultv4Gateway.Name != "eth0" || got.Defaultv4Gateway.Route.Gateway.String() != "10.0.1.1" || len(got.LoopbackLinks) != 1 {
		t.Errorf("%s %s %+v", text, routes, got)
	}
	if got, err := linksOf(nil); err != nil || len(got.FDBasedLinks) > 0 || got.Defaultv4Gateway.Name != "" || len(got.LoopbackLinks) != 1 {
		t.Errorf("without: %+v %v", got, err)
	}
	if _, err := linksOf(&Interface{MAC: "x"}); err == nil {
		t.Error("a MAC of x")
	}
}

// TestCallsAreWritten writes down what gVisor is asked: a test of shim/ reads it with gVisor's own types.
func TestCallsAreWritten(t *testing.T) {
	l, err := linksOf(one(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, arg := range map[string]any{"links.json": l, "execution.json": naming("first", "host")} {
		want, err := json.MarshalIndent(arg, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		have, _ := os.ReadFile(path) // nothing is different too
		if string(have) == string(want)+"\n" {
			continue
		}
		t.Errorf("%s was not what is asked; it is now: look at it", path)
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, append(want, '\n'), 0o600)); err != nil {
			t.Error(err)
		}
	}
}
