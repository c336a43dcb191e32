package inventory

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ctrTimeout bounds one question: a containerd that hangs is a finding, not a reason to hang too.
const ctrTimeout = 20 * time.Second

// questions to ctr: what to ask, what the answers are, and how many header lines to skip.
var questions = []struct {
	kind   Kind
	args   []string
	header int
}{
	{Container, []string{"containers", "ls", "-q"}, 0},
	{Task, []string{"tasks", "ls"}, 1},
	{Snapshot, []string{"snapshots", "--snapshotter", "overlayfs", "ls"}, 1},
	{Lease, []string{"leases", "ls"}, 1},
	{Sandbox, []string{"sandboxes", "ls"}, 1},
}

// takeContainerd asks by ctr. No socket means no containerd; then there is nothing to ask.
func (v *Inventory) takeContainerd(ctx context.Context, o Options) {
	if _, err := os.Stat(o.Socket); os.IsNotExist(err) {
		return
	}
	for _, q := range questions {
		lines, err := o.ctr(ctx, q.args...)
		if err != nil {
			v.fail("containerd "+string(q.kind)+"s", err)
			continue
		}
		for i, line := range lines {
			fields := strings.Fields(line)
			if i < q.header || len(fields) == 0 {
				continue
			}
			detail := strings.Join(fields[1:], " ")
			if q.kind == Task && o.letGo(fields[0]) {
				detail = strings.Replace(detail, "CREATED", "RUNNING", 1)
			}
			v.add(q.kind, fields[0], ownerIn(fields[0]), detail)
		}
	}
}

func (o Options) ctr(ctx context.Context, args ...string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, ctrTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, o.Ctr, append([]string{"--address", o.Socket, "--namespace", o.Name, "--connect-timeout", "5s"}, args...)...)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), nil
}

// letGo says that a container's init waits for nobody any more: runc removes its FIFO when it starts the container. The shim still says CREATED
// of one whose start containerd's death cut off after that.
func (o Options) letGo(id string) bool {
	dir := filepath.Join(filepath.Dir(o.Socket), "runc", o.Name, id)
	_, err := os.Lstat(dir)
	_, waits := os.Lstat(filepath.Join(dir, "exec.fifo"))
	return err == nil && os.IsNotExist(waits)
}
