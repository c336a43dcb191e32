package tryout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/disk"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/node/network/lan"
	"github.com/berth-ecs/berth/node/network/netspace"
)

// endPatience is how long a process may take to end by itself.
const endPatience = 10 * time.Second

// Stop ends the server or node of machines, in order or by SIGKILL. What runs on them runs on.
func (r *Region) Stop(ctx context.Context, names []string, s syscall.Signal) error {
	return r.each(names, func(p *Plan, m *Machine) error {
		m.Stopped = s != syscall.SIGKILL
		if err := r.save(*p); err != nil {
			return err
		}
		return r.end(ctx, *m, s)
	})
}

// Start starts machines that do not run. One that was lost is another in its place.
func (r *Region) Start(ctx context.Context, names []string) error {
	return r.each(names, func(p *Plan, m *Machine) error {
		if m.Lost {
			m.Link, m.Clock = Link{}, 0
		}
		m.Stopped, m.Lost = false, false
		if err := r.save(*p); err != nil {
			return err
		}
		return r.bring(ctx, p, *m)
	})
}

// Clock sets the clocks of machines that far off, and starts anew what runs there.
func (r *Region) Clock(ctx context.Context, names []string, offset time.Duration) error {
	return r.each(names, func(p *Plan, m *Machine) error {
		m.Clock = offset
		if err := r.save(*p); err != nil || m.Lost || m.Stopped {
			return err
		}
		if err := r.end(ctx, *m, syscall.SIGTERM); err != nil {
			return err
		}
		return r.startAll(ctx, p, []Machine{*m})
	})
}

// bring makes a machine, as far as it is not there, and starts it.
func (r *Region) bring(ctx context.Context, p *Plan, m Machine) error {
	if !netspace.Mounted(lan.Space(r.name(m))) {
		if err := r.wire().Plug(r.plug(p, m)); err != nil {
			return err
		}
	}
	if err := r.again(ctx); err != nil {
		return err
	}
	return r.startAll(ctx, p, []Machine{m})
}

// Add adds a machine and starts it.
func (r *Region) Add(ctx context.Context, role joining.Role) (added Machine, err error) {
	return added, r.change(func(p *Plan) error {
		if len(p.Machines) == 0 {
			return errNone
		}
		if len(p.Machines) >= mostMachines {
			return fmt.Errorf("there are %d machines, and no more can be", mostMachines)
		}
		added = p.Add(role, r.Settings.ZonesOf(r.Settings.Region))
		if err := r.save(*p); err != nil {
			return err
		}
		return r.bring(ctx, p, added)
	})
}

// Lose takes machines away with their disks: nothing on them ends in order, and nobody hears from them again.
func (r *Region) Lose(ctx context.Context, names []string) error {
	return r.each(names, func(p *Plan, m *Machine) error { return r.lose(ctx, p, m) })
}

func (r *Region) lose(ctx context.Context, p *Plan, m *Machine) error {
	if netspace.Mounted(lan.Space(r.name(*m))) {
		if err := r.wire().Cut(m.Name, true); err != nil {
			return err
		}
	}
	m.Lost, m.Stopped, m.Link = true, false, Link{}
	if err := r.save(*p); err != nil {
		return err
	}
	if err := r.again(ctx); err != nil {
		return err
	}
	if err := r.end(ctx, *m, syscall.SIGKILL); err != nil {
		return err
	}
	if err := r.clear(ctx, p, *m, true); err != nil {
		return err
	}
	return r.wire().Unplug(r.plug(p, *m))
}

// Remove is Lose for machines that nobody will miss: they are not in the plan afterwards.
func (r *Region) Remove(ctx context.Context, names []string) error {
	return r.each(names, func(p *Plan, m *Machine) error {
		if err := r.lose(ctx, p, m); err != nil {
			return err
		}
		name := m.Name
		for i := range p.Machines {
			if p.Machines[i].Name == name {
				p.Machines = append(p.Machines[:i], p.Machines[i+1:]...)
				break
			}
		}
		return r.save(*p)
	})
}

