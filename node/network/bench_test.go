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
		warm int
	}{
		{"bridge", Bridge, nil, 0},
		{"bridge with a port", Bridge, []Port{{ContainerPort: 80}}, 0},
		{"bridge and nothing ready", Bridge, nil, -1},
		{"none", None, nil, -1},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := openWarm(b, c.warm)
			i := 0
			for b.Loop() {
				b.StopTimer()
				id := fmt.Sprintf("bench-%d", i)
				i++
				if c.warm >= 0 {
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
