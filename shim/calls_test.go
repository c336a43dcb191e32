package main

import (
	"encoding/json"
	"os"
	"testing"

	"gvisor.dev/gvisor/pkg/sentry/control"
	"gvisor.dev/gvisor/runsc/boot"
	"gvisor.dev/gvisor/runsc/config"
)

// berth's node calls sandboxes itself, with types of its own. What it asks is written down beside it: gVisor of this version understands it.
func TestCallsOfTheNode(t *testing.T) {
	var links boot.CreateLinksAndRoutesArgs
	read(t, "links.json", &links)
	if len(links.FDBasedLinks) != 1 || len(links.LoopbackLinks) != 1 {
		t.Fatalf("%+v", links)
	}
	l := links.FDBasedLinks[0]
	if l.Name != "eth0" || l.LinkAddress.String() != "0a:00:00:00:00:01" || l.Addresses[0].String() != "10.0.1.7/24" || l.QDisc != config.QDiscFIFO ||
		!l.PreConfigured || !l.IsPacket[0] || l.NumChannels != 1 || l.MTU != 9001 || !l.RXChecksumOffload || l.TXChecksumOffload ||
		l.Routes[0].Destination.String() != "10.0.1.0/24" {
		t.Errorf("%+v", l)
	}
	if g := links.Defaultv4Gateway; g.Name != "eth0" || g.Route.Gateway.String() != "10.0.1.1" || g.Route.Destination.String() != "0.0.0.0/0" {
		t.Errorf("%+v", g)
	}
	var naming control.ExecArgs
	read(t, "execution.json", &naming)
	if naming.ContainerID != "first" || naming.Filename != "/wait" || len(naming.Argv) != 3 || naming.Capabilities.EffectiveCaps == 0 {
		t.Errorf("%+v", naming)
	}
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	f, err := os.Open("../node/runtime/sandbox/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
