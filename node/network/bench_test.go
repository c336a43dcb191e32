package network

import (
	"fmt"
	"runtime"
	"testing"
)

// BenchmarkAttach is what a task waits for: a namespace that was made ahead, with one port to publish.
func BenchmarkAttach(b *testing.B) {
	for _, c := range []struct {
		name string
		mode Mode
		port []Port
	}{{"bridge", Bridge, nil}, {"bridge with a port", Bridge, []Port{{ContainerPort: 80}}}, {"none", None, nil}} {
		b.Run(c.name, func(b *testing.B) {
			n := open(b)
			i := 0
			for b.Loop() {
				b.StopTimer()
				id := fmt.Sprintf("bench-%d", i)
				i++
				if c.mode == Bridge {
					n.waitWarm(b)
				}
				b.StartTimer()
				if _, err := n.Attach(b.Context(), id, c.mode, c.port); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := n.Detach(b.Context(), id); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// waitWarm returns once a namespace is ready.
func (n *Network) waitWarm(b *testing.B) {
	b.Helper()
	for len(n.warm) == 0 {
		runtime.Gosched()
	}
}
