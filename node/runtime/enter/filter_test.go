package enter

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/spec"
)

// profile is the filter of a container with capabilities.
func profile(t *testing.T, caps ...string) *specs.LinuxSeccomp {
	t.Helper()
	s, err := spec.Build(spec.Input{Args: []string{"x"}, CgroupPath: "/x", Capabilities: caps, Native: spec.NativeArch()})
	if err != nil {
		t.Fatal(err)
	}
	return s.Linux.Seccomp
}

// judged is what the profile says of a call, read as it is written.
func judged(t *testing.T, s *specs.LinuxSeccomp, a *arch.Info, nr int, args [6]uint64) uint32 {
	t.Helper()
	newest := 0
	answer := retErrno | uint32(unix.EPERM)
	found := false
	for _, c := range s.Syscalls {
		for _, name := range c.Names {
			n, ok := a.SyscallNames[name]
			if !ok {
				continue
			}
			newest = max(newest, n)
			if n != nr || found || !fits(c.Args, args) {
				continue
			}
			found = true
			if answer = retAllow; c.Action == specs.ActErrno {
				answer = retErrno | uint32(*c.ErrnoRet)
			}
		}
	}
	if nr > newest && nr < x32Bit {
		return retErrno | uint32(unix.ENOSYS)
	}
	return answer
}

func fits(conditions []specs.LinuxSeccompArg, args [6]uint64) bool {
	for _, c := range conditions {
		v := args[c.Index]
		if !map[specs.LinuxSeccompOperator]bool{
			specs.OpEqualTo: v == c.Value, specs.OpNotEqual: v != c.Value, specs.OpMaskedEqual: v&c.Value == c.ValueTwo,
			specs.OpLessThan: v < c.Value, specs.OpLessEqual: v <= c.Value,
			specs.OpGreaterThan: v > c.Value, specs.OpGreaterEqual: v >= c.Value,
		}[c.Op] {
			return false
		}
	}
	return true
}

// machine runs a filter as the kernel does.
func machine(t *testing.T, f []unix.SockFilter) func(id uint32, nr int, args [6]uint64) uint32 {
	t.Helper()
	var raw []bpf.RawInstruction
	for _, i := range f {
		raw = append(raw, bpf.RawInstruction{Op: i.Code, Jt: i.Jt, Jf: i.Jf, K: i.K})
	}
	code, all := bpf.Disassemble(raw)
	if !all {
		t.Fatalf("not all of it is BPF: %v", code)
	}
	vm, err := bpf.NewVM(code)
	if err != nil {
		t.Fatal(err)
	}
	return func(id uint32, nr int, args [6]uint64) uint32 {
		data := binary.BigEndian.AppendUint32(nil, uint32(nr)) // the machine loads big-endian words
		data = binary.BigEndian.AppendUint32(data, id)
		data = append(data, make([]byte, 8)...)
		for _, a := range args {
			data = binary.BigEndian.AppendUint32(data, uint32(a))
			data = binary.BigEndian.AppendUint32(data, uint32(a>>32))
		}
		got, err := vm.Run(data)
		if err != nil {
			t.Fatal(err)
		}
		return uint32(got)
	}
}

// values are arguments that conditions of the profile ask for, and neighbours of them.
var values = []uint64{0, 1, 8, 40, 39, 37, 38, 0x20000, 0x20008, 0xffffffff, 0x1_0000_0028, 0x7e020000, 0x10000000, 0x2000, 1 << 63, ^uint64(0)}

func TestFilterSaysWhatTheProfileSays(t *testing.T) {
	native, err := arch.GetInfo("")
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, caps := range [][]string{nil, {"CAP_SYS_ADMIN"}, {"CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_BPF", "CAP_SYS_TIME"}} {
		s := profile(t, caps...)
		f, err := Filter(s, native, spec.NativeArch())
		if err != nil {
			t.Fatal(err)
		}
		if len(f) > 1500 {
			t.Errorf("%v: %d instructions", caps, len(f))
		}
		run := machine(t, f)
		for _, nr := range append(slices.Collect(upTo(600)), x32Bit, x32Bit+1, 1<<31-1) {
			for range 60 {
				var args [6]uint64
				for i := range args {
					args[i] = values[rnd.IntN(len(values))]
				}
				want := judged(t, s, native, nr, args)
				if nr >= x32Bit {
					want = retErrno | uint32(unix.EPERM)
				}
				if got := run(uint32(native.ID), nr, args); got != want {
					t.Fatalf("%v: %d (%s) with %x: %#x, want %#x", caps, nr, native.SyscallNumbers[nr], args, got, want)
				}
			}
		}
		if got := run(uint32(arch.I386.ID), 1, [6]uint64{}); got != retKill {
			t.Errorf("another architecture: %#x", got)
		}
	}
}

func upTo(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestEveryComparison(t *testing.T) {
	native, err := arch.GetInfo("")
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []specs.LinuxSeccompOperator{
		specs.OpEqualTo, specs.OpNotEqual, specs.OpMaskedEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpGreaterThan, specs.OpGreaterEqual,
	} {
		for _, value := range values {
			s := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: []specs.Arch{spec.NativeArch()}, Syscalls: []specs.LinuxSyscall{
				{Names: []string{"ptrace"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Index: 2, Op: op, Value: value, ValueTwo: value & 0x7e020000}, {Index: 0, Op: specs.OpEqualTo, Value: 1}}},
				{Names: []string{"ptrace"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Index: 1, Op: op, Value: value, ValueTwo: value & 0x7e020000}}},
			}}
			f, err := Filter(s, native, spec.NativeArch())
			if err != nil {
				t.Fatal(err)
			}
			run := machine(t, f)
			for _, v := range values {
				for _, args := range [][6]uint64{{1, 7, v}, {0, 7, v}, {1, v, 7}, {0, v, v}} {
					want := judged(t, s, native, native.SyscallNames["ptrace"], args)
					if got := run(uint32(native.ID), native.SyscallNames["ptrace"], args); got != want {
						t.Fatalf("%s %#x with %#x: %#x, want %#x", op, value, args, got, want)
					}
				}
			}
		}
	}
}

func TestFilterRefusesWhatItDoesNotKnow(t *testing.T) {
	native, err := arch.GetInfo("")
	if err != nil {
		t.Fatal(err)
	}
	if f, err := Filter(nil, native, spec.NativeArch()); f != nil || err != nil {
		t.Errorf("no profile: %v, %v", f, err)
	}
	for name, spoil := range map[string]func(*specs.LinuxSeccomp){
		"flags":         func(s *specs.LinuxSeccomp) { s.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog} },
		"architectures": func(s *specs.LinuxSeccomp) { s.Architectures = append(s.Architectures, specs.ArchX86) },
		"listener":      func(s *specs.LinuxSeccomp) { s.ListenerPath = "/x" },
		"default":       func(s *specs.LinuxSeccomp) { s.DefaultAction = specs.ActNotify },
		"action":        func(s *specs.LinuxSeccomp) { s.Syscalls[0].Action = specs.ActTrap },
		"comparison": func(s *specs.LinuxSeccomp) {
			s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{Names: []string{"ptrace"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Op: "SCMP_CMP_NEW"}}})
		},
	} {
		s := profile(t)
		s.Syscalls = slices.DeleteFunc(s.Syscalls, func(c specs.LinuxSyscall) bool { return slices.Contains(c.Names, "ptrace") })
		spoil(s)
		if _, err := Filter(s, native, spec.NativeArch()); err == nil {
			t.Errorf("%s: compiled", name)
		}
	}
}
