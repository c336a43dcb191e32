package region

import (
	"strconv"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/cloudmap"
	cloudmaptables "github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables/discoverytest"
	"github.com/berth-ecs/berth/store"
)

func TestCloudMapIsADiscovery(t *testing.T) {
	w := wired(t)
	h := cloudmapHome(w.Home)
	s := &cloudmap.Service{Home: h, ID: "srv-1", Namespace: "ns-1", Name: "web", Custom: &cloudmap.Custom{Threshold: 1}, Records: []cloudmap.Record{{Type: "A"}}}
	err := w.Store.Update(t.Context(), func(tx store.Tx) error {
		cloudmaptables.Namespaces.Put(tx, &cloudmap.Namespace{Home: h, ID: "ns-1", Name: "n", HTTPName: "n", Type: "DNS_PRIVATE", VPC: "vpc-1"})
		cloudmaptables.Services.Put(tx, s)
		_, err := cloudmaptables.RegisterInstance(tx, cloudmaptables.Registration{Home: h, Service: s.ID, Instance: "stranger",
			Attributes: map[string]string{cloudmap.AttrIPv4: "10.0.0.9"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	answers := func(tx store.Tx) map[string]string {
		out := map[string]string{}
		for _, i := range cloudmaptables.InstancesIn(tx, s) {
			out[i.ID] = cloudmaptables.Health(tx, s, i)
		}
		if out["stranger"] != "HEALTHY" {
			t.Error("what a client registered is gone")
		}
		delete(out, "stranger")
		return out
	}
	take := func(tx store.Tx, r ecs.Registration) {
		if _, err := cloudmaptables.RegisterInstance(tx, cloudmaptables.Registration{Home: h, Service: s.ID, Instance: r.ID,
			Attributes: map[string]string{cloudmap.AttrIPv4: "10.9.9.9"}}); err != nil {
			t.Error(err)
		}
	}
	discoverytest.Check(t, discoverytest.World{Store: w.Store, Discovery: registries{}, Home: w.Home, Registry: s.ARN(), Stranger: "stranger", Take: take, Answers: answers})
}

// A service that is full refuses, and says so beforehand, also to those who look without being compared with anybody.
func TestAFullRegistryRefuses(t *testing.T) {
	w := wired(t)
	h := cloudmapHome(w.Home)
	s := &cloudmap.Service{Home: h, ID: "srv-1", Namespace: "ns-1", Name: "web"}
	update := func(fn func(tx store.Tx)) {
		t.Helper()
		if err := w.Store.Update(t.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx store.Tx) {
		cloudmaptables.Namespaces.Put(tx, &cloudmap.Namespace{Home: h, ID: "ns-1", Name: "n", HTTPName: "n", Type: "HTTP"})
		cloudmaptables.Services.Put(tx, s)
	})
	const atOnce = 50
	for n := 0; n < cloudmaptables.MaxInstances; n += atOnce {
		update(func(tx store.Tx) {
			for i := range atOnce {
				cloudmaptables.Instances.Put(tx, &cloudmap.Instance{Home: h, Service: s.ID, ID: strconv.Itoa(n + i)})
			}
		})
	}
	r := ecs.Registration{Home: w.Home, Registry: s.ARN(), ID: "a", Task: w.Home.TaskARN("c", "a")}
	update(func(tx store.Tx) {
		for range 2 * store.MaxGuards { // as a service of many tasks asks
			if err := (registries{}).Refusal(tx, r); err == nil || !strings.Contains(err.Error(), "as many as it can have") {
				t.Fatalf("it is full, and says %v", err)
			}
		}
		if err := (registries{}).Keep(tx, r); err == nil {
			t.Error("one more than it can have")
		}
	})
}
