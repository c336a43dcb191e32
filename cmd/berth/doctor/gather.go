package doctor

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/node/proxy/fetch"
	"github.com/berth-ecs/berth/node/runtime"
)

// Gather looks at this machine. The caller knows whether the installation's region runs.
func Gather(ctx context.Context, s config.Settings, running bool) Facts {
	f := Facts{
		Settings: s, Root: os.Geteuid() == 0, Running: running,
		Kernel: strings.TrimSpace(read("/proc/sys/kernel/osrelease")), Filesystems: read("/proc/filesystems"), Routes: read("/proc/net/route"),
		ProcCgroup: read("/proc/self/cgroup"), Mounts: read("/proc/self/mounts"),
		Tools: map[string]Tool{},
	}
	f.KernelConfig = kernelConfig(f.Kernel)
	for _, name := range slices.Concat(requiredTools, []string{enter}, sandboxTools) {
		f.Tools[name] = tool(ctx, s, name)
	}
	if !running {
		f.PortError = listen(ctx, s.Listen)
		if s.AgentListen != "" {
			f.AgentError = listen(ctx, s.AgentListen)
		}
	}
	f.Drops, f.DropsErr = Drops(ctx, s.Name)
	f.DiskFree, f.DiskSize, f.DiskErr = free(s.DataDir)
	f.StorageErr = runtime.CanStore()
	e, err := fetch.In(ctx, s.BinDir)
	f.Proxy, f.ProxyErr = e.Version, err
	return f
}

// read returns "" for what cannot be read: the checks treat that as not known.
func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

// kernelConfig reads the configuration where kernels leave it.
func kernelConfig(release string) map[string]bool {
	if packed, err := os.ReadFile("/proc/config.gz"); err == nil {
		if r, err := gzip.NewReader(bytes.NewReader(packed)); err == nil {
			return parseKernelConfig(r)
		}
	}
	if plain, err := os.ReadFile("/boot/config-" + release); err == nil {
		return parseKernelConfig(bytes.NewReader(plain))
	}
	return nil
}

func parseKernelConfig(r io.Reader) map[string]bool {
	options := map[string]bool{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), "=")
		if ok && (value == "y" || value == "m") {
			options[name] = true
		}
	}
	if lines.Err() != nil {
		return nil
	}
	return options
}

var versionRule = regexp.MustCompile(`\b[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?`)

// find finds a program where the node looks, which is nowhere but in bin-dir: make install links there what the machine has itself.
func find(s config.Settings, name string) (path string, ok bool) {
	path = s.Tool(name)
	_, err := os.Stat(path)
	return path, err == nil
}

func tool(ctx context.Context, s config.Settings, name string) Tool {
	path, ok := find(s, name)
	if !ok {
		return Tool{}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	flag := "--version"
	if name == shim {
		flag = "-v"
	}
	out, err := exec.CommandContext(ctx, path, flag).Output()
	if err != nil {
		return Tool{Path: path}
	}
	return Tool{Path: path, Version: versionRule.FindString(string(out))}
}

func listen(ctx context.Context, address string) error {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}

// free returns what is left under path or, before it exists, under the nearest parent that does.
func free(path string) (free uint64, size int64, err error) {
	for {
		var st unix.Statfs_t
		err := unix.Statfs(path, &st)
		if err == nil {
			return st.Bavail * uint64(st.Bsize), int64(st.Blocks) * st.Frsize, nil
		}
		if !errors.Is(err, unix.ENOENT) || path == filepath.Dir(path) {
			return 0, 0, err
		}
		path = filepath.Dir(path)
	}
}
