package enter

import (
	"errors"
	"fmt"
	"slices"

	"github.com/elastic/go-seccomp-bpf/arch"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-ecs/berth/node/runtime/spec"
)

// RightsOf are those of a container's first process, but for the limits that it inherited. An error says what of them this
// package does not know how to give.
func RightsOf(s *specs.Spec) (*Rights, error) {
	p := s.Process
	switch {
	case p.ApparmorProfile != "" || p.SelinuxLabel != "" || p.Scheduler != nil || p.IOPriority != nil:
		return nil, errors.New("its process has a security module's label, or a scheduler")
	case slices.ContainsFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool {
		return n.Type == specs.UserNamespace || n.Type == specs.TimeNamespace
	}):
		return nil, errors.New("it has namespaces of users or time")
	case p.Capabilities == nil || len(p.Capabilities.Ambient)+len(p.Capabilities.Inheritable) > 0:
		return nil, errors.New("its capabilities are inherited")
	}
	native, err := arch.GetInfo("")
	if err != nil {
		return nil, err
	}
	out := &Rights{
		Env: p.Env, Cwd: p.Cwd, UID: p.User.UID, GID: p.User.GID, Groups: p.User.AdditionalGids, Umask: 0o022, NoNewPrivs: p.NoNewPrivileges,
	}
	if p.User.Umask != nil {
		out.Umask = *p.User.Umask
	}
	out.Capabilities = spec.Bits(p.Capabilities.Bounding)
	if out.Filter, err = Filter(s.Linux.Seccomp, native, spec.NativeArch()); err != nil {
		return nil, err
	}
	for _, l := range p.Rlimits {
		n, ok := spec.Resource(l.Type)
		if !ok {
			return nil, fmt.Errorf("limit %s", l.Type)
		}
		out.Limits = append(out.Limits, Limit{Resource: n, Soft: l.Soft, Hard: l.Hard})
	}
	return out, nil
}
