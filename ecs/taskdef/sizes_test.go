package taskdef

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// The table of the developer guide, "Task size", for Linux: memory in GB that goes with CPU units, written out. Beside it nothing goes.
var documented = map[int]string{
	256:   "0.5 1 2",
	512:   "1 2 3 4",
	1024:  "2 3 4 5 6 7 8",
	2048:  "4 5 6 7 8 9 10 11 12 13 14 15 16",
	4096:  "8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30",
	8192:  "16 20 24 28 32 36 40 44 48 52 56 60",
	16384: "32 40 48 56 64 72 80 88 96 104 112 120",
	32768: "60 120 244",
}

func TestFargateSizes(t *testing.T) {
	for _, cpu := range []int{0, 128, 255, 256, 257, 384, 512, 768, 1024, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 32768} {
		valid := map[int]bool{}
		for gb := range strings.FieldsSeq(documented[cpu]) {
			f, err := strconv.ParseFloat(gb, 64)
			if err != nil {
				t.Fatal(err)
			}
			valid[int(f*1024)] = true
			if err := CheckFargateSize(aws.Ptr(fmt.Sprintf("%g vCPU", float64(cpu)/1024)), aws.Ptr(gb+" GB")); err != nil {
				t.Errorf("%d CPU, %s GB: %v", cpu, gb, err)
			}
		}
		for memory := 0; memory <= 250*1024; memory += 256 {
			for _, mib := range []int{memory, memory + 1} {
				if ok := fargateSize(int64(cpu), int64(mib)); ok != valid[mib] {
					t.Errorf("%d CPU, %d MiB: %v", cpu, mib, ok)
				}
			}
		}
		for mib := range valid { // also as a definition
			text := with("", fmt.Sprintf(`"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"%d","memory":"%d"`, cpu, mib))
			if _, err := Build(request(t, text), facts); err != nil {
				t.Errorf("%d CPU, %d MiB: %v", cpu, mib, err)
			}
		}
	}
	text := with("", `"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"8192","memory":"18432"`)
	if _, err := Build(request(t, text), facts); err == nil || !strings.Contains(err.Error(), "No Fargate configuration exists for given values: 8192 CPU, 18432 memory.") {
		t.Errorf("8 vCPU and 18 GB: %v", err)
	}
}

// AWS answers sizes in units however they were written.
func TestSizesAreAnsweredInUnits(t *testing.T) {
	for _, c := range []struct{ cpu, memory, wantCPU, wantMemory string }{
		{"1024", "2048", "1024", "2048"}, {"1 vCPU", "2GB", "1024", "2048"}, {"1 vcpu", "2 gb", "1024", "2048"},
		{".25 vCPU", "0.5GB", "256", "512"}, {"16 vCPU", "120 GB", "16384", "122880"},
	} {
		d, err := Build(request(t, with("", fmt.Sprintf(`"cpu":%q,"memory":%q`, c.cpu, c.memory))), facts)
		if err != nil {
			t.Fatalf("%s: %v", c.cpu, err)
		}
		if *d.Cpu != c.wantCPU || *d.Memory != c.wantMemory {
			t.Errorf("%s, %s: %s, %s", c.cpu, c.memory, *d.Cpu, *d.Memory)
		}
	}
}
