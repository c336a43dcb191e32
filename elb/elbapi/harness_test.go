package elbapi

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// world is an API over a store in memory. Every second transaction loses its first race.
type world struct {
	*testing.T
	api   *API
	store store.Store
	now   time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	n := 0
	lose := func(store.Txn) bool { n++; return n%2 == 1 }
	w := &world{T: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	w.store = mem.Open(tables.Schema(), mem.Options{Faults: mem.Faults{Conflict: lose}, Now: func() time.Time { return w.now }})
	t.Cleanup(func() { _ = w.store.Close() })
	w.api = New(Config{Store: w.store, Network: network{}, Certificates: certificates{}})
	return w
}

// network has two VPCs, vpc-1 with a gateway and vpc-2 without. Each has subnets in three zones, subnet-1a to subnet-2c, those of vpc-1 twice
// (subnet-1A is in the zone of subnet-1a), security groups sg-1a and so on, and sg-1 and sg-2, which they began with.
type network struct{}

func (network) Subnet(_ store.Tx, _ elb.Home, id string) (Subnet, bool) {
	n, ok := strings.CutPrefix(id, "subnet-")
	if !ok || len(n) != 2 || !strings.Contains("12", n[:1]) || !strings.Contains("abcABC", n[1:]) {
		return Subnet{}, false
	}
	block := netip.MustParsePrefix(fmt.Sprintf("10.%c.%d.0/24", n[0], n[1]))
	return Subnet{ID: id, VPC: "vpc-" + n[:1], Zone: here.Region + strings.ToLower(n[1:]), Block: block, Free: 250}, true
}

func (network) SecurityGroup(_ store.Tx, _ elb.Home, id string) (string, bool) {
	n, ok := strings.CutPrefix(id, "sg-")
	if !ok || n == "" || !strings.Contains("12", n[:1]) {
		return "", false
	}
	return "vpc-" + n[:1], true
}

func (network) VPC(_ store.Tx, _ elb.Home, id string) (VPC, bool) {
	return VPC{DefaultGroup: strings.Replace(id, "vpc-", "sg-", 1), Gateway: id == "vpc-1"}, id == "vpc-1" || id == "vpc-2"
}

func (network) Allocation(_ store.Tx, _ elb.Home, id string) (netip.Addr, bool, bool) {
	return netip.MustParseAddr("198.18.0.9"), id == "eipalloc-used", strings.HasPrefix(id, "eipalloc-")
}

// certificates are those whose ARN does not end in none.
type certificates struct{}

func (certificates) Certificate(_ store.Tx, _ elb.Home, arn string) bool {
	return strings.HasPrefix(arn, "arn:aws:acm:") && !strings.HasSuffix(arn, "none")
}

var here = elb.Home{Account: "000000000000", Region: "us-east-1"}

// do calls an operation as the edge does.
func do[In, Out any](w *world, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In) (*Out, error) {
	return h(w.Context(), wire.Call{Account: here.Account, Region: here.Region, Partition: "aws", Service: "elasticloadbalancing", Operation: op.Info.Name}, in)
}

// must is do for what has to work.
func must[In, Out any](w *world, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In) *Out {
	w.Helper()
	out, err := do(w, op, h, in)
	if err != nil {
		w.Fatalf("%s: %v", op.Info.Name, err)
	}
	return out
}

// fails wants an error with a code and a part of its sentence, as "Code: sentence".
func fails[In, Out any](w *world, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In, want string) {
	w.Helper()
	_, err := do(w, op, h, in)
	code, sentence, _ := strings.Cut(want, ": ")
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, sentence) {
		w.Errorf("%s: %v, want %s", op.Info.Name, err, want)
	}
}

// update changes the records as other wings do.
func (w *world) update(fn func(tx store.Tx)) {
	w.Helper()
	if err := w.store.Update(w.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		w.Fatal(err)
	}
}

// empty wants nothing in any table but those of the names.
func (w *world) empty(but ...string) {
	w.Helper()
	err := w.store.View(w.Context(), store.Fresh, func(tx store.Tx) error {
	next:
		for key := range tables.Schema().Records(tx) {
			for _, b := range but {
				if strings.HasPrefix(key, b+" ") {
					continue next
				}
			}
			w.Errorf("left: %s", key)
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
}