// Bend makes the links of machines what f says.
func (r *Region) Bend(ctx context.Context, names []string, f func(*Link)) error {
	return r.each(names, func(p *Plan, m *Machine) error {
		if m.Lost {
			return fmt.Errorf("it is lost: berth host start %s puts another in its place", m.Name)
		}
		f(&m.Link)
		if err := r.save(*p); err != nil {
			return err
		}
		if err := r.again(ctx); err != nil {
			return err
		}
		return r.wire().Cut(m.Name, m.Link.Cut)
	})
}

// Run runs a program on a machine, with its settings.
func (r *Region) Run(ctx context.Context, name string, args []string, out, complaint io.Writer) error {
	p, m, err := r.find(name)
	if err != nil {
		return err
	}
	cmd := r.command(ctx, &p, m, args)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, out, complaint
	return r.run(m, cmd)
}

// command is one with a machine's settings.
func (r *Region) command(ctx context.Context, p *Plan, m Machine, args []string) *exec.Cmd {
	program := args[0]
	if program == "berth" {
		program = r.Exe
	}
	cmd := exec.CommandContext(ctx, program, args[1:]...)
	cmd.Env = r.environ(p, m)
	return cmd
}

func (r *Region) run(m Machine, cmd *exec.Cmd) error {
	if err := netspace.InsideAt(lan.Space(r.name(m)), cmd.Start); err != nil {
		return err
	}
	return cmd.Wait()
}

// clear removes what a machine runs, and its data if it is asked to.
func (r *Region) clear(ctx context.Context, p *Plan, m Machine, purge bool) error {
	if err := r.end(ctx, m, syscall.SIGTERM); err != nil {
		return err
	}
	if netspace.Mounted(lan.Space(r.name(m))) {
		var said strings.Builder
		cmd := r.command(ctx, p, m, []string{"berth", "down"})
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := r.run(m, cmd); err != nil {
			return fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
		}
	}
	if !purge {
		return nil
	}
	return errors.Join(os.RemoveAll(DataDir(r.Settings.DataDir, m.Name)), os.RemoveAll(r.logFile(m)))
}

// errNone is what commands say about an installation of one machine.
var errNone = errors.New("there are no machines here: berth up --servers 3 --nodes 5 makes some")

// each changes machines one after the other.
func (r *Region) each(names []string, f func(*Plan, *Machine) error) error {
	return r.change(func(p *Plan) error {
		for _, name := range names {
			m := p.Machine(name)
			if m == nil {
				return unknown(p, name)
			}
			if err := f(p, m); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
}

func unknown(p *Plan, name string) error {
	if len(p.Machines) == 0 {
		return errNone
	}
	var all []string
	for _, m := range p.Machines {
		all = append(all, m.Name)
	}
	return fmt.Errorf("there is no machine %q: they are %s", name, strings.Join(all, ", "))
}

func (r *Region) find(name string) (Plan, Machine, error) {
	p, err := load(r.Settings.DataDir)
	if err != nil {
		return p, Machine{}, err
	}
	m := p.Machine(name)
	if m == nil {
		return p, Machine{}, unknown(&p, name)
	}
	if m.Lost {
		return p, *m, fmt.Errorf("%s is lost: berth host start %s puts another in its place", name, name)
	}
	return p, *m, nil
}

// again has the front read the plan, if it runs: when it begins it reads it anyway. One that is just beginning or just ending does not answer yet, or
// any more.
func (r *Region) again(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", r.socket())
	}}}
	patience, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	for {
		_, running, err := background.Running(r.Settings.PIDFile())
		if err != nil || !running {
			return err
		}
		answered, err := askAgain(patience, client)
		if answered {
			return err
		}
		select {
		case <-patience.Done():
			return fmt.Errorf("the endpoint's process does not answer: %w", err)
		case <-time.After(endEvery):
		}
	}
}

// askAgain asks once. It tells whether there was an answer.
func askAgain(ctx context.Context, client *http.Client) (answered bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://front"+againPath, nil)
	if err != nil {
		return true, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return true, nil
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	return true, fmt.Errorf("the endpoint's process: %s", strings.TrimSpace(string(said)))
}

// share is a node's part of the disk, which is every node's.
func share(s config.Settings, nodes int) int {
	size, err := disk.Size(s.DataDir)
	if err != nil || nodes == 0 {
		return s.FargateStorage
	}
	return max(1, int(s.StorageGiB(size))/nodes)
}
