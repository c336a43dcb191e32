package region

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables/networktest"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// wired is a store that loses races, with the default VPC of a home, and what a network of it is held to.
func wired(t *testing.T) networktest.World {
	t.Helper()
	var n atomic.Int64
	w := networktest.World{Network: network{}, Home: ecs.Home{Account: "000000000000", Region: "us-east-1"},
		Store: mem.Open(Schema(), mem.Options{Faults: mem.Faults{Conflict: func(store.Txn) bool { return n.Add(1)%3 == 0 }}})}
	t.Cleanup(func() { _ = w.Store.Close() })
	h := vpcHome(w.Home)
	err := w.Store.Update(t.Context(), func(tx store.Tx) error {
		if err := vpctables.EnsureBase(tx, h, []string{"us-east-1a", "us-east-1b"}); err != nil {
			return err
		}
		v, _ := vpctables.DefaultVPC(tx, h)
		s, _ := vpctables.DefaultSubnet(tx, h, "us-east-1a")
		w.Subnet, w.Groups = s.ID, []string{v.DefaultGroup, "sg-11111111111111111"}
		vpctables.SecurityGroups.Put(tx, &vpc.SecurityGroup{Home: h, ID: w.Groups[1], VPC: v.ID, Name: "web"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTheVPCWingIsANetwork(t *testing.T) { networktest.Check(t, wired(t)) }

func TestWhatATaskIsToldOfItsNetwork(t *testing.T) {
	w := wired(t)
	err := w.Store.Update(t.Context(), func(tx store.Tx) error {
		i, err := w.Network.Attach(tx, ecs.InterfaceWish{
			Home: w.Home, Subnet: w.Subnet, Task: w.Home.TaskARN("c", "t"), Attachment: w.Home.AttachmentARN("a"), Node: "n", EC2: "i-1",
			Tags: request.ManagedTags("c", "s")})
		if err != nil {
			return err
		}
		r, _ := vpctables.Interfaces.Peek(tx, vpctables.Key(vpcHome(w.Home), i.ID))
		if i.Private != r.Private[0].Addr || i.MAC != r.MAC || i.DNSName != vpc.PrivateName("us-east-1", i.Private) || i.Gateway.String() != "172.31.0.1/20" {
			t.Errorf("%+v of %+v", i, r)
		}
		if len(i.Servers) != 1 || i.Servers[0].String() != "172.31.0.2" || len(i.Search) != 1 || i.Search[0] != "ec2.internal" {
			t.Errorf("it asks %v and searches %v", i.Servers, i.Search)
		}
		if r.Owner != w.Home.TaskARN("c", "t") || r.Description != w.Home.AttachmentARN("a") || r.Node != "n" || r.Requester != "amazon-ecs" ||
			r.Instance != "i-1" || r.Attachment == "" || r.DeleteOnEnd || !slices.Equal(r.ServiceTags, []vpc.Pair{{Key: "aws:ecs:clusterName", Value: "c"}, {Key: "aws:ecs:serviceName", Value: "s"}}) || len(r.Groups) != 1 || r.Groups[0] != w.Groups[0] {
			t.Errorf("%+v", r)
		}
		_, err = w.Network.Attach(tx, ecs.InterfaceWish{Home: w.Home, Subnet: "subnet-00000000000000000"})
		var e *aws.Error
		if !errors.As(err, &e) || e.Code != "InvalidParameterException" {
			t.Errorf("EC2's code reaches a client of ECS: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
