package enter

import (
	"fmt"
	"slices"

	"github.com/elastic/go-seccomp-bpf/arch"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What a filter answers, and where it finds what it judges (struct seccomp_data).
const (
	retAllow = 0x7fff0000
	retErrno = 0x00050000
	retKill  = 0x80000000

	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16

	x32Bit = 0x40000000
)

// rule is an action on calls whose arguments fit.
type rule struct {
	args   []specs.LinuxSeccompArg
	action uint32
}

// Filter compiles a seccomp profile for one architecture into what the kernel takes. nil is no filter. What it does not
// know it refuses: a filter that is almost right would be a hole.
func Filter(s *specs.LinuxSeccomp, native *arch.Info, name specs.Arch) ([]unix.SockFilter, error) {
	if s == nil {
		return nil, nil
	}
	if len(s.Flags) > 0 || s.ListenerPath != "" || len(s.Architectures) != 1 || s.Architectures[0] != name {
		return nil, fmt.Errorf("seccomp: flags %v, architectures %v", s.Flags, s.Architectures)
	}
	byDefault, err := action(s.DefaultAction, s.DefaultErrnoRet)
	if err != nil {
		return nil, err
	}
	rules, err := rulesOf(s, native)
	if err != nil {
		return nil, err
	}
	p := []unix.SockFilter{
		load(offsetArch), jump(unix.BPF_JEQ, uint32(native.ID), 1, 0), ret(retKill),
		load(offsetNumber), jump(unix.BPF_JGE, x32Bit, 0, 1), ret(byDefault),
	}
	numbers := make([]int, 0, len(rules))
	for n := range rules {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	next := 0 // the first number that is not judged yet
	for i := 0; i < len(numbers); {
		n := numbers[i]
		if n > next {
			p = append(p, jump(unix.BPF_JGE, uint32(n), 1, 0), ret(byDefault))
		}
		last := i // of the calls that have the same plain answer
		for plain(rules[n]) && last+1 < len(numbers) && numbers[last+1] == numbers[last]+1 && same(rules[n], rules[numbers[last+1]]) {
			last++
		}
		body, err := block(rules[n], byDefault)
		if err != nil {
			return nil, err
		}
		next, i = numbers[last]+1, last+1
		p = append(append(p, jump(unix.BPF_JGE, uint32(next), uint8(len(body)), 0)), body...)
	}
	// As runc does: a call that is newer than the profile does not exist, so that programs try an older one.
	return append(p, ret(retErrno|uint32(unix.ENOSYS))), nil
}

// rulesOf sorts the profile by number. A rule for all arguments makes the others of its call superfluous.
func rulesOf(s *specs.LinuxSeccomp, native *arch.Info) (map[int][]rule, error) {
	out := map[int][]rule{}
	for _, c := range s.Syscalls {
		a, err := action(c.Action, c.ErrnoRet)
		if err != nil {
			return nil, err
		}
		for _, name := range c.Names {
			n, known := native.SyscallNames[name]
			switch {
			case !known: // of another architecture
			case plain(out[n]):
				if len(c.Args) == 0 && out[n][0].action != a {
					return nil, fmt.Errorf("seccomp: two answers to %s", name)
				}
			case len(c.Args) == 0:
				out[n] = []rule{{action: a}}
			default:
				out[n] = append(out[n], rule{c.Args, a})
			}
		}
	}
	return out, nil
}

func plain(r []rule) bool   { return len(r) == 1 && len(r[0].args) == 0 }
func same(a, b []rule) bool { return plain(a) && plain(b) && a[0].action == b[0].action }

func action(a specs.LinuxSeccompAction, errno *uint) (uint32, error) {
	switch a { //nolint:exhaustive // the others need somebody to talk to
	case specs.ActAllow:
		return retAllow, nil
	case specs.ActErrno:
		if errno == nil {
			return retErrno | uint32(unix.EPERM), nil
		}
		return retErrno | uint32(*errno&0xffff), nil
	case specs.ActKillProcess:
		return retKill, nil
	}
	return 0, fmt.Errorf("seccomp: action %s", a)
}

// block judges one call: the first rule that fits answers.
func block(rules []rule, byDefault uint32) ([]unix.SockFilter, error) {
	var p []unix.SockFilter
	for _, r := range rules {
		body, err := judge(r)
		if err != nil {
			return nil, err
		}
		p = append(p, body...)
	}
	if !plain(rules) {
		p = append(p, ret(byDefault))
	}
	if len(p) > 255 {
		return nil, fmt.Errorf("seccomp: a call has too many rules: %d instructions", len(p))
	}
	return p, nil
}

// Where a step's jumps lead beside the next step.
const (
	onward = 0
	pass   = -1 // the condition holds
	miss   = -2 // the rule does not fit
)

// step is an instruction whose jumps are not numbers yet.
type step struct {
	unix.SockFilter
	yes, no int
}

// judge answers when every argument fits, and goes on behind itself otherwise.
func judge(r rule) ([]unix.SockFilter, error) {
	var conditions [][]step
	size := 1 // of the answer
	for _, a := range r.args {
		c, err := condition(a)
		if err != nil {
			return nil, err
		}
		conditions, size = append(conditions, c), size+len(c)
	}
	var p []unix.SockFilter
	for _, c := range conditions {
		end := len(p) + len(c)
		for _, s := range c {
			to := map[int]int{onward: 0, pass: end - len(p) - 1, miss: size - len(p) - 1}
			if s.Code&7 == unix.BPF_JMP {
				s.Jt, s.Jf = uint8(to[s.yes]), uint8(to[s.no])
			}
			p = append(p, s.SockFilter)
		}
	}
	return append(p, ret(r.action)), nil
}

// condition compares one argument, which is two words: the machine is little endian, the low one comes first.
func condition(a specs.LinuxSeccompArg) ([]step, error) {
	if a.Index > 5 {
		return nil, fmt.Errorf("seccomp: argument %d", a.Index)
	}
	high, low := uint32(a.Value>>32), uint32(a.Value)
	loadLow := step{SockFilter: load(uint32(offsetArgs + 8*a.Index))}
	loadHigh := step{SockFilter: load(uint32(offsetArgs + 8*a.Index + 4))}
	is := func(how uint16, k uint32, yes, no int) step { return step{jump(how, k, 0, 0), yes, no} }
	// The high words decide, unless they are equal.
	above := []step{loadHigh, is(unix.BPF_JGT, high, pass, onward), is(unix.BPF_JEQ, high, onward, miss), loadLow}
	below := []step{loadHigh, is(unix.BPF_JGT, high, miss, onward), is(unix.BPF_JEQ, high, onward, pass), loadLow}
	switch a.Op {
	case specs.OpEqualTo:
		return []step{loadHigh, is(unix.BPF_JEQ, high, onward, miss), loadLow, is(unix.BPF_JEQ, low, onward, miss)}, nil
	case specs.OpNotEqual:
		return []step{loadHigh, is(unix.BPF_JEQ, high, onward, pass), loadLow, is(unix.BPF_JEQ, low, miss, onward)}, nil
	case specs.OpMaskedEqual:
		return []step{
			loadHigh, {SockFilter: and(high)}, is(unix.BPF_JEQ, uint32(a.ValueTwo>>32), onward, miss),
			loadLow, {SockFilter: and(low)}, is(unix.BPF_JEQ, uint32(a.ValueTwo), onward, miss),
		}, nil
	case specs.OpGreaterThan:
		return append(above, is(unix.BPF_JGT, low, onward, miss)), nil
	case specs.OpGreaterEqual:
		return append(above, is(unix.BPF_JGE, low, onward, miss)), nil
	case specs.OpLessThan:
		return append(below, is(unix.BPF_JGE, low, miss, onward)), nil
	case specs.OpLessEqual:
		return append(below, is(unix.BPF_JGT, low, miss, onward)), nil
	}
	return nil, fmt.Errorf("seccomp: comparison %s", a.Op)
}

func load(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: k}
}
func and(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: k}
}
func ret(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
func jump(how uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | how | unix.BPF_K, Jt: yes, Jf: no, K: k}
}
