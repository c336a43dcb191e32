package tryout

import (
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/joining"
)

// Seen is a machine as it is.
type Seen struct {
	Machine
	Address netip.Addr
	State   string // runs, stopped, died, lost
	Log     string
	Data    string
}

// List shows the machines.
func (r *Region) List() ([]Seen, error) {
	p, err := load(r.Settings.DataDir)
	if err != nil {
		return nil, err
	}
	if len(p.Machines) == 0 {
		return nil, errNone
	}
	var out []Seen
	for _, m := range p.Machines {
		pids, err := Processes(r.name(m))
		if err != nil {
			return nil, err
		}
		s := Seen{Machine: m, Address: p.address(m.Number).Addr(), State: "died", Log: r.logFile(m), Data: DataDir(r.Settings.DataDir, m.Name)}
		switch {
		case m.Lost:
			s.State = "lost"
		case len(pids) > 0:
			s.State = "runs"
		case m.Stopped:
			s.State = "stopped"
		}
		out = append(out, s)
	}
	return out, nil
}

// Nodes are the settings of each node, Servers of each server; of none that is lost.
func (r *Region) Nodes() ([]config.Settings, error) { return r.settingsOf(joining.Node) }

// Servers are the settings of each server that is not lost.
func (r *Region) Servers() ([]config.Settings, error) { return r.settingsOf(joining.Server) }

func (r *Region) settingsOf(role joining.Role) ([]config.Settings, error) {
	p, err := load(r.Settings.DataDir)
	if err != nil {
		return nil, err
	}
	var out []config.Settings
	for _, m := range slices.DeleteFunc(p.of(role), func(m Machine) bool { return m.Lost }) {
		out = append(out, r.settings(&p, m))
	}
	return out, nil
}
