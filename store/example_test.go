package store_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// A wing declares its records and tables once; they hold no data.
type Cluster struct {
	Account, Region, Name string
	Status                string
}

var (
	clusters = store.Define(store.Def[Cluster]{
		Name: "example.cluster", Version: 1,
		Key: func(c *Cluster) string { return store.Regional(c.Account, c.Region).Key(c.Name) },
	})
	clustersByStatus = store.NewIndex(clusters, "status", func(c *Cluster) []string { return []string{c.Status} })
)

func Example() {
	ctx := context.Background()
	s := mem.Open(store.Schema{clusters}, mem.Options{})
	defer s.Close()
	scope := store.Regional("000000000000", "us-east-1")

	err := s.Update(ctx, func(tx store.Tx) error {
		return clusters.Create(tx, &Cluster{Account: "000000000000", Region: "us-east-1", Name: "default", Status: "ACTIVE"})
	})
	fmt.Println("created:", err)

	// What was read with Get is still true when the write commits, or the function runs again.
	err = s.Update(ctx, func(tx store.Tx) error {
		c, ok := clusters.Get(tx, scope.Key("default"))
		if !ok {
			return errors.New("no such cluster")
		}
		next := *c // records are immutable
		next.Status = "INACTIVE"
		clusters.Put(tx, &next)
		return nil
	})
	fmt.Println("updated:", err)

	err = s.View(ctx, store.Fresh, func(tx store.Tx) error {
		for key, c := range clustersByStatus.List(tx, "INACTIVE", "") {
			fmt.Println(key, c.Status)
		}
		return nil
	})
	fmt.Println("viewed:", err)
	// Output:
	// created: <nil>
	// updated: <nil>
	// r/000000000000/us-east-1/default INACTIVE
	// viewed: <nil>
}
