package server

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

// BenchmarkOneTargetManyNodes: a target changes that is on n nodes. The figures are the time until the last node, and of the slowest in a hundred, has it, and
// the bytes that each is told.
func BenchmarkOneTargetManyNodes(b *testing.B) {
	for _, n := range []int{2, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { manyNodes(b, n) })
	}
}

func manyNodes(b *testing.B, n int) {
	book := NewBook()
	news := News{Endpoints: []proxyconf.Endpoints{hosts(1)}}
	for i := range n {
		news.Parts = append(news.Parts, NodePart{Node{"1", "r", fmt.Sprint(i)}, onePart()})
	}
	if err := book.Tell(news); err != nil {
		b.Fatal(err)
	}
	_, connect := running(b, book)
	got := make(chan time.Duration, n)
	var ready sync.WaitGroup
	var began time.Time
	var mu sync.Mutex
	size := 0
	for i := range n {
		ready.Add(1)
		s := ask(b, connect(Node{"1", "r", fmt.Sprint(i)}))
		go func() {
			listening := false
			for {
				m, err := s.Recv()
				if err != nil {
					return
				}
				switch {
				case m.GetTypeUrl() == seam.TypeListener:
					listening = true
					ready.Done()
				case listening && m.GetTypeUrl() == seam.TypeEndpoint:
					mu.Lock()
					took := time.Since(began)
					size += len(m.GetResources()[0].GetResource().GetValue())
					mu.Unlock()
					got <- took
				}
			}
		}()
	}
	ready.Wait()
	var all []time.Duration
	i := 0
	for b.Loop() {
		i++
		mu.Lock()
		began = time.Now()
		mu.Unlock()
		if err := book.Tell(News{Endpoints: []proxyconf.Endpoints{hosts(byte(2 + i%2))}}); err != nil {
			b.Fatal(err)
		}
		for range n {
			all = append(all, <-got)
		}
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "ms-p99")
	b.ReportMetric(float64(all[len(all)-1].Microseconds())/1000, "ms-last")
	b.ReportMetric(float64(size)/float64(len(all)), "bytes/node")
}
