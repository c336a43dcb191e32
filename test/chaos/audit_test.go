package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/audit/inventory"
	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

// audit waits until every machine has exactly what the live tasks need. What a task left goes a moment after its end.
func (w *world) audit(what string) {
	w.t.Helper()
	installation.Eventually(w.t, what+": the audit", func(ctx context.Context) error {
		live, err := w.live(ctx, w.ecs[0])
		if err != nil {
			return err
		}
		findings, err := w.interfaces(ctx, live)
		if err != nil {
			return err
		}
		for _, h := range slices.Concat(w.nodes, w.servers) {
			found, err := w.auditOne(ctx, h, live)
			if err != nil {
				return err
			}
			for _, f := range found {
				findings = append(findings, h.Name+": "+f)
			}
		}
		if len(findings) > 0 {
			return fmt.Errorf("%d findings:\n\t%s", len(findings), strings.Join(findings, "\n\t"))
		}
		return nil
	})
}

// auditOne looks at one machine: what its tasks have, and where it sends what is for tasks of the VPC on others.
func (w *world) auditOne(ctx context.Context, h *hosts.Host, live []types.Task) ([]string, error) {
	v, err := h.Audit(ctx)
	if err != nil {
		return nil, err
	}
	var here []inventory.Running
	elsewhere, mine := map[string]string{}, false
	for _, t := range live {
		at, id, eni := w.at[aws.ToString(t.ContainerInstanceArn)], rounds.ShortID(aws.ToString(t.TaskArn)), detail(t, "networkInterfaceId")
		if at != h && eni != "" {
			elsewhere[detail(t, "privateIPv4Address")] = at.Address.String()
		}
		if at != h {
			continue
		}
		mine = mine || eni != ""
		endpoint := id + "-0"
		if eni != "" {
			endpoint = eni
		}
		here = append(here, inventory.Running{TaskID: id, ID: id + "-0", Endpoint: endpoint})
	}
	if !mine {
		clear(elsewhere) // of a VPC that is not here nothing needs to be known
	}
	return slices.Concat(inventory.Expect(v, here), inventory.ExpectWays(v, w.vpc, elsewhere), guarded(v, elsewhere)), nil
}

// guarded: VXLAN is let in from exactly the nodes that there are ways to.
func guarded(v inventory.Inventory, elsewhere map[string]string) (findings []string) {
	want := map[string]bool{}
	for _, node := range elsewhere {
		want[node] = true
	}
	for _, i := range v.Of(inventory.Element) {
		if _, key, ok := strings.Cut(i.Key, " peers: "); ok {
			node := key[strings.LastIndexByte(key, ' ')+1:]
			if !want[node] {
				findings = append(findings, "lets in: "+i.String())
			}
			delete(want, node)
		}
	}
	for node := range want {
		findings = append(findings, "does not let in "+node)
	}
	return findings
}

// interfaces: there are those of live tasks and no others, each with an address of its own.
func (w *world) interfaces(ctx context.Context, live []types.Task) (findings []string, err error) {
	var found struct {
		Interfaces []struct {
			ID      string `xml:"networkInterfaceId"`
			Address string `xml:"privateIpAddress"`
			Status  string `xml:"status"`
			About   string `xml:"description"`
		} `xml:"networkInterfaceSet>item"`
	}
	if err := w.servers[0].AskEC2(ctx, &found, "DescribeNetworkInterfaces"); err != nil {
		return nil, err
	}
	want, owner := map[string]bool{}, map[string]string{}
	for _, t := range live {
		if id := detail(t, "networkInterfaceId"); id != "" {
			want[id] = true
		}
	}
	for _, i := range found.Interfaces {
		if i.About == "Primary network interface" { // of a node
			continue
		}
		if !want[i.ID] {
			findings = append(findings, fmt.Sprintf("interface %s, %s, is nobody's: %s", i.ID, i.Status, i.About))
		}
		if other := owner[i.Address]; other != "" {
			findings = append(findings, fmt.Sprintf("%s is the address of %s and of %s", i.Address, i.ID, other))
		}
		owner[i.Address] = i.ID
		delete(want, i.ID)
	}
	for id := range want {
		findings = append(findings, "interface "+id+" of a live task is not there")
	}
	return findings, nil
}

// detail is what a task says of its interface.
func detail(t types.Task, name string) string {
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			if aws.ToString(d.Name) == name {
				return aws.ToString(d.Value)
			}
		}
	}
	return ""
}
