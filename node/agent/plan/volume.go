package plan

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/node/runtime/spec"
	"github.com/berth-ecs/berth/session"
)

// Volume is a directory that must be there before a container of the task is made.
type Volume struct {
	Name string
	Path string
	// Make says that the directory is made when it is missing. A shared volume without autoprovision must be there.
	Make bool
	// Own says that the directory is removed with the task.
	Own bool
	// Shared says that it is a Docker volume that outlives its tasks.
	Shared bool
	// Of Docker volumes. With DriverOpts something is mounted at Path: type, device and o, as for the driver local.
	Labels, DriverOpts map[string]string
}

// Mounts is where the task's own volumes lie that something is mounted for. Nothing there is ever removed but empty directories.
func Mounts(dataDir, taskID string) string { return filepath.Join(dataDir, "mounts", taskID) }

// SharedVolumes is where the Docker volumes lie that outlive their tasks.
func SharedVolumes(dataDir string) string { return filepath.Join(dataDir, "volumes") }

var volumeName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// planVolumes decides where each volume lives and answers the paths by name.
func planVolumes(t *Task, in []session.Volume, dataDir string) (map[string]string, error) {
	paths := map[string]string{}
	for _, v := range in {
		if !volumeName.MatchString(v.Name) || paths[v.Name] != "" {
			return nil, fmt.Errorf("volume name %q: must be unique, of letters, digits, dots, dashes and underscores", v.Name)
		}
		out, err := planVolume(v, Dir(dataDir, t.ID), dataDir)
		if err != nil {
			return nil, fmt.Errorf("volume %q: %w", v.Name, err)
		}
		t.Volumes = append(t.Volumes, out)
		paths[v.Name] = out.Path
	}
	return paths, nil
}

func planVolume(v session.Volume, taskDir, dataDir string) (Volume, error) {
	own := Volume{Name: v.Name, Path: filepath.Join(taskDir, "volumes", v.Name), Make: true, Own: true}
	switch v.Type {
	case "", "host":
		if v.Docker != nil {
			return planDockerVolume(v, own, dataDir, taskDir)
		}
		if v.Host == nil || v.Host.SourcePath == "" {
			return own, nil
		}
		return hostVolume(v.Name, v.Host.SourcePath)
	case "docker":
		return planDockerVolume(v, own, dataDir, taskDir)
	}
	return Volume{}, fmt.Errorf("type %q: this node has host and docker volumes", v.Type)
}

// hostVolume is a directory of the machine; Docker makes one that is missing.
func hostVolume(name, path string) (Volume, error) {
	if !filepath.IsAbs(path) {
		return Volume{}, fmt.Errorf("host.sourcePath %q: must be absolute", path)
	}
	return Volume{Name: name, Path: filepath.Clean(path), Make: true}, nil
}

func planDockerVolume(v session.Volume, own Volume, dataDir, taskDir string) (Volume, error) {
	d := v.Docker
	switch {
	case d == nil:
		return own, nil
	case d.Driver != "" && d.Driver != "local":
		return Volume{}, fmt.Errorf("dockerVolumeConfiguration.driver %q: this node has the local driver", d.Driver)
	case d.Scope == "" || d.Scope == "task":
		own.Labels, own.DriverOpts = d.Labels, d.DriverOpts
		if len(d.DriverOpts) > 0 {
			own.Path = filepath.Join(Mounts(dataDir, filepath.Base(taskDir)), v.Name)
		}
		return own, checkDriverOpts(d.DriverOpts)
	case d.Scope != "shared":
		return Volume{}, fmt.Errorf("dockerVolumeConfiguration.scope %q: must be task or shared", d.Scope)
	}
	return Volume{
		Name: v.Name, Path: filepath.Join(SharedVolumes(dataDir), v.Name), Make: d.Autoprovision, Shared: true,
		Labels: d.Labels, DriverOpts: d.DriverOpts,
	}, checkDriverOpts(d.DriverOpts)
}

// checkDriverOpts: the sentences are those of Docker's driver.
func checkDriverOpts(opts map[string]string) error {
	if len(opts) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(opts)) {
		if name != "type" && name != "o" && name != "device" {
			return fmt.Errorf("dockerVolumeConfiguration.driverOpts: invalid option: %q", name)
		}
	}
	for _, name := range []string{"device", "type"} {
		if opts[name] == "" {
			return fmt.Errorf("dockerVolumeConfiguration.driverOpts: missing required option: %q", name)
		}
	}
	return nil
}

