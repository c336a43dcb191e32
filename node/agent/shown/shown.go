// Package shown turns what a node knows into what the API is told.
//
// Guarantees: it is pure; what is missing is nil, never empty or zero; no text is longer than the API takes.
package shown

import (
	"time"

	"github.com/berth-ecs/berth/node/network"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Bindings are published ports as the API shows them.
func Bindings(in []network.Binding) []shape.NetworkBinding {
	var out []shape.NetworkBinding
	for _, b := range in {
		n := shape.NetworkBinding{BindIP: Text(b.BindIP), Protocol: Text(b.Protocol),
			ContainerPortRange: Text(b.ContainerPortRange), HostPortRange: Text(b.HostPortRange)}
		if b.ContainerPortRange == "" {
			n.ContainerPort, n.HostPort = aws.Ptr(int32(b.ContainerPort)), aws.Ptr(int32(b.HostPort))
		}
		out = append(out, n)
	}
	return out
}

// maxText is what the API takes of a reason or digest.
const maxText = 1024

// Text is a text that may be missing, as long as the API takes it.
func Text(s string) *string {
	if s == "" {
		return nil
	}
	return aws.Ptr(s[:min(len(s), maxText)])
}

// Moment is a time that may be missing.
func Moment(t time.Time) *aws.Time {
	if t.IsZero() {
		return nil
	}
	return aws.At(t)
}
