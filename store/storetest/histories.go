package storetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/store"
)

// registers is how many records histories work on: few, so that clients meet.
const registers = 3

// state is what the model holds: N of each register, -1 when absent.
type state [registers]int

// op is one client's step. Every step answers what it read, and what it wrote follows from that.
type op struct {
	kind   string // read, bump, move, drop, make
	x, y   int
	server int
}

// run performs an op and answers the registers as it saw them (those it did not read are 0).
func (o op) run(k *kit) (state, error) {
	s := []store.Store{k.a, k.b}[o.server]
	var saw state
	if o.kind == "read" {
		err := s.View(k.ctx, store.Fresh, func(tx store.Tx) error {
			for i := range saw {
				saw[i] = register(tx, i)
			}
			return nil
		})
		return saw, err
	}
	err := s.Update(k.ctx, func(tx store.Tx) error {
		saw = state{}
		saw[o.x] = register(tx, o.x)
		if o.kind == "move" {
			saw[o.y] = register(tx, o.y)
		}
		for i, n := range o.next(saw) {
			switch {
			case i != o.x && (o.kind != "move" || i != o.y):
			case n < 0:
				items.Delete(tx, scope.Key(registerID(i)))
			default:
				put(registerID(i), n)(tx)
			}
		}
		return nil
	})
	return saw, err
}

// next is what the op leaves of what it saw.
func (o op) next(s state) state {
	switch o.kind {
	case "bump":
		s[o.x]++
	case "move":
		if o.x != o.y && s[o.x] > 0 && s[o.y] >= 0 {
			s[o.x], s[o.y] = s[o.x]-1, s[o.y]+1
		}
	case "drop":
		s[o.x] = -1
	case "make":
		if s[o.x] < 0 {
			s[o.x] = 5
		}
	}
	return s
}

func registerID(i int) string           { return fmt.Sprint("reg", i) }
func register(tx store.Tx, i int) int   { return value(tx, registerID(i)) }
func (o op) reads(i int) bool           { return o.kind == "read" || i == o.x || o.kind == "move" && i == o.y }
func (o op) String() string             { return fmt.Sprintf("%s(%d,%d)@%d", o.kind, o.x, o.y, o.server) }
func (o op) explains(s, saw state) bool { return o.masked(s) == o.masked(saw) }

func (o op) masked(s state) state {
	for i := range s {
		if !o.reads(i) {
			s[i] = 0
		}
	}
	return s
}

// model says which histories are linearizable.
var model = porcupine.Model{
	Init: func() any { return state{-1, -1, -1} },
	Step: func(st, in, out any) (bool, any) {
		s, o, saw := st.(state), in.(op), out.(state)
		if !o.explains(s, saw) {
			return false, s
		}
		return true, o.next(s)
	},
	Equal: func(a, b any) bool { return a == b },
	DescribeOperation: func(in, out any) string {
		return fmt.Sprintf("%v -> %v", in, out)
	},
}

func drawClient(t *rapid.T) []op {
	kinds := rapid.SampledFrom([]string{"read", "bump", "move", "drop", "make", "bump", "move", "read"})
	reg, srv := rapid.IntRange(0, registers-1), rapid.IntRange(0, 1)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) op {
		return op{kind: kinds.Draw(t, "kind"), x: reg.Draw(t, "x"), y: reg.Draw(t, "y"), server: srv.Draw(t, "server")}
	}), 1, 8).Draw(t, "client")
}

// record runs every client's steps at once and answers the history.
func record(k *kit, clients [][]op) ([]porcupine.Operation, error) {
	var mu sync.Mutex
	var history []porcupine.Operation
	var failed error
	var wg sync.WaitGroup
	start := time.Now()
	for id, steps := range clients {
		wg.Go(func() {
			for _, o := range steps {
				call := time.Since(start).Nanoseconds()
				saw, err := o.run(k)
				ret := time.Since(start).Nanoseconds()
				mu.Lock()
				if err != nil {
					failed = fmt.Errorf("%v: %w", o, err)
				}
				history = append(history, porcupine.Operation{ClientId: id, Input: o, Call: call, Output: saw, Return: ret})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return history, failed
}

var historyChecks = []check{
	{"concurrent histories are linearizable", func(k *kit) {
		runs := 0
		rapid.Check(rapidTB{k}, func(t *rapid.T) {
			if runs++; runs > maxHistories {
				return
			}
			k.do(k.a, func(tx store.Tx) {
				for i := range registers {
					items.Delete(tx, scope.Key(registerID(i)))
				}
			})
			clients := rapid.SliceOfN(rapid.Custom(drawClient), 2, 5).Draw(t, "clients")
			history, err := record(k, clients)
			if err != nil {
				t.Fatal(err)
			}
			if porcupine.CheckOperationsTimeout(model, history, 5*time.Second) == porcupine.Illegal {
				t.Fatalf("not linearizable: %v", history)
			}
		})
	}},
}

// maxHistories bounds one run of the check; `make nightly` runs it many times.
const maxHistories = 60

// rapidTB lets rapid report to a kit, whatever stands behind it.
type rapidTB struct{ *kit }
