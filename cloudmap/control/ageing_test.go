package control

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// aged runs test beside a store, in virtual time.
func aged(t *testing.T, test func(e *endpoint)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{T: t, store: mem.Open(tables.Schema(), mem.Options{})}
		test(e)
		_ = e.store.Close()
	})
}

// submitted writes an operation down as the API does.
func (e *endpoint) submitted(o cloudmap.Operation) *cloudmap.Operation {
	e.Helper()
	e.update(func(tx store.Tx) error {
		o.Home, o.ID, o.CreatedAt = home, cloudmap.OperationID(tx.NewID(), tx.Now()), tx.Now()
		o.Request, o.CreatorRequestID = "Ask", o.ID
		tables.Operations.Put(tx, &o)
		tables.Busies.Put(tx, &cloudmap.Busy{Home: home, Target: o.Target(), Operation: o.ID})
		tables.Tokens.Put(tx, &cloudmap.Token{Home: home, Request: o.Request, Token: o.ID, ID: o.ID})
		return nil
	})
	return &o
}

func (e *endpoint) ended(o *cloudmap.Operation) {
	e.Helper()
	e.update(func(tx store.Tx) error { end(tx, o, cloudmap.OperationStatus{Status: "SUCCESS"}); return nil })
}

// kept are the targets of the operations that are known, the oldest first.
func (e *endpoint) kept() (out []string) {
	e.Helper()
	e.update(func(tx store.Tx) error {
		out = nil
		for _, o := range tables.Operations.List(tx, "", "") {
			out = append(out, o.Target())
		}
		return nil
	})
	return out
}

// Of too many operations the oldest go, but none that goes on.
func TestTooManyOperations(t *testing.T) {
	aged(t, func(e *endpoint) {
		const most = 2 * atOnce
		for i := range most + 2*atOnce {
			o := e.submitted(cloudmap.Operation{Service: fmt.Sprintf("srv-%03d", i)})
			if i != 1 {
				e.ended(o)
			}
			time.Sleep(time.Millisecond)
		}
		if r, err := (ageing{e.store, most}).forget(t.Context(), tables.All(home)); err != nil || r.After <= 0 || r.After > kept {
			t.Fatal(r, err)
		}
		got := e.kept()
		if len(got) != most+1 || got[0] != "srv-001" || got[1] != fmt.Sprintf("srv-%03d", 2*atOnce) || !slices.IsSorted(got) {
			t.Errorf("kept %d: %q", len(got), got)
		}
	})
}

// What was never done is forgotten with all that it held: nothing hinders who asks again. As many as there may be fit into transactions.
func TestForgottenNamespaces(t *testing.T) {
	aged(t, func(e *endpoint) {
		for i := range 2*atOnce + 1 {
			n := &cloudmap.Namespace{Home: home, ID: fmt.Sprintf("ns-%08d", i), Name: fmt.Sprint("n", i), Type: "HTTP"}
			e.update(func(tx store.Tx) error { return tables.TakeNames(tx, n) })
			e.submitted(cloudmap.Operation{Namespace: n.ID, Wish: cloudmap.Wish{Create: n}})
		}
		time.Sleep(kept)
		if _, err := (ageing{e.store, keptMost}).forget(t.Context(), tables.All(home)); err != nil {
			t.Fatal(err)
		}
		e.update(func(tx store.Tx) error {
			for table, left := range map[string]int{
				"operations": count(tables.Operations, tx), "names": count(tables.Names, tx), "busies": count(tables.Busies, tx), "tokens": count(tables.Tokens, tx),
			} {
				if left != 0 {
					t.Errorf("%d %s are left", left, table)
				}
			}
			return nil
		})
	})
}

func count[T any](of *store.Table[T], tx store.Tx) (n int) {
	for range of.List(tx, "", "") {
		n++
	}
	return n
}
