package spec

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Device is a device of this machine that a container gets, or a directory of them.
type Device struct {
	HostPath, Path string
	Access         string // of r, w and m
}

// Find reads devices from the machine: what the container's /dev is to have, and
// what it may do with it. The node keeps its owner and mode, as with Docker.
func Find(wanted []Device) (nodes []specs.LinuxDevice, rules []specs.LinuxDeviceCgroup, err error) {
	for _, w := range wanted {
		if strings.Trim(w.Access, "rwm") != "" || w.Access == "" {
			return nil, nil, fmt.Errorf("linuxParameters.devices: %q: permissions must be of r, w and m", w.Access)
		}
		found, err := find(w)
		if err != nil {
			return nil, nil, fmt.Errorf("error gathering device information while adding custom device %q: %w", w.HostPath, err)
		}
		for _, d := range found {
			nodes = append(nodes, d)
			rules = append(rules, specs.LinuxDeviceCgroup{Allow: true, Type: d.Type, Major: &d.Major, Minor: &d.Minor, Access: w.Access})
		}
	}
	return nodes, rules, nil
}

func find(w Device) ([]specs.LinuxDevice, error) {
	real, err := filepath.EvalSymlinks(w.HostPath) // /dev/disk/by-id and the like
	if err != nil {
		return nil, err
	}
	if d, ok := device(real); ok {
		d.Path = w.Path
		return []specs.LinuxDevice{d}, nil
	}
	below, err := HostDevices(real)
	if err != nil {
		return nil, err
	}
	if len(below) == 0 {
		return nil, errors.New("not a device node")
	}
	for i := range below {
		below[i].Path = filepath.Join(w.Path, strings.TrimPrefix(below[i].Path, real))
	}
	return below, nil
}
