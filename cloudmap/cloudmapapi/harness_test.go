package cloudmapapi

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/control"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// world is an API over a store in memory whose loops run, in a bubble of virtual time. Every second transaction loses its first race.
type world struct {
	*testing.T
	api   *API
	store store.Store
}

// network has two VPCs and one machine.
type network struct{}

func (network) HasVPC(_ store.Tx, _ cloudmap.Home, id string) bool {
	return id == "vpc-1" || id == "vpc-2"
}

func (network) PrivateAddress(_ store.Tx, _ cloudmap.Home, id string) (string, bool) {
	return "10.0.0.7", id == "i-0123456789abcdef0"
}

// bubble runs test beside the loops.
func bubble(t *testing.T, test func(w *world)) {
	t.Helper()
	begin(t, func(w *world) {
		stop := w.lead()
		test(w)
		stop()
	})
}

// begin runs test without loops, until it leads.
func begin(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		lose := func(store.Txn) bool { n++; return n%2 == 1 }
		s := mem.Open(tables.Schema(), mem.Options{Faults: mem.Faults{Conflict: lose}})
		w := &world{t, New(Config{Store: s, Machines: network{}, Reaches: func(a string) bool { return !strings.HasPrefix(a, "10.") }}), s}
		test(w)
		_ = s.Close()
	})
}

// lead runs the loops until they are stopped.
func (w *world) lead() (stop func()) {
	w.Helper()
	l, err := control.New(control.Config{VPCs: network{}})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := w.store.Lead(ctx, l.Run); err != nil && ctx.Err() == nil {
			w.Error(err)
		}
	})
	return func() {
		cancel()
		run.Wait()
	}
}

// settle lets the loops do what there is; transactions that lost a race wait a little.
func settle() {
	time.Sleep(time.Second)
	synctest.Wait()
}

var here = cloudmap.Home{Account: "000000000000", Region: "us-east-1"}

// do calls an operation as the edge does.
func do[In, Out any](w *world, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In) (*Out, error) {
	return h(w.Context(), wire.Call{Account: here.Account, Region: here.Region, Partition: "aws", Service: "servicediscovery", Operation: op.Info.Name}, in)
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

// fails wants an error with a code and a part of its sentence.
func fails[In, Out any](w *world, op aws.Operation[In, Out], h wire.Handler[In, Out], in *In, want string) *aws.Error {
	w.Helper()
	_, err := do(w, op, h, in)
	code, sentence, _ := strings.Cut(want, ": ")
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, sentence) {
		w.Errorf("%s: %v, want %s", op.Info.Name, err, want)
		return &aws.Error{}
	}
	return e
}

func (w *world) operation(id *string) *shape.Operation {
	w.Helper()
	return must(w, shape.OpGetOperation, w.api.GetOperation, &shape.GetOperationRequest{OperationId: id}).Operation
}

// done waits for an operation's end and answers it.
func (w *world) done(id *string, status string) *shape.Operation {
	w.Helper()
	settle()
	o := w.operation(id)
	if aws.Val(o.Status) != status {
		w.Errorf("operation of type %s: %s %s %s, want %s", *o.Type, *o.Status, aws.Val(o.ErrorCode), aws.Val(o.ErrorMessage), status)
	}
	return o
}

func (w *world) http(name string) string {
	w.Helper()
	out := must(w, shape.OpCreateHttpNamespace, w.api.CreateHttpNamespace, &shape.CreateHttpNamespaceRequest{Name: &name})
	return w.done(out.OperationId, "SUCCESS").Targets["NAMESPACE"]
}

func (w *world) private(name, vpc string) string {
	w.Helper()
	out := must(w, shape.OpCreatePrivateDnsNamespace, w.api.CreatePrivateDnsNamespace, &shape.CreatePrivateDnsNamespaceRequest{Name: &name, Vpc: &vpc})
	return w.done(out.OperationId, "SUCCESS").Targets["NAMESPACE"]
}

// service makes one; the types are those of its records.
func (w *world) service(namespace, name string, types ...string) *shape.Service {
	w.Helper()
	in := &shape.CreateServiceRequest{NamespaceId: &namespace, Name: &name, HealthCheckCustomConfig: &shape.HealthCheckCustomConfig{}}
	if types != nil {
		in.DnsConfig = dns(types...)
	}
	return must(w, shape.OpCreateService, w.api.CreateService, in).Service
}

func dns(types ...string) *shape.DnsConfig {
	c := &shape.DnsConfig{}
	for _, t := range types {
		c.DnsRecords = append(c.DnsRecords, shape.DnsRecord{Type: aws.Ptr(t), TTL: aws.Ptr[int64](60)})
	}
	return c
}

func (w *world) register(service *string, id string, attributes ...string) {
	w.Helper()
	in := &shape.RegisterInstanceRequest{ServiceId: service, InstanceId: &id, Attributes: map[string]string{}}
	for i := 0; i < len(attributes); i += 2 {
		in.Attributes[attributes[i]] = attributes[i+1]
	}
	w.done(must(w, shape.OpRegisterInstance, w.api.RegisterInstance, in).OperationId, "SUCCESS")
}

// found is what DiscoverInstances answers: ids and health, in order of the ids.
func (w *world) found(in *shape.DiscoverInstancesRequest) string {
	w.Helper()
	var all []string
	for _, i := range must(w, shape.OpDiscoverInstances, w.api.DiscoverInstances, in).Instances {
		all = append(all, *i.InstanceId+" "+*i.HealthStatus)
	}
	return sorted(all)
}
