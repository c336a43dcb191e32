package relay

import (
	"fmt"
	"strings"

	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"                                       // resources of these types are read
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"                     // their paths are ours to say
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3" // access logs are within
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"               // likewise
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"                   // secrets
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// places are what only a node knows: where the network of an interface is, and where access logs go.
type places struct {
	space func(id string) string
	log   func(path string) (string, error)

	spaces map[string]bool // that were named
	logs   map[string]bool // files that were named
}

const (
	anyName    = protoreflect.FullName("google.protobuf.Any")
	spaceField = protoreflect.Name("network_namespace_filepath")
	pathField  = protoreflect.Name("path")
	maxDepth   = 64
)

// put replaces, in m and in what is packed within it, names of interfaces and of logs by paths.
func (p *places) put(m protoreflect.Message, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s is nested too deep", m.Descriptor().FullName())
	}
	if m.Descriptor().FullName() == anyName {
		return p.within(m, depth)
	}
	var err error
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		err = p.field(m, f, v, depth)
		return err == nil
	})
	return err
}

func (p *places) field(m protoreflect.Message, f protoreflect.FieldDescriptor, v protoreflect.Value, depth int) (err error) {
	switch {
	case f.IsMap():
		if f.MapValue().Message() == nil {
			return nil
		}
		v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
			err = p.put(v.Message(), depth+1)
			return err == nil
		})
		return err
	case f.IsList():
		for i := 0; f.Message() != nil && i < v.List().Len() && err == nil; i++ {
			err = p.put(v.List().Get(i).Message(), depth+1)
		}
		return err
	case f.Message() != nil:
		return p.put(v.Message(), depth+1)
	case f.Kind() != protoreflect.StringKind:
		return nil
	}
	to, err := p.text(f.Name(), v.String())
	if err == nil && to != v.String() {
		m.Set(f, protoreflect.ValueOfString(to))
	}
	return err
}

func (p *places) text(field protoreflect.Name, text string) (string, error) {
	if id, ok := strings.CutPrefix(text, seam.SpacePrefix); ok && field == spaceField {
		p.spaces[id] = true
		return p.space(id), nil
	}
	if path, ok := strings.CutPrefix(text, seam.LogPrefix); ok && field == pathField {
		to, err := p.log(path)
		p.logs[to] = true
		return to, err
	}
	return text, nil
}

// within translates what is packed. Types that are not known here name nothing of ours.
func (p *places) within(m protoreflect.Message, depth int) error {
	a, ok := m.Interface().(*anypb.Any)
	if !ok {
		return nil
	}
	inner, err := a.UnmarshalNew()
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	if err := p.put(inner.ProtoReflect(), depth+1); err != nil {
		return err
	}
	return anypb.MarshalFrom(a, inner, proto.MarshalOptions{Deterministic: true})
}
