package tryout

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/node/network/lan"
)

// Region is one of several machines.
type Region struct {
	Settings config.Settings // required; of the installation. The machines' derive from it
	Environ  []string        // required; of this process
	Exe      string          // required; the program that the machines run
	Show     func(string)    // required; hears what is done, a line each
	// Ticket makes one by asking the region. Required.
	Ticket func(context.Context, joining.Role) (string, error)
}

// Ports of the servers.
const (
	agentPort = "8443"
	peerPort  = "2380"
)

// most characters of an installation's name, so that the machines' names are good ones, too.
const most = 5

func (r *Region) check() error {
	if r.Settings.SharesEtcd() {
		return errors.New("several machines on one keep their records themselves: leave out etcd")
	}
	if len(r.Settings.Name) > most {
		return fmt.Errorf("the name %q is too long for an installation of several machines, whose names begin with it: at most %d characters", r.Settings.Name, most)
	}
	return nil
}

// name is a machine's installation, and its namespace.
func (r *Region) name(m Machine) string { return r.Settings.Name + m.Name }

// DataDir is what of a machine must survive a restart.
func DataDir(installation, machine string) string {
	return filepath.Join(installation, "hosts", machine)
}

func (r *Region) logFile(m Machine) string { return DataDir(r.Settings.DataDir, m.Name) + ".log" }

func (r *Region) wire() lan.Wire { return lan.Wire(r.Settings.Name + "wire") }

func (r *Region) plug(p *Plan, m Machine) lan.Machine {
	return lan.Machine{Name: r.name(m), Port: m.Name, Address: p.address(m.Number), Router: p.address(doorNumber).Addr()}
}

// door has a name of those of the installation's links that other programs' firewalls are told to let through.
func (r *Region) door(p *Plan) lan.Door {
	return lan.Door{Link: r.Settings.Name + ".wire", Table: r.Settings.Name + "_wire", Address: p.address(doorNumber)}
}

// settings are a machine's.
func (r *Region) settings(p *Plan, m Machine) config.Settings {
	s := r.Settings
	s.Name, s.ServerName = r.name(m), m.Name
	s.DataDir, s.RunDir = DataDir(r.Settings.DataDir, m.Name), filepath.Join(r.Settings.RunDir, m.Name)
	_, port, _ := net.SplitHostPort(r.Settings.Listen) // it was checked
	s.Listen = net.JoinHostPort("127.0.0.1", port)
	s.AgentListen, s.AgentNames, s.AgentCertificate, s.AgentKey, s.PeerListen, s.PeerAddress = "", nil, "", "", "", ""
	at := p.address(m.Number).Addr()
	s.NodeAddress, s.Join, s.ClockOffset = at, "", m.Clock
	if m.Role == joining.Server {
		s.AgentListen, s.AgentNames = net.JoinHostPort(at.String(), agentPort), []string{at.String()}
		s.PeerListen = net.JoinHostPort(at.String(), peerPort)
		s.PeerAddress = s.PeerListen
	} else {
		s.AccessKey, s.SecretKey, s.Zone = "", "", m.Zone
		s.FargateStorage = share(r.Settings, p.count(joining.Node))
	}
	s.Server = strings.Join(r.servers(p, m), ",")
	return s
}

// servers are the URLs that a machine joins at and goes to: the other servers'.
func (r *Region) servers(p *Plan, m Machine) []string {
	var out []string
	for _, s := range p.of(joining.Server) {
		if s.Name != m.Name && !s.Lost {
			out = append(out, "https://"+net.JoinHostPort(p.address(s.Number).Addr().String(), agentPort))
		}
	}
	if len(out) == 0 {
		out = []string{r.Settings.Endpoint()}
	}
	return out
}

// environ is that of everything that runs on a machine.
func (r *Region) environ(p *Plan, m Machine, more ...string) []string {
	return r.environOf(r.settings(p, m), more...)
}

func (r *Region) environOf(s config.Settings, more ...string) []string {
	return slices.Concat(r.Environ, []string{config.FileVariable + "="}, s.Environ(), more)
}

// has says whether there is something at a path of a machine's data.
func (r *Region) has(m Machine, path ...string) bool {
	_, err := os.Stat(filepath.Join(append([]string{DataDir(r.Settings.DataDir, m.Name)}, path...)...))
	return err == nil
}

// recorded: a server that has records needs no ticket.
func (r *Region) recorded(m Machine) bool { return r.has(m, "etcd") || r.has(m, "machine.json") }
