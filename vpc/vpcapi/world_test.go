package vpcapi

import (
	"context"
	"encoding/json"
	"net/netip"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// world is an API on an empty store, with a clock that stands.
type world struct {
	*API
	t   *testing.T
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s := mem.Open(tables.Schema(), mem.Options{Now: func() time.Time { return w.now }})
	t.Cleanup(func() { _ = s.Close() })
	w.API = New(Config{
		Store: s, Regions: []string{"us-east-1", "eu-west-1"}, Pool: netip.MustParsePrefix("198.18.0.0/15"),
		Zones: func(region string) []string { return []string{region + "a", region + "b", region + "c"} },
	})
	return w
}

// handler is an operation as the edge calls it.
type handler[In, Out any] func(context.Context, wire.Call, *In) (*Out, error)

// sent is the operation that a handler serves, by its name.
func sent[In, Out any](w *world, h handler[In, Out], in In) (*Out, error) {
	w.t.Helper()
	name := operationOf[In]()
	c := caller
	c.Operation = name
	return guard(name, wire.Handler[In, Out](h))(w.t.Context(), c, &in)
}

// try calls an operation that has to succeed.
func try[In, Out any](w *world, h handler[In, Out], in In) *Out {
	w.t.Helper()
	out, err := sent(w, h, in)
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		w.t.Fatalf("%s:%d: %s: %s", file, line, operationOf[In](), said(err))
	}
	return out
}

// row is a request that is refused, and how the answer begins.
type row struct {
	name, want string
	do         func() error
}

// bad is a row.
func bad[In, Out any](w *world, want string, h handler[In, Out], in In) row {
	return row{operationOf[In]() + " " + want, want, func() error { _, err := sent(w, h, in); return err }}
}

func (w *world) refuses(rows ...row) {
	w.t.Helper()
	for _, r := range rows {
		if got := said(r.do()); !strings.HasPrefix(got, r.want) || r.want == "" {
			w.t.Errorf("%s\ngot %s", r.name, got)
		}
	}
}

// read looks at the records.
func (w *world) read(fn func(tx store.Tx, h vpc.Home)) {
	w.t.Helper()
	if err := w.view(w.t.Context(), caller, func(tx store.Tx, h vpc.Home) error { fn(tx, h); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// standard is the default VPC.
func (w *world) standard() (v *vpc.VPC) {
	w.t.Helper()
	w.read(func(tx store.Tx, h vpc.Home) { v, _ = tables.DefaultVPC(tx, h) })
	return v
}

func (w *world) vpc(cidr string) string {
	w.t.Helper()
	return *try(w, w.CreateVpc, shape.CreateVpcRequest{CidrBlock: &cidr}).Vpc.VpcId
}

func (w *world) subnet(in, cidr string) string {
	w.t.Helper()
	return *try(w, w.CreateSubnet, shape.CreateSubnetRequest{VpcId: &in, CidrBlock: &cidr}).Subnet.SubnetId
}

func (w *world) table(in string) string {
	w.t.Helper()
	return *try(w, w.CreateRouteTable, shape.CreateRouteTableRequest{VpcId: &in}).RouteTable.RouteTableId
}

func (w *world) gateway(of string) string {
	w.t.Helper()
	id := *try(w, w.CreateInternetGateway, shape.CreateInternetGatewayRequest{}).InternetGateway.InternetGatewayId
	if of != "" {
		try(w, w.AttachInternetGateway, shape.AttachInternetGatewayRequest{InternetGatewayId: &id, VpcId: &of})
	}
	return id
}

// eni is an interface of a subnet.
func (w *world) eni(subnet string) (i *vpc.Interface) {
	w.t.Helper()
	err := w.update(w.t.Context(), caller, func(tx store.Tx, h vpc.Home) (err error) {
		i, err = tables.Attach(tx, tables.Spec{Home: h, Subnet: subnet})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

// attached is an interface after a service attached it.
func (w *world) attached(i *vpc.Interface) *vpc.Interface {
	w.t.Helper()
	next := *i
	next.Attachment = vpc.KindAttachment.NewID(strings.Repeat("0", 32))
	if err := w.update(w.t.Context(), caller, func(tx store.Tx, _ vpc.Home) error { tables.Interfaces.Put(tx, &next); return nil }); err != nil {
		w.t.Fatal(err)
	}
	return &next
}

func (w *world) allocate() string {
	w.t.Helper()
	return *try(w, w.AllocateAddress, shape.AllocateAddressRequest{}).AllocationId
}

func ptr[T any](v T) *T { return aws.Ptr(v) }

// operationOf is the operation whose input a type is.
func operationOf[In any]() string {
	return strings.TrimSuffix(reflect.TypeFor[In]().Name(), "Request")
}

func asText(r any) string {
	b, _ := json.Marshal(r)
	return string(b)
}
