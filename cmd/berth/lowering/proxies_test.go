package lowering_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/berth-ecs/berth/cmd/berth/lowering"
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

type nowhere struct{}

func (nowhere) Instance(store.Tx, elb.Home, netip.Addr) (string, bool) { return "", false }

// A node that connects while a server begins is not told that there is nothing: it would take down what it serves.
func TestANodeWaitsForTheRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mem.Open(append(tables.Schema(), machines), mem.Options{})
		defer func() { _ = s.Close() }()
		p, err := lowering.New(lowering.Config{Store: s, Machines: places{}, Secrets: vault{}, Instances: nowhere{}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		mine, its := net.Pipe()
		defer mine.Close()
		run := p.Parts()
		start := func(part func(context.Context) error) {
			go func() {
				if err := part(ctx); err != nil {
					t.Error(err)
				}
			}()
		}
		start(run["proxy server"])
		go func() { _ = p.Serve(ctx, its, ecs.Home(home), "node-1") }()
		spoke := make(chan error, 1)
		go func() {
			_, err := mine.Read(make([]byte, 1))
			spoke <- err
		}()
		synctest.Wait()
		select {
		case err := <-spoke:
			t.Errorf("a node is spoken to before the records are read (%v)", err)
		default:
		}
		start(run["proxies"])
		if err := <-spoke; err != nil {
			t.Error(err)
		}
	})
}
