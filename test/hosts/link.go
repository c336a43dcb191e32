package hosts

import (
	"fmt"
	"os/exec"
	"time"

	"github.com/berth-ecs/berth/node/network/lan"
)

// Cut takes the host off the wire. Nobody is told: what was open stays so until it is missed.
func (h *Host) Cut() {
	h.world.t.Helper()
	h.must(h.world.wire().Cut(h.machine().Port, true))
}

// Mend undoes Cut, Slow, Lose and Part.
func (h *Host) Mend() {
	h.world.t.Helper()
	for _, o := range h.parted {
		h.must(h.route("del", o))
	}
	h.parted = nil
	h.must(h.straight())
	h.must(h.world.wire().Cut(h.machine().Port, false))
}

// Slow has each packet to and from the host take that much longer, and up to a jitter more. Packets keep their order.
func (h *Host) Slow(delay, jitter time.Duration) {
	h.world.t.Helper()
	h.shape.Delay, h.shape.Jitter = delay, jitter
	h.bend()
}

// Lose has that many of a hundred packets to and from the host go astray; 0 none.
func (h *Host) Lose(percent float64) {
	h.world.t.Helper()
	h.shape.Loss = percent
	h.bend()
}

// bend gives the link its shape. The relay is this process's: it ends with the test.
func (h *Host) bend() {
	h.world.t.Helper()
	if h.relay != nil {
		h.relay.Set(h.shape)
		return
	}
	var err error
	h.relay, err = h.world.wire().Relay(h.machine().Port, h.shape)
	h.must(err)
}

// straight takes the relay out of the link's way.
func (h *Host) straight() error {
	r := h.relay
	h.relay, h.shape = nil, lan.Shape{}
	if r == nil {
		return nil
	}
	return r.Close()
}

func (h *Host) must(err error) {
	h.world.t.Helper()
	if err != nil {
		h.world.t.Fatal(err)
	}
}

// Part keeps the host from others, and them from it: its ways to the rest are as they were.
func (h *Host) Part(others ...*Host) {
	h.world.t.Helper()
	for _, o := range others {
		h.must(h.route("replace", o))
	}
	h.parted = append(h.parted, others...)
}

// route makes or takes away a way to another host that ends at once.
func (h *Host) route(verb string, to *Host) error {
	out, err := exec.Command("ip", "-n", h.Name, "route", verb, "blackhole", to.Address.String()+"/32").CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip route %s blackhole %s on %s: %w\n%s", verb, to.Address, h.Name, err, out)
	}
	return nil
}
