package inventory

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Options say which installation to look at.
type Options struct {
	Name    string // required: the installation
	RunDir  string // optional: default /run/<Name>
	DataDir string // optional: default /var/lib/<Name>
	Ctr     string // optional: default /opt/berth/bin/ctr
	Socket  string // optional: default RunDir/containerd.sock
	Nft     string // optional: default nft, by PATH
}

func (o Options) filled() Options {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&o.RunDir, "/run/"+o.Name)
	set(&o.DataDir, "/var/lib/"+o.Name)
	set(&o.Ctr, "/opt/berth/bin/ctr")
	set(&o.Socket, filepath.Join(o.RunDir, "containerd.sock"))
	set(&o.Nft, "nft")
	o.RunDir, o.DataDir = resolved(o.RunDir), resolved(o.DataDir)
	return o
}

// resolved is how the kernel names a directory; one that is gone keeps the name it was given.
func resolved(dir string) string {
	if path, err := filepath.EvalSymlinks(dir); err == nil {
		return path
	}
	return filepath.Clean(dir)
}

// below tells whether a path is one of the installation's directories or under it.
func (o Options) below(path string) bool {
	for _, dir := range []string{o.RunDir, o.DataDir} {
		if path == dir || strings.HasPrefix(path, dir+"/") {
			return true
		}
	}
	return false
}

// Take reads everything. It runs as root.
func Take(ctx context.Context, o Options) (Inventory, error) {
	if o.Name == "" {
		return Inventory{}, errors.New("inventory: Name: is required")
	}
	if os.Getuid() != 0 {
		return Inventory{}, errors.New("inventory: needs root: namespaces, rules and other users' processes are read")
	}
	o = o.filled()
	var v Inventory
	v.takeMounts(o)
	v.takeStorage(o)
	v.takeStates(o)
	v.takeLinks(o)
	v.takeRoutes(o)
	v.takeRouters(o)
	v.takeRules(ctx, o)
	v.takeCgroups(o)
	v.takeProcesses(o)
	v.takeContainerd(ctx, o)
	v.sort()
	return v, nil
}
