package taskdef

import (
	"fmt"
	"testing"
)

// The whole table of the developer guide, "Task size", and what lies around it.
func TestFargateSizes(t *testing.T) {
	const gib = 1024
	valid := map[[2]int]bool{{256, 512}: true, {256, gib}: true, {256, 2 * gib}: true}
	for _, r := range []struct{ cpu, low, high, step int }{
		{512, 1, 4, 1}, {1024, 2, 8, 1}, {2048, 4, 16, 1}, {4096, 8, 30, 1}, {8192, 16, 60, 4}, {16384, 32, 120, 8},
	} {
		for m := r.low; m <= r.high; m += r.step {
			valid[[2]int{r.cpu, m * gib}] = true
		}
	}
	for _, cpu := range []int{256, 512, 1024, 2048, 4096, 8192, 16384} {
		for memory := 512; memory <= 128*gib; memory += 512 {
			text := with("", fmt.Sprintf(`"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"%d","memory":"%d"`, cpu, memory))
			_, err := Build(request(t, text), facts)
			if (err == nil) != valid[[2]int{cpu, memory}] {
				t.Errorf("%d CPU, %d MiB: %v", cpu, memory, err)
			}
		}
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
