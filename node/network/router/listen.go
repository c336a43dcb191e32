package router

import (
	"context"
	"fmt"
	"net"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// Listen opens a stream socket in a VPC's router. What listens on 169.254.170.2, 169.254.169.253 or the VPC's base plus two is reached by the
// VPC's interfaces on this node, whatever their groups and ACLs say, and by nobody else; the caller's address is its interface's.
// The socket is the caller's to close, also when the VPC is gone.
func (r *Routers) Listen(ctx context.Context, vpcID, network, addr string) (l net.Listener, err error) {
	err = r.insideRouter(vpcID, func() error {
		var lc net.ListenConfig
		l, err = lc.Listen(ctx, network, addr)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("router: listen in %s: %w", vpcID, err)
	}
	return l, nil
}

// ListenPacket opens a datagram socket, as Listen does a stream's.
func (r *Routers) ListenPacket(ctx context.Context, vpcID, network, addr string) (c net.PacketConn, err error) {
	err = r.insideRouter(vpcID, func() error {
		var lc net.ListenConfig
		c, err = lc.ListenPacket(ctx, network, addr)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("router: listen in %s: %w", vpcID, err)
	}
	return c, nil
}

func (r *Routers) insideRouter(id string, f func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.vpcs[id]
	if v == nil {
		return fmt.Errorf("no router of VPC %q on this node", id)
	}
	return netspace.Inside(v.ns, f)
}

// VPCs are the ids of the VPCs that have a router here.
func (r *Routers) VPCs() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for id := range r.vpcs {
		out = append(out, id)
	}
	return out
}
