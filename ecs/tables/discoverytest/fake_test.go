package discoverytest_test

import (
	"sync/atomic"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables/discoverytest"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

func TestTheDoubleIsADiscovery(t *testing.T) {
	var n atomic.Int64
	s := mem.Open(discoverytest.Schema(), mem.Options{Faults: mem.Faults{Conflict: func(store.Txn) bool { return n.Add(1)%3 == 0 }}})
	t.Cleanup(func() { _ = s.Close() })
	h := ecs.Home{Account: "000000000000", Region: "us-east-1"}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		discoverytest.Make(tx, h, "srv-1", true, "A")
		discoverytest.Instances.Put(tx, &discoverytest.Instance{Home: h, Registry: discoverytest.ARN(h, "srv-1"), ID: "stranger"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	discoverytest.Check(t, discoverytest.World{
		Store: s, Discovery: discoverytest.Discovery{}, Home: h, Registry: discoverytest.ARN(h, "srv-1"), Stranger: "stranger",
		Take: func(tx store.Tx, r ecs.Registration) {
			discoverytest.Instances.Put(tx, &discoverytest.Instance{Home: h, Registry: r.Registry, ID: r.ID, Attributes: map[string]string{"AWS_INSTANCE_IPV4": "10.9.9.9"}})
		},
		Answers: func(tx store.Tx) map[string]string {
			out := map[string]string{}
			for _, i := range discoverytest.Instances.List(tx, "", "") {
				if i.ID == "stranger" {
					continue
				}
				if out[i.ID] = i.Health; i.Health == "" {
					out[i.ID] = i.Attributes["AWS_INIT_HEALTH_STATUS"]
				}
			}
			return out
		},
	})
}
