package router

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/inner"
)

// Handover is an interface that a sandbox has instead of the kernel.
type Handover struct {
	Endpoint

	Name   string
	Device *os.File // a packet socket on it, which is the receiver's to close
}

// HandOver waits for an interface and takes its addresses and route from the kernel, for a sandbox to have them. They are not put back when
// the configuration changes or another process takes the routers over. It can be repeated, for a sandbox that comes after one.
func (r *Routers) HandOver(ctx context.Context, id string) (Handover, error) {
	e, err := r.Wait(ctx, id)
	if err != nil {
		return Handover{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.vpcs[e.VPC]
	if v == nil || v.ports[id] == nil {
		return Handover{}, fmt.Errorf("router: interface %s is not ready: it is going away", id)
	}
	h, eth0, done, err := inner.Enter(v.r.cfg.eniMount(id))
	if err != nil {
		return Handover{}, err
	}
	defer done()
	if err := h.LinkSetAlias(eth0, inner.HandedOver); err != nil { // first: what is marked is not put back
		return Handover{}, fmt.Errorf("router: mark eth0 of %s: %w", id, err)
	}
	eth0.Attrs().Alias = inner.HandedOver
	if err := errors.Join(v.cut(v.ports[id], h, eth0), v.hasten(v.ports[id], eth0), v.short.Turn()); err != nil {
		return Handover{}, err
	}
	if err := netspace.ClearAddresses(h, eth0); err != nil {
		return Handover{}, fmt.Errorf("router: addresses of %s: %w", id, err)
	}
	device, err := netspace.PacketSocket(r.cfg.eniMount(id), eth0.Attrs().Index)
	if err != nil {
		return Handover{}, fmt.Errorf("router: device of %s: %w", id, err)
	}
	return Handover{Endpoint: e, Name: eth0.Attrs().Name, Device: device}, nil
}
