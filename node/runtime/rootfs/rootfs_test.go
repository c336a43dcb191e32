package rootfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/spec"
)

// tree writes files below a new directory; "-> x" is a link, "dir/" a directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch target, link := strings.CutPrefix(body, "-> "); {
		case link:
			err = os.Symlink(target, p)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(p, 0o755)
		default:
			err = os.WriteFile(p, []byte(body), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadFileSeesWhatTheContainerSees(t *testing.T) {
	t.Parallel()
	secret := tree(t, map[string]string{"secret": "host"})
	top := tree(t, map[string]string{
		"etc/passwd": "upper", "abs": "-> /etc/passwd", "up": "-> ../../../../etc/passwd", "loop": "-> loop", "dir": "-> usr/share",
		"escape": "-> " + secret + "/secret", "etc/rel": "-> ../usr/share/x", "plain": "file", "hidden/": "",
	})
	low := tree(t, map[string]string{"etc/passwd": "lower", "etc/group": "lowgroup", "usr/share/x": "shared", "plain/x": "behind a file", "hidden/x": "seen"})
	l := Layers{top, low}
	for path, want := range map[string]string{
		"/etc/passwd": "upper", "/etc/group": "lowgroup", "/abs": "upper", "/up": "upper", "/dir/x": "shared", "/etc/rel": "shared",
		"/etc/../etc/passwd": "upper", "/hidden/x": "seen",
	} {
		got, err := l.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
	for _, path := range []string{"/none", "/loop", "/escape", "/etc", "/plain/x", "/etc/passwd/x"} {
		if got, err := l.ReadFile(path); err == nil {
			t.Errorf("%s: %q", path, got)
		}
	}
}

func TestWhiteoutsAndOpaqueDirectories(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	top, low := tree(t, map[string]string{"opaque/new": "new"}), tree(t, map[string]string{"gone": "x", "opaque/old": "x"})
	if err := unix.Mknod(filepath.Join(top, "gone"), unix.S_IFCHR, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setxattr(filepath.Join(top, "opaque"), "trusted.overlay.opaque", []byte("y"), 0); err != nil {
		t.Skip("no trusted attributes here:", err)
	}
	l := Layers{top, low}
	for path, ok := range map[string]bool{"/gone": false, "/opaque/old": false, "/opaque/new": true} {
		if _, err := l.ReadFile(path); (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestUserFollowsDocker(t *testing.T) {
	t.Parallel()
	l := Layers{tree(t, map[string]string{
		"etc/passwd": "root:x:0:0::/root:/bin/sh\n# note\napp:x:1000:1001::/:/bin/sh\n",
		"etc/group":  "root:x:0:\nwheel:x:10:root,app\nstaff:x:50:app\napp:x:1001:\n",
	})}
	for user, want := range map[string]spec.User{
		"":          {Groups: []uint32{10}},
		"root":      {Groups: []uint32{10}},
		"app":       {UID: 1000, GID: 1001, Groups: []uint32{10, 50}},
		"1000":      {UID: 1000, GID: 1001, Groups: []uint32{10, 50}},
		"app:staff": {UID: 1000, GID: 50},
		"app:7":     {UID: 1000, GID: 7},
		"4242":      {UID: 4242},
		"4242:4243": {UID: 4242, GID: 4243},
	} {
		got, err := l.User(user)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%q: %v %s", user, err, d)
		}
	}
	for _, user := range []string{"nobody", "app:none", "-1", "4294967296"} {
		if got, err := l.User(user); err == nil {
			t.Errorf("%q: %+v", user, got)
		}
	}
	empty := Layers{t.TempDir()}
	if got, err := empty.User("root"); err != nil || got.UID != 0 {
		t.Errorf("root without files: %+v %v", got, err)
	}
}

func TestHas32Bit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want bool
	}{"32": {"\x7fELF\x01...", true}, "64": {"\x7fELF\x02...", false}, "script": {"#!/bin/sh", false}, "short": {"\x7fEL", false}} {
		got, err := Layers{tree(t, map[string]string{"bin/x": c.body})}.Has32Bit()
		if err != nil || got != c.want {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}
