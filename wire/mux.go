package wire

import (
	"context"
	"fmt"
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// Mux holds the services and the operations bound to handlers. Bind everything before the edge is made: a Mux is not changed while it serves.
type Mux struct {
	services []*aws.Service
	bindings map[bindingKey]*binding
}

type bindingKey struct{ service, operation string }

// binding is one bound operation, its types erased.
type binding struct {
	service   *aws.Service
	info      *aws.OperationInfo
	newInput  func() any
	resources func(Call, any) []string
	invoke    func(context.Context, Call, any) (any, error)
	refused   bool // by an error that says what to do instead: it does not count as served
}

// NewMux returns a Mux without services.
func NewMux() *Mux { return &Mux{bindings: map[bindingKey]*binding{}} }

// Know makes the services answer, with errors that name the operation, even when none of their operations is bound.
func (m *Mux) Know(services ...*aws.Service) {
	for _, s := range services {
		if !slices.Contains(m.services, s) {
			m.services = append(m.services, s)
		}
	}
	slices.SortFunc(m.services, func(a, b *aws.Service) int { return strings.Compare(a.Package, b.Package) })
}

// Handle binds an operation. The optional resources name what it acts on; without, the Authorizer is asked for "*". Binding an operation
// twice is a programming error and panics.
func Handle[In, Out any](m *Mux, op aws.Operation[In, Out], h Handler[In, Out], resources ...Resources[In]) {
	key := bindingKey{op.Service.Package, op.Info.Name}
	if _, bound := m.bindings[key]; bound {
		panic(fmt.Sprintf("wire: %s.%s is bound twice", key.service, key.operation))
	}
	m.Know(op.Service)
	m.bindings[key] = &binding{
		service:  op.Service,
		info:     op.Info,
		newInput: func() any { return new(In) },
		resources: func(c Call, in any) []string {
			var all []string
			for _, r := range resources {
				all = append(all, r(c, in.(*In))...)
			}
			if len(all) == 0 {
				return []string{"*"}
			}
			return all
		},
		invoke: func(ctx context.Context, c Call, in any) (any, error) {
			out, err := h(ctx, c, in.(*In))
			if err == nil && out == nil {
				out = new(Out)
			}
			return out, err
		},
	}
}

// Refuse binds an operation to an error, which says more than that nothing is bound: what to do instead.
func Refuse[In, Out any](m *Mux, op aws.Operation[In, Out], why error) {
	Handle(m, op, func(context.Context, Call, *In) (*Out, error) { return nil, why })
	m.bindings[bindingKey{op.Service.Package, op.Info.Name}].refused = true
}

// Services are the known services, by package name.
func (m *Mux) Services() []*aws.Service { return slices.Clone(m.services) }

func (m *Mux) lookup(s *aws.Service, operation string) (*binding, bool) {
	b, ok := m.bindings[bindingKey{s.Package, operation}]
	return b, ok
}

// Coverage says of one operation of a model whether it is served.
type Coverage struct {
	Service   string // "ecs"
	Operation string
	Served    bool
}

// Coverage lists every operation of every known service, by service and name.
func (m *Mux) Coverage() []Coverage {
	var rows []Coverage
	for _, s := range m.services {
		for _, o := range s.Operations {
			b, bound := m.lookup(s, o.Name)
			rows = append(rows, Coverage{Service: s.Package, Operation: o.Name, Served: bound && !b.refused})
		}
	}
	return rows
}
