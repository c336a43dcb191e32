package tables

import (
	"net/netip"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
)

// An interface as version 1 stored it, as far as it is read here.
type interfaceV1 struct {
	vpc.Home
	ID, VPC, Subnet string
	Private         []vpc.Private
	Attachment      string
}

var interfacesV1 = store.Define(store.Def[interfaceV1]{Name: "vpc.interface", Version: 1,
	Key: func(i *interfaceV1) string { return Key(i.Home, i.ID) }})

// An interface of version 1 has no tags of a service: it is shown with its client's.
func TestInterfaceOfVersion1(t *testing.T) {
	older := mem.Open(store.Schema{interfacesV1}, mem.Options{})
	newer := older.Join(Schema(), mem.Options{})
	err := older.Update(t.Context(), func(tx store.Tx) error {
		interfacesV1.Put(tx, &interfaceV1{Home: home, ID: "eni-1", VPC: "vpc-1", Subnet: "subnet-1", Attachment: "eni-attach-1",
			Private: []vpc.Private{{Addr: netip.MustParseAddr("10.0.0.9")}}})
		return nil
	})
	must(t, err)
	must(t, newer.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		i, ok := Interfaces.Peek(tx, Key(home, "eni-1"))
		if !ok {
			t.Fatal("it is not read")
		}
		own := []vpc.Pair{{Key: "k"}}
		if i.Private[0].Addr.String() != "10.0.0.9" || i.Attachment != "eni-attach-1" || len(i.AllTags(own)) != 1 || InterfacesWithServiceTags.Count(tx, All(home)) != 0 {
			t.Errorf("read as %+v", i)
		}
		return nil
	}))
}
