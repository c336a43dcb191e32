package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/node/runtime/spec"
)

// config is what this node honours of the Docker Engine API's Config.
type config struct {
	User            string
	Hostname        string
	WorkingDir      string
	Image           string
	Env             []string
	Cmd             []string
	Entrypoint      []string
	Labels          map[string]string
	Healthcheck     *healthcheck
	StopSignal      string
	StopTimeout     *int // seconds
	NetworkDisabled bool
	Tty, OpenStdin  bool
}

// healthcheck is Docker's HealthConfig; durations are nanoseconds.
type healthcheck struct {
	Test          []string
	Interval      time.Duration
	Timeout       time.Duration
	StartPeriod   time.Duration
	StartInterval time.Duration
	Retries       int
}

// hostConfig is what this node honours of HostConfig. The names are Docker's.
type hostConfig struct {
	NetworkMode       string
	Privileged        bool
	ReadonlyRootfs    bool
	CapAdd, CapDrop   []string
	Dns               []string
	DnsSearch         []string
	DnsOptions        []string
	ExtraHosts        []string
	SecurityOpt       []string
	Sysctls           map[string]string
	Tmpfs             map[string]string
	Binds             []string
	Ulimits           []ulimit
	LogConfig         logConfig
	Devices           []device
	Init              bool
	ShmSize           int64 // bytes
	MemorySwap        int64 // bytes, the memory included; -1: no limit
	MemorySwappiness  *int64
	Memory            int64 // bytes
	MemoryReservation int64 // bytes
	CpuShares         int64
}

// device is Docker's DeviceMapping.
type device struct {
	PathOnHost, PathInContainer, CgroupPermissions string
}

type ulimit struct {
	Name       string
	Soft, Hard int64
}

// limit turns Docker's -1 into the kernel's "unlimited".
func (u ulimit) limit() spec.Ulimit {
	value := func(n int64) uint64 {
		if n < 0 {
			return math.MaxUint64
		}
		return uint64(n)
	}
	return spec.Ulimit{Name: u.Name, Soft: value(u.Soft), Hard: value(u.Hard)}
}

type logConfig struct {
	Type   string
	Config map[string]string
}

// Members that say nothing this node could do otherwise: streams always go to the log, ports come from portMappings.
var (
	inertConfig     = []string{"AttachStdin", "AttachStdout", "AttachStderr", "ExposedPorts"}
	inertHostConfig = []string{"ConsoleSize"}
)

// decode reads one of the two documents. A member it does not know is refused unless it has no value.
func decode(where, doc string, into any, inert []string) error {
	if doc == "" {
		return nil
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(doc), &members); err != nil {
		return fmt.Errorf("%s: must be a JSON object: %w", where, err)
	}
	known := fields(reflect.TypeOf(into).Elem())
	for _, name := range slices.Sorted(maps.Keys(members)) {
		match := func(s string) bool { return strings.EqualFold(s, name) }
		if !slices.ContainsFunc(known, match) && !slices.ContainsFunc(inert, match) && !void(members[name]) {
			return fmt.Errorf("%s: this node cannot do what it asks for", where+"."+name)
		}
	}
	if err := json.Unmarshal([]byte(doc), into); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}

func fields(t reflect.Type) []string {
	var out []string
	for field := range t.Fields() {
		out = append(out, field.Name)
	}
	return out
}

// void says whether a JSON value is a zero value all the way down.
func void(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case float64:
		return v == 0
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, e := range v {
			if !void(e) {
				return false
			}
		}
		return true
	}
	return false
}
