package doctor

import (
	"fmt"
	"slices"
)

// Level says how bad a finding is.
type Level string

const (
	OK   Level = "ok"
	Warn Level = "warn" // works, with the stated restriction
	Fail Level = "FAIL" // tasks will not run right
)

// Finding is what one check found.
type Finding struct {
	Check  string
	Level  Level
	Text   string
	Remedy string // what to do; empty when OK
}

// Blocks is true for what a node cannot even start with. Other failures show in tasks, not at the start.
func (f Finding) Blocks() bool {
	return f.Level == Fail && (f.Check == "user" || f.Check == "port" || f.Check == "agents" || f.Check == "pool" || slices.Contains(requiredTools, f.Check))
}

// String is the finding as doctor prints it.
func (f Finding) String() string {
	text := fmt.Sprintf("%-5s %-23s  %s", f.Level, f.Check, f.Text)
	if f.Remedy != "" {
		text += fmt.Sprintf("\n%-5s %-23s  -> %s", "", "", f.Remedy)
	}
	return text
}

// Examine runs every check.
func Examine(f Facts) []Finding {
	checks := []func(Facts) []Finding{
		user, kernel, cgroups, overlay, tools, runcEscapes, fargate, storage, proxy, port, agents, firewall, pool, nodes, records, disk, region,
	}
	var out []Finding
	for _, check := range checks {
		out = append(out, check(f)...)
	}
	return out
}

func ok(check, text string) []Finding { return []Finding{{Check: check, Level: OK, Text: text}} }

func finding(check string, l Level, text, remedy string) []Finding {
	return []Finding{{Check: check, Level: l, Text: text, Remedy: remedy}}
}
