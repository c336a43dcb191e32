package tryout

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/berth-ecs/berth/internal/whole"
	"github.com/berth-ecs/berth/node/network/netspace"
)

// planPath is where the plan is: what survives a reboot.
func planPath(dataDir string) string { return filepath.Join(dataDir, "hosts.json") }

// There says whether an installation is of several machines.
func There(dataDir string) bool {
	_, err := os.Stat(planPath(dataDir))
	return err == nil
}

// load reads the plan; without one it is empty.
func load(dataDir string) (Plan, error) {
	var p Plan
	data, err := os.ReadFile(planPath(dataDir))
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		return p, fmt.Errorf("the machines of %s: %w", dataDir, err)
	}
	return p, nil
}

func (r *Region) save(p Plan) error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.Settings.DataDir, 0o755); err != nil {
		return err
	}
	return whole.Write(planPath(r.Settings.DataDir), append(data, '\n'), 0o600)
}

// alone has one command at a time change the machines.
func (r *Region) alone() (release func(), err error) {
	if err := os.MkdirAll(r.Settings.RunDir, 0o755); err != nil {
		return nil, err
	}
	l, err := netspace.Lock(filepath.Join(r.Settings.RunDir, "hosts.lock"))
	if err != nil {
		return nil, fmt.Errorf("another command is at the machines: %w", err)
	}
	return func() { _ = l.Close() }, nil
}

// change reads the plan, has f change it, and stores it, alone. What f did to the machines stays when it fails.
func (r *Region) change(f func(*Plan) error) error {
	release, err := r.alone()
	if err != nil {
		return err
	}
	defer release()
	p, err := load(r.Settings.DataDir)
	if err != nil {
		return err
	}
	return f(&p)
}
