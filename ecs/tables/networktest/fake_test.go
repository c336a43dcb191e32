package networktest_test

import (
	"sync/atomic"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables/networktest"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

func TestTheDoubleConforms(t *testing.T) {
	var n atomic.Int64
	s := mem.Open(networktest.Schema(), mem.Options{Faults: mem.Faults{Conflict: func(store.Txn) bool { return n.Add(1)%3 == 0 }}})
	defer s.Close()
	networktest.Check(t, networktest.World{
		Store: s, Home: ecs.Home{Account: "1", Region: "r"}, Subnet: "subnet-1", Groups: []string{"sg-1", "sg-2"},
		Network: networktest.Network{
			Subnets: []ecs.Subnet{{ID: "subnet-1", VPC: "vpc-1", Zone: "ra", Free: 100}},
			Groups:  []ecs.SecurityGroup{{ID: "sg-1", VPC: "vpc-1"}, {ID: "sg-2", VPC: "vpc-1"}},
		},
	})
}
