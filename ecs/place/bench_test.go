package place_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// BenchmarkPlace places ten tasks of a service among many instances with as many attributes as an agent registers.
func BenchmarkPlace(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var candidates []place.Instance
			for i := range n {
				c := instance(fmt.Sprintf("i%04d", i), string(rune('a'+i%3)))
				for j := range 40 {
					c.Attributes = append(c.Attributes, shape.Attribute{Name: aws.Ptr(fmt.Sprintf("ecs.capability.%d", j))})
				}
				candidates = append(candidates, c)
			}
			r := place.Request{
				Count: 10, Needs: ecs.Amounts{CPU: 10, MemoryMiB: 10, Tasks: 1}, Strategy: place.DefaultService(), LaunchType: "EC2",
				Attributes: []shape.Attribute{{Name: aws.Ptr("ecs.capability.3")}, {Name: aws.Ptr("ecs.capability.30")}},
			}
			b.ReportAllocs()
			for b.Loop() {
				if got := place.Place(r, candidates); len(got.Placed) != 10 {
					b.Fatal(got)
				}
			}
		})
	}
}