// mounts turns mount points, binds and tmpfs into the container's mounts, sorted by target so that none hides another.
func (b *builder) mounts(c *Container) error {
	for _, m := range b.in.MountPoints {
		source, ok := b.volumes[m.SourceVolume]
		if !ok {
			return fmt.Errorf("mountPoints sourceVolume %q: the task has no such volume", m.SourceVolume)
		}
		c.Mounts = append(c.Mounts, spec.Mount{Source: source, Target: m.ContainerPath, ReadOnly: m.ReadOnly})
	}
	for _, bind := range b.host.Binds {
		m, err := b.bind(bind)
		if err != nil {
			return err
		}
		c.Mounts = append(c.Mounts, m)
	}
	for _, target := range slices.Sorted(maps.Keys(b.host.Tmpfs)) {
		m := spec.Mount{Target: target, Tmpfs: true}
		if o := b.host.Tmpfs[target]; o != "" {
			m.Options = strings.Split(o, ",")
		}
		c.Mounts = append(c.Mounts, m)
	}
	return checkMounts(c)
}

// bind reads Docker's SOURCE:TARGET[:ro|rw].
func (b *builder) bind(s string) (spec.Mount, error) {
	f := strings.Split(s, ":")
	if len(f) < 2 || len(f) > 3 || !filepath.IsAbs(f[0]) {
		return spec.Mount{}, fmt.Errorf("hostConfig.Binds %q: must be /SOURCE:/TARGET or /SOURCE:/TARGET:ro", s)
	}
	m := spec.Mount{Source: filepath.Clean(f[0]), Target: f[1]}
	if len(f) == 3 {
		switch f[2] {
		case "ro":
			m.ReadOnly = true
		case "rw", "z", "Z":
		default:
			return spec.Mount{}, fmt.Errorf("hostConfig.Binds %q: option %q must be ro or rw", s, f[2])
		}
	}
	v, err := hostVolume("", m.Source)
	if err == nil && !slices.ContainsFunc(b.task.Volumes, func(o Volume) bool { return o.Name == "" && o.Path == v.Path }) {
		b.task.Volumes = append(b.task.Volumes, v)
	}
	return m, err
}

func checkMounts(c *Container) error {
	seen := map[string]bool{}
	for i := range c.Mounts {
		m := &c.Mounts[i]
		if !filepath.IsAbs(m.Target) || filepath.Clean(m.Target) == "/" {
			return fmt.Errorf("mount target %q: must be an absolute path below /", m.Target)
		}
		m.Target = filepath.Clean(m.Target)
		if seen[m.Target] {
			return fmt.Errorf("mount target %q: is used twice", m.Target)
		}
		seen[m.Target] = true
	}
	sortMounts(c.Mounts)
	return nil
}

func sortMounts(m []spec.Mount) {
	slices.SortStableFunc(m, func(a, b spec.Mount) int { return strings.Compare(a.Target, b.Target) })
}

// inherits lets a container wait for those whose volumes it mounts.
func (b *builder) inherits(c *Container) error {
	for _, v := range b.in.VolumesFrom {
		on := slices.IndexFunc(b.all, func(o session.Container) bool { return o.Name == v.SourceContainer })
		if on < 0 || b.all[on].Name == c.Name {
			return fmt.Errorf("volumesFrom %q: the task has no such other container", v.SourceContainer)
		}
		c.DependsOn = append(c.DependsOn, Dependency{On: on, Condition: created})
	}
	return nil
}

// volumesFrom gives containers what others mount. What a container mounts itself wins.
func (t *Task) volumesFrom(in []session.Container) {
	own := make([][]spec.Mount, len(t.Containers))
	for i, c := range t.Containers {
		own[i] = c.Mounts
	}
	for i, c := range in {
		for _, v := range c.VolumesFrom {
			t.Containers[i].inherit(own[t.Index(v.SourceContainer)], v.ReadOnly)
		}
	}
}

func (c *Container) inherit(from []spec.Mount, readOnly bool) {
	mounts := slices.Clone(c.Mounts)
	for _, m := range from {
		if m.Tmpfs || slices.ContainsFunc(mounts, func(o spec.Mount) bool { return o.Target == m.Target }) {
			continue
		}
		m.ReadOnly = m.ReadOnly || readOnly
		mounts = append(mounts, m)
	}
	sortMounts(mounts)
	c.Mounts = mounts
}
