package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/joining"
)

type ticketCommand struct {
	Role string        `arg:"" help:"What the machine will be: node or server." enum:"node,server"`
	For  time.Duration `help:"How long the ticket is good." default:"1h"`
}

func (c ticketCommand) Run(ctx context.Context, a *app) error {
	in := joining.TicketRequest{Role: joining.Role(c.Role), Account: a.settings.Account, Region: a.settings.Region, Seconds: int64(c.For.Seconds())}
	var out joining.TicketAnswer
	if err := a.operate(ctx, http.MethodPost, joining.TicketsPath, in, &out); err != nil {
		return fmt.Errorf("ticket: %w", err)
	}
	more := ""
	switch {
	case c.Role != "server":
	case a.settings.SharesEtcd():
		more = " --agent-listen HOST:PORT" + sharedEtcd(a.settings)
	default:
		more = " --agent-listen HOST:PORT --peer-listen HOST:PORT"
	}
	a.printf("berth %s --server %s --join %s%s\n", c.Role, strings.Join(out.Servers, ","), out.Ticket, more)
	return nil
}

// sharedEtcd is what another server is told of the etcd that it is to share.
func sharedEtcd(s config.Settings) string {
	var out strings.Builder
	fmt.Fprintf(&out, " --etcd %s --etcd-prefix %s", strings.Join(s.Etcd, ","), s.EtcdPrefix)
	for _, f := range [][2]string{{"--etcd-ca", s.EtcdCA}, {"--etcd-certificate", s.EtcdCertificate}, {"--etcd-key", s.EtcdKey}} {
		if f[1] != "" {
			fmt.Fprintf(&out, " %s %s", f[0], f[1])
		}
	}
	return out.String()
}

type machinesCommand struct {
	List   machinesListCommand   `cmd:"" default:"1" help:"Show the servers and the machines that joined."`
	Remove machinesRemoveCommand `cmd:"" help:"Remove a machine that is lost: its certificate and keys are good for nothing, its tasks are given up."`
	Server machinesServerCommand `cmd:"" name:"remove-server" help:"Remove a server that is lost from those that keep the records."`
}

type machinesListCommand struct{}

func (machinesListCommand) Run(ctx context.Context, a *app) error {
	var out joining.Fleet
	if err := a.operate(ctx, http.MethodGet, joining.FleetPath, nil, &out); err != nil {
		return fmt.Errorf("machines: %w", err)
	}
	table := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "SERVER\tNODES REACH IT AT\tSERVERS REACH IT AT\tVERSION\tROLE")
	for _, s := range out.Servers {
		role := "joining"
		switch {
		case s.Leader:
			role = "leads"
		case s.Voter:
			role = "follows"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.Name, s.Address, cmp.Or(s.Peer, "-"), cmp.Or(s.Version, "-"), role)
	}
	fmt.Fprintln(table, "\nMACHINE\tROLE\tNAME\tACCOUNT\tREGION\tJOINED")
	for _, m := range out.Machines {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", m.ID, m.Role, m.Name, m.Home.Account, m.Home.Region, m.Joined.Format(time.RFC3339))
	}
	return table.Flush()
}

type machinesRemoveCommand struct {
	ID string `arg:"" help:"The machine, as berth machines shows it."`
}

func (c machinesRemoveCommand) Run(ctx context.Context, a *app) error {
	if err := a.operate(ctx, http.MethodDelete, joining.FleetPath+"/"+c.ID, nil, nil); err != nil {
		return fmt.Errorf("machines remove: %w", err)
	}
	return nil
}

type machinesServerCommand struct {
	Name string `arg:"" help:"The server, as berth machines shows it."`
}

func (c machinesServerCommand) Run(ctx context.Context, a *app) error {
	if err := a.operate(ctx, http.MethodDelete, joining.FleetPath+"/server/"+c.Name, nil, nil); err != nil {
		return fmt.Errorf("machines remove-server: %w", err)
	}
	return nil
}

type backupCommand struct {
	File string `arg:"" help:"Where to write it; it must not be there." type:"path"`
}

func (c backupCommand) Run(ctx context.Context, a *app) error {
	if _, err := os.Lstat(c.File); err == nil {
		return fmt.Errorf("backup: %s is there already", c.File)
	}
	resp, err := a.signed(ctx, http.MethodGet, joining.BackupPath, nil)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer resp.Body.Close()
	making, err := os.CreateTemp(filepath.Dir(c.File), ".berth-backup-")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { _ = os.Remove(making.Name()) }() // it has its own name by then, or is worth nothing
	n, err := io.Copy(making, resp.Body)
	if err == nil {
		err = making.Sync()
	}
	if cerr := making.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(making.Name(), c.File)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	a.printf("%s: %d bytes. The keys in %s belong to it: keep them, too.\n", c.File, n, a.settings.DataDir)
	return nil
}

type restoreCommand struct {
	File string `arg:"" help:"The backup." type:"existingfile"`
}

func (c restoreCommand) Run(ctx context.Context, a *app) error {
	if err := a.parts.restore(ctx, a.settings, a.log, c.File); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	a.printf("%s holds what the backup has. Start this server, then let the others join it with empty data directories.\n", a.settings.DataDir)
	return nil
}

// operate asks the server of this machine as root: in and out are JSON, nil for none.
func (a *app) operate(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	resp, err := a.signed(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(data, out)
}

// signed asks as root; an answer that is not good is an error in the server's words.
func (a *app) signed(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	signer, err := a.rootSigner("ecs")
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, a.settings.Endpoint()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	signer.Sign(r, body, clock.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if resp.StatusCode == http.StatusNotFound && len(text) == 0 || strings.Contains(string(text), "UnknownOperation") {
		return nil, errors.New("this server is alone: machines join one that has agent-listen")
	}
	return nil, errors.New(strings.TrimSpace(string(text)))
}
