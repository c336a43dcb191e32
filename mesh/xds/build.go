package xds

import (
	"fmt"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// packed is m as what Envoy reads where any message may stand. The same message makes the same bytes.
func packed(m proto.Message) (*anypb.Any, error) {
	a := &anypb.Any{}
	if err := anypb.MarshalFrom(a, m, proto.MarshalOptions{Deterministic: true}); err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	return a, nil
}

// Pack is r as it travels.
func Pack(r Resource) (*anypb.Any, error) { return packed(r.Body) }

// packer packs, and keeps the first error for the end: most of what is made here is nested several deep.
type packer struct{ err error }

func (p *packer) pack(m proto.Message) *anypb.Any {
	a, err := packed(m)
	if err != nil && p.err == nil {
		p.err = err
	}
	return a
}

// ads is where Envoy gets what another resource names: from who told it that one.
func ads() *core.ConfigSource {
	return &core.ConfigSource{
		ResourceApiVersion:    core.ApiVersion_V3,
		ConfigSourceSpecifier: &core.ConfigSource_Ads{Ads: &core.AggregatedConfigSource{}},
	}
}

// socket is an address in the network of an interface, or in the machine's own.
func socket(space, addr string, port uint16) *core.SocketAddress {
	s := &core.SocketAddress{Address: addr, PortSpecifier: &core.SocketAddress_PortValue{PortValue: uint32(port)}}
	if space != "" {
		s.NetworkNamespaceFilepath = seam.SpacePrefix + space
	}
	return s
}

func u32(n uint32) *wrapperspb.UInt32Value { return wrapperspb.UInt32(n) }

func yes() *wrapperspb.BoolValue { return wrapperspb.Bool(true) }

func no() *wrapperspb.BoolValue { return wrapperspb.Bool(false) }

func span(d time.Duration) *durationpb.Duration { return durationpb.New(d) }
