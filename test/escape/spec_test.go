package escape

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

// document is a container's specification, as its runtime reads it.
type document map[string]any

// at answers what lies below keys; nil for nothing.
func (d document) at(keys ...string) any {
	var v any = map[string]any(d)
	for _, k := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

// part is the object at a key of the top.
func (d document) part(key string) map[string]any {
	m, ok := d[key].(map[string]any)
	if !ok {
		m = map[string]any{}
		d[key] = m
	}
	return m
}

func (d document) clone(t *testing.T) document {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var out document
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// protection is one that a container has, by the name that the page has for it.
type protection string

const (
	capabilities protection = "capabilities"
	seccomp      protection = "seccomp"
	noNewRights  protection = "no new privileges"
	devices      protection = "device rules"
	kernelPaths  protection = "masked and read-only paths of /proc and /sys"
	readOnlySys  protection = "/sys mounted read-only"
	processes    protection = "process namespace"
	network      protection = "network namespace"
	otherNetwork protection = "the other task's network namespace"
	ipc          protection = "IPC namespace"
	files        protection = "root file system of its own"
	rootChange   protection = "the change of the root by pivot_root"
	descriptors  protection = "no open descriptors"
	limit        protection = "limit of processes"
	link         protection = "rules of the task's interface"
)

// without takes protections of the real container away.
func (c *control) without(d document, gone []protection) {
	for _, p := range gone {
		take, ok := takings[p]
		if ok {
			take(c, d)
		}
	}
}

// takings say how each protection is taken away. What is not here is no matter of the specification.
var takings = map[protection]func(*control, document){
	capabilities: func(c *control, d document) {
		all := map[string]any{}
		for _, set := range []string{"bounding", "effective", "permitted", "inheritable"} {
			all[set] = c.every
		}
		d.part("process")["capabilities"] = all
	},
	seccomp:     func(_ *control, d document) { delete(d.part("linux"), "seccomp") },
	noNewRights: func(_ *control, d document) { d.part("process")["noNewPrivileges"] = false },
	devices: func(_ *control, d document) {
		d.part("linux")["resources"] = map[string]any{"devices": []any{map[string]any{"allow": true, "access": "rwm"}}}
	},
	kernelPaths: func(_ *control, d document) {
		delete(d.part("linux"), "maskedPaths")
		delete(d.part("linux"), "readonlyPaths")
	},
	readOnlySys: func(_ *control, d document) {
		for _, m := range d["mounts"].([]any) {
			mount := m.(map[string]any)
			if options, ok := mount["options"].([]any); ok && (mount["destination"] == "/sys" || mount["destination"] == "/sys/fs/cgroup") {
				mount["options"] = slices.DeleteFunc(options, func(o any) bool { return o == "ro" })
			}
		}
	},
	processes:    func(_ *control, d document) { d.namespace("pid", "") },
	network:      func(_ *control, d document) { d.namespace("network", "") },
	otherNetwork: func(c *control, d document) { d.namespace("network", c.victimNetns) },
	link:         func(c *control, d document) { d.namespace("network", c.instanceNetns) },
	ipc:          func(c *control, d document) { d.namespace("ipc", c.victimIPC) },
	files: func(_ *control, d document) {
		d["mounts"] = append(d["mounts"].([]any), map[string]any{
			"destination": "/machine", "type": "bind", "source": "/", "options": []any{"rbind", "rprivate", "ro"},
		})
	},
}

// fresh is a namespace of a container's own.
const fresh = "fresh"

// namespace has a container be in another one of a kind; "" is the machine's.
func (d document) namespace(kind, path string) {
	linux := d.part("linux")
	list := slices.DeleteFunc(linux["namespaces"].([]any), func(n any) bool { return n.(map[string]any)["type"] == kind })
	switch path {
	case "":
	case fresh:
		list = append(list, map[string]any{"type": kind})
	default:
		list = append(list, map[string]any{"type": kind, "path": path})
	}
	linux["namespaces"] = list
}

// everything that can be taken away at once.
func everything() []protection {
	out := slices.Collect(maps.Keys(takings))
	return slices.DeleteFunc(out, func(p protection) bool { return p == otherNetwork || p == link })
}
