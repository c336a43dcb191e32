package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/cmd/berth/unit"
	"github.com/berth-ecs/berth/internal/config"
)

type unitCommand struct {
	Kind string `arg:"" help:"What the unit runs: server, node, up (both in one process), or slice (the unit that those are in)." enum:"server,node,up,slice"`
}

func (c unitCommand) Run(a *app) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("unit: %w", err)
	}
	environment, err := a.unitEnvironment()
	if err != nil {
		return fmt.Errorf("unit: %w", err)
	}
	a.printf("%s", unit.Text(unit.Of{
		Kind: unit.Kind(c.Kind), Exe: exe, DataDir: a.settings.DataDir, RunDir: a.settings.RunDir, Environment: environment,
	}))
	return nil
}

// unitEnvironment are the settings that this command line and its environment say: those of the file the unit's process reads itself. Secrets are not
// for a file that everybody may read.
func (a *app) unitEnvironment() ([]string, error) {
	file, err := readFile(a.configFile)
	if err != nil {
		return nil, err
	}
	base, err := config.Load(config.Layers{File: file})
	if err != nil {
		return nil, err
	}
	was := base.Environ()
	var out []string
	if a.configFile != "" {
		out = append(out, config.FileVariable+"="+a.configFile)
	}
	secrets := map[string]bool{}
	for _, k := range config.Keys() {
		secrets[k.Env()] = k.Secret
	}
	for _, e := range a.settings.Environ() {
		if name, _, _ := strings.Cut(e, "="); !slices.Contains(was, e) && !secrets[name] {
			out = append(out, e)
		}
	}
	return out, nil
}
