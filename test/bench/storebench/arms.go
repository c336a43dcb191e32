package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
	"github.com/berth-ecs/berth/store/etcd/etcdtest"
)

// task is about as large as a task's status record.
type task struct {
	ID, Cluster, Node string
	Status            string
	Count             int
	Containers        []container
}

type container struct {
	Name, Image, Status string
	ExitCode            *int `json:",omitempty"`
}

func newTask(client, i int) *task {
	t := &task{
		ID:      fmt.Sprintf("%08d%024d", client, i),
		Cluster: "arn:aws:ecs:us-east-1:000000000000:cluster/default", Node: "0123456789abcdef0123456789abcdef",
		Status: "RUNNING",
	}
	for c := range 2 {
		t.Containers = append(t.Containers, container{
			Name: fmt.Sprintf("container-%d", c), Image: "registry.example.com/team/service:1.2.3", Status: "RUNNING",
		})
	}
	return t
}

const keysPerClient = 64

var scope = store.Regional("000000000000", "us-east-1")

var tasks = store.Define(store.Def[task]{
	Name: "bench.task", Version: 1, Key: func(t *task) string { return scope.Key(t.ID) },
})

var _ = store.NewIndex(tasks, "cluster", func(t *task) []string { return []string{t.Cluster} })

// arm does one transaction: client's n-th.
type arm struct {
	name  string
	do    func(ctx context.Context, client, n int) error
	close func() error
}

// viaStore is Update: Get, change, Put.
func viaStore(ctx context.Context, dir, name string) (*arm, error) {
	s, err := etcd.Open(ctx, etcd.Config{Schema: store.Schema{tasks}, DataDir: filepath.Join(dir, name)})
	if err != nil {
		return nil, err
	}
	do := func(ctx context.Context, client, n int) error {
		id := newTask(client, n%keysPerClient)
		return s.Update(ctx, func(tx store.Tx) error {
			next := *id
			if old, ok := tasks.Get(tx, scope.Key(id.ID)); ok {
				next = *old
			}
			next.Count++
			tasks.Put(tx, &next)
			return nil
		})
	}
	return &arm{name: name, do: do, close: s.Close}, nil
}

// viaEtcd is what a program does that keeps the same records in embedded etcd by hand through its in-process client: it
// remembers each key's revision and guards the next write with it.
func viaEtcd(ctx context.Context, dir, name string) (*arm, error) {
	e, err := etcdtest.Start(ctx, filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	known := newKnown()
	do := func(ctx context.Context, client, n int) error {
		t := newTask(client, n%keysPerClient)
		key := "/berth/raw/t/" + tasks.Name() + "/" + scope.Key(t.ID)
		mod, count := known.get(client, n)
		t.Count = count + 1
		value, err := json.Marshal(t)
		if err != nil {
			return err
		}
		rev, err := e.Replace(ctx, key, string(value), mod)
		if err != nil {
			return err
		}
		known.set(client, n, rev, t.Count)
		return nil
	}
	return &arm{name: name, do: do, close: e.Close}, nil
}

// known is what each raw client remembers; clients do not share keys, so there is no lock.
type known [][]struct {
	mod   int64
	count int
}

const maxClients = 1024

func newKnown() known {
	k := make(known, maxClients)
	for i := range k {
		k[i] = make([]struct {
			mod   int64
			count int
		}, keysPerClient)
	}
	return k
}

func (k known) get(client, n int) (int64, int) {
	e := k[client][n%keysPerClient]
	return e.mod, e.count
}

func (k known) set(client, n int, mod int64, count int) {
	e := &k[client][n%keysPerClient]
	e.mod, e.count = mod, count
}
