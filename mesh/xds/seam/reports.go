package seam

import (
	"context"
	"encoding/json"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/berth-ecs/berth/proxyconf"
)

// Reports are by hand what protoc would make of
//
//	service Reports { rpc Say(stream google.protobuf.BytesValue) returns (google.protobuf.BytesValue); }
//
// Each message is a proxyconf.Report as JSON. The server answers when it has ended.
const (
	reportsService = "berth.proxy.Reports"
	reportsMethod  = "Say"
)

// MaxReport is the most that a report may be, in bytes; a relay cuts what is larger.
const MaxReport = 1 << 20

// ReportStream is what a server reads.
type ReportStream struct{ stream grpc.ServerStream }

// Context is that of the stream.
func (s ReportStream) Context() context.Context { return s.stream.Context() }

// Next is the next report; io.EOF when the relay has ended.
func (s ReportStream) Next() (proxyconf.Report, error) {
	var m wrapperspb.BytesValue
	var r proxyconf.Report
	if err := s.stream.RecvMsg(&m); err != nil {
		return r, err
	}
	if err := json.Unmarshal(m.GetValue(), &r); err != nil {
		return r, fmt.Errorf("a report: %w", err)
	}
	return r, nil
}

// Listener hears reports.
type Listener interface {
	Hear(s ReportStream) error
}

// Serve makes l what answers Reports on a server.
func Serve(to grpc.ServiceRegistrar, l Listener) {
	to.RegisterService(&grpc.ServiceDesc{
		ServiceName: reportsService,
		HandlerType: (*Listener)(nil),
		Streams: []grpc.StreamDesc{{
			StreamName: reportsMethod, ClientStreams: true,
			Handler: func(srv any, stream grpc.ServerStream) error {
				if err := srv.(Listener).Hear(ReportStream{stream}); err != nil {
					return err
				}
				return stream.SendMsg(&wrapperspb.BytesValue{})
			},
		}},
	}, l)
}

// Say opens Reports. What it answers says one report after the other, until ctx ends.
func Say(ctx context.Context, conn grpc.ClientConnInterface) (func(proxyconf.Report) error, error) {
	desc := &grpc.StreamDesc{StreamName: reportsMethod, ClientStreams: true}
	stream, err := conn.NewStream(ctx, desc, "/"+reportsService+"/"+reportsMethod)
	if err != nil {
		return nil, fmt.Errorf("open reports: %w", err)
	}
	return func(r proxyconf.Report) error {
		text, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("a report: %w", err)
		}
		return stream.SendMsg(&wrapperspb.BytesValue{Value: text})
	}, nil
}
