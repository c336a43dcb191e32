// Command audit prints what an installation really has on this machine: namespaces, links, rules, mounts, cgroups,
// processes, ports, and containerd's records. It reads the kernel and asks containerd; berth itself is not asked.
//
//	go run ./test/audit -name berth          text, one thing a line
//	go run ./test/audit -name berth -json    the same as JSON
//	go run ./test/audit -name berth -empty   exit 1 when anything is there: after `berth down`
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/berth-ecs/berth/test/audit/inventory"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, w io.Writer) error {
	var o inventory.Options
	flags := flag.NewFlagSet("audit", flag.ContinueOnError)
	flags.StringVar(&o.Name, "name", "berth", "the installation")
	flags.StringVar(&o.RunDir, "run", "", "its run directory (default /run/NAME)")
	flags.StringVar(&o.DataDir, "data", "", "its data directory (default /var/lib/NAME)")
	flags.StringVar(&o.Ctr, "ctr", "", "containerd's client (default /opt/berth/bin/ctr)")
	flags.StringVar(&o.Socket, "socket", "", "containerd's socket (default RUN/containerd.sock)")
	asJSON := flags.Bool("json", false, "print JSON")
	empty := flags.Bool("empty", false, "fail when anything is there")
	if err := flags.Parse(args); err != nil {
		return err
	}
	v, err := inventory.Take(ctx, o)
	if err != nil {
		return err
	}
	if err := show(w, v, *asJSON); err != nil {
		return err
	}
	if found := inventory.Empty(v); *empty && len(found) > 0 {
		return fmt.Errorf("installation %s left %d things behind", o.Name, len(found))
	}
	if len(v.Problems) > 0 {
		return fmt.Errorf("%d things could not be read", len(v.Problems))
	}
	return nil
}

func show(w io.Writer, v inventory.Inventory, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	for _, i := range v.Items {
		if _, err := fmt.Fprintln(w, i); err != nil {
			return err
		}
	}
	for _, p := range v.Problems {
		if _, err := fmt.Fprintln(w, "problem:", p); err != nil {
			return err
		}
	}
	return nil
}
