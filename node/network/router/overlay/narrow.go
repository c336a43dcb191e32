package overlay

import "fmt"

// Narrow makes the device take no more than what gets to each node, as far as the machine was told by who is on the way, and says whether that is
// less than before. On IPv4 there is nothing to do: who is on the way cuts what is too large for it. On IPv6 nobody does, and the kernel does not cut
// what it sends itself for VXLAN either.
func (w *Way) Narrow() (bool, error) {
	if w.link == nil || !w.machine.Address.Is6() {
		return false, nil
	}
	least := w.link.Attrs().MTU
	for node := range w.count {
		routes, err := w.machine.NL.RouteGet(node.AsSlice())
		if err != nil {
			continue // there is no way to it at the moment
		}
		for _, r := range routes {
			if r.MTU > overhead6 {
				least = min(least, r.MTU-overhead6)
			}
		}
	}
	if least == w.link.Attrs().MTU {
		return false, nil
	}
	if err := w.nl.LinkSetMTU(w.link, least); err != nil {
		return false, fmt.Errorf("router: MTU of the overlay: %w", err)
	}
	w.link.Attrs().MTU, w.narrowest = least, least
	return true, nil
}
