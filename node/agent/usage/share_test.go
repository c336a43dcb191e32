package usage

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/node/runtime"
)

func TestShare(t *testing.T) {
	whole := runtime.Stats{Networks: map[string]runtime.NetworkStats{"eth0": {RxBytes: 900, RxPackets: 9, TxBytes: 300, TxDropped: 3}}}
	want := map[string]runtime.NetworkStats{"eth0": {RxBytes: 300, RxPackets: 3, TxBytes: 100, TxDropped: 1}}
	if d := cmp.Diff(want, Share(whole, 3).Networks); d != "" {
		t.Error(d)
	}
	if whole.Networks["eth0"].RxBytes != 900 {
		t.Error("the whole was changed")
	}
	for _, n := range []int{0, 1} {
		if d := cmp.Diff(whole, Share(whole, n)); d != "" {
			t.Error(d)
		}
	}
	if got := Share(runtime.Stats{}, 2); got.Networks != nil {
		t.Errorf("%+v", got)
	}
}
