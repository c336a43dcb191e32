package router

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// handedOver is the alias of an eth0 that is a sandbox's: it speaks for itself on that link, and the kernel must not.
const handedOver = "sandbox"

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
	h, eth0, done, err := v.enter(id)
	if err != nil {
		return Handover{}, err
	}
	defer done()
	if err := h.LinkSetAlias(eth0, handedOver); err != nil { // first: what is marked is not put back
		return Handover{}, fmt.Errorf("router: mark eth0 of %s: %w", id, err)
	}
	if err := errors.Join(setSegments(h, eth0, plainSegments), setSegments(v.nl, v.ports[id].link, plainSegments)); err != nil {
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
