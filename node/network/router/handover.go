package router

import (
	"context"
	"errors"
	"fmt"
)

// handedOver is the alias of an eth0 whose addresses are a sandbox's: it speaks for itself on that link, and the kernel must not.
const handedOver = "sandbox"

// HandOver waits for an interface and lets a sandbox take its addresses and route, which gVisor removes from the namespace when it
// begins. From then on they are not put back when the configuration changes or another process takes the routers over; HandOver itself puts
// them back first, for a sandbox that comes after one.
func (r *Routers) HandOver(ctx context.Context, id string) error {
	e, err := r.Wait(ctx, id)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.vpcs[e.VPC]
	if v == nil || v.ports[id] == nil {
		return fmt.Errorf("router: interface %s is not ready: it is going away", id)
	}
	conf := v.ports[id].conf
	s, ok := r.want.Subnets[conf.Subnet]
	if !ok {
		return fmt.Errorf("router: interface %s: no subnet %s", id, conf.Subnet)
	}
	h, eth0, done, err := v.enter(id)
	if err != nil {
		return err
	}
	defer done()
	if err := configureAddresses(h, eth0, conf, s); err != nil {
		return err
	}
	if err := configureRoute(h, eth0, s); err != nil {
		return err
	}
	if err := errors.Join(setSegments(h, eth0, plainSegments), setSegments(v.nl, v.ports[id].link, plainSegments)); err != nil {
		return err
	}
	if err := h.LinkSetAlias(eth0, handedOver); err != nil {
		return fmt.Errorf("router: mark eth0 of %s: %w", id, err)
	}
	return nil
}
