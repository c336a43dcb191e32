package escape

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/escape/aim"
	"github.com/berth-ecs/berth/test/images"
)

// machine is what of the machine attempts try to reach, and what they are made with.
type machine struct {
	token  string
	aim    aim.Aim
	image  images.Spec
	bin    string // the program
	root   string // of controls
	kernel string // its boot id
}

// newMachine makes it.
func newMachine(t *testing.T) machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	var b [6]byte
	_, _ = rand.Read(b[:])
	dir := t.TempDir()
	m := machine{token: hex.EncodeToString(b[:]), kernel: aim.Kernel(), bin: filepath.Join(dir, "attempt")}
	m.aim.Token, m.aim.Secret = "berth-escape-"+m.token, filepath.Join(dir, "secret")
	for _, name := range []string{m.aim.Secret, "/dev/kmsg"} {
		if err := os.WriteFile(name, []byte(m.aim.Token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m.aim.Abstract = m.aim.Token
	serveToken(t, m.aim)
	m.disk(t, filepath.Join(dir, "disk"))
	m.build(t)
	return m
}

// serveToken has an abstract socket of the machine answer the token.
func serveToken(t *testing.T, a aim.Aim) {
	t.Helper()
	l, err := net.Listen("unix", "@"+a.Abstract)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(a.Token))
			_ = c.Close()
		}
	}()
}

// disk makes one of the machine's, with the token at its beginning.
func (m *machine) disk(t *testing.T, name string) {
	t.Helper()
	body := make([]byte, 1<<20)
	copy(body, m.aim.Token)
	if err := os.WriteFile(name, body, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "losetup", "--find", "--show", "--read-only", name).Output()
	if err != nil {
		t.Fatalf("losetup: %v", err)
	}
	device := strings.TrimSpace(string(out))
	t.Cleanup(func() { _ = exec.Command("losetup", "--detach", device).Run() })
	var st unix.Stat_t
	if err := unix.Stat(device, &st); err != nil {
		t.Fatal(err)
	}
	m.aim.Disk = [2]uint32{unix.Major(st.Rdev), unix.Minor(st.Rdev)}
}

// build makes the program and its image, and checks that it makes the attempts that have rows.
func (m *machine) build(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", m.bin, "./attempt")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build ./attempt: %v\n%s", err, out)
	}
	text, err := exec.CommandContext(t.Context(), m.bin, "names").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := append(apartFrom(crowd), crowd)
	slices.Sort(names)
	if d := gocmp.Diff(names, strings.Split(strings.TrimSpace(string(text)), "\n")); d != "" {
		t.Fatalf("rows and attempts differ:\n%s", d)
	}
	if m.image, err = images.Program(m.bin, v1.Config{}); err != nil {
		t.Fatal(err)
	}
	m.image.Layers[0] = append(m.image.Layers[0], images.File{Path: "/tmp/", Mode: 0o1777})
	m.root = filesOf(t, m.bin)
}

// instance makes a network namespace in which 169.254.169.254 answers, as it does on an instance.
func (m *machine) instance(t *testing.T) (netns string) {
	t.Helper()
	name := "te" + m.token[:8]
	ip(t, "netns", "add", name)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", name).Run() })
	ip(t, "-n", name, "link", "set", "lo", "up")
	ip(t, "-n", name, "address", "add", "169.254.169.254/32", "dev", "lo")
	listening := make(chan net.Listener)
	go func() { // its thread ends with it
		runtime.LockOSThread()
		defer close(listening)
		fd, err := unix.Open("/run/netns/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil || unix.Setns(fd, unix.CLONE_NEWNET) != nil {
			return
		}
		if l, err := net.Listen("tcp", "169.254.169.254:80"); err == nil {
			listening <- l
		}
	}()
	l, ok := <-listening
	if !ok {
		t.Fatal("nothing listens in the namespace")
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ami-id")) }))
	}()
	return "/run/netns/" + name
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}
