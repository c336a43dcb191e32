package escape

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/test/page"
)

//go:generate go test -count=1 -run ^TestPage$ . -update

var update = flag.Bool("update", false, "write the page's tables")

// The page's tables stand between these lines.
var part = page.Part{
	File:   "../../docs/fargate-isolation.md",
	Begins: "<!-- rows of test/escape: make generate writes them -->\n", Ends: "<!-- end of the rows -->\n",
}

// proofs say how a protection was taken away.
var proofs = map[protection]string{
	capabilities: "every capability", seccomp: "no filter", noNewRights: "new privileges", devices: "all devices allowed",
	kernelPaths: "the paths laid open", readOnlySys: "`/sys` writable", processes: "the machine's processes", network: "the machine's network",
	otherNetwork: "the other task's network", ipc: "the other task's IPC", files: "the machine's files mounted", rootChange: "no more than `chroot`, or no root of its own",
	descriptors: "a directory of the machine's left open", limit: "no limit", link: "a network where it answers",
}

// The page is what the rows say.
func TestPage(t *testing.T) {
	part.Keep(t, tables(), *update)
}

// tables are one for each group of rows.
func tables() string {
	var b strings.Builder
	group := ""
	for _, r := range rows {
		g, _, _ := strings.Cut(r.name, ":")
		if g != group {
			group = g
			fmt.Fprintf(&b, "\n### %s\n\n| attempt | stopped on runc by | stopped in a sandbox by | succeeds with |\n|---|---|---|---|\n", strings.ToUpper(g[:1])+g[1:])
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.words, join(r.stops, func(p protection) string { return string(p) }), r.sandbox, join(r.stops, func(p protection) string { return proofs[p] }))
	}
	return b.String() + "\n"
}

func join(stops []protection, words func(protection) string) string {
	var out []string
	for _, p := range stops {
		out = append(out, words(p))
	}
	return strings.Join(out, ", ")
}
