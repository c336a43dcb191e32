package top

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/berth-ecs/berth/session/hub"
	"github.com/berth-ecs/berth/session/telemetry"
)

// fresh is how old what is shown may be: three of an agent's rounds.
const fresh = time.Minute

// row is a container.
type row struct {
	task hub.TopTask
	hub.TopContainer
	use *telemetry.Sample // nil: nothing was told lately
}

// Render writes the page as text: clusters by name, in each what uses most first.
func Render(w io.Writer, p hub.Top) error {
	rows := rowsOf(p)
	var cpu, memory float64
	for _, r := range rows {
		if r.use != nil {
			cpu, memory = cpu+r.use.CPU, memory+r.use.MemoryMiB
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s  %d tasks, %d containers  cpu %.1f %%  memory %.1f MiB\n\n", p.At.Local().Format(time.TimeOnly), len(p.Tasks), len(rows), cpu, memory)
	t := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "CLUSTER\tTASK\tOF\tCONTAINER\tSTATUS\tHEALTH\tCPU %\tMEMORY MiB\tRX/s\tTX/s\tRESTARTS\tAGE")
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r.cells(p.At), "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func rowsOf(p hub.Top) []row {
	var rows []row
	for _, t := range p.Tasks {
		for _, c := range t.Containers {
			r := row{task: t, TopContainer: c}
			if n := len(c.Samples); n > 0 && p.At.Sub(c.Samples[n-1].At) <= fresh {
				r.use = &c.Samples[n-1]
			}
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.task.Cluster, b.task.Cluster), cmp.Compare(b.cpu(), a.cpu()), cmp.Compare(a.task.TaskARN, b.task.TaskARN))
	})
	return rows
}

func (r row) cpu() float64 {
	if r.use == nil {
		return -1
	}
	return r.use.CPU
}

func (r row) cells(now time.Time) []string {
	of := fmt.Sprintf("%s:%d", r.task.Family, r.task.Revision)
	if r.task.Service != "" {
		of = r.task.Service
	}
	cells := []string{r.task.Cluster, r.task.TaskARN[strings.LastIndexByte(r.task.TaskARN, '/')+1:], of, r.Name,
		cmp.Or(r.LastStatus, r.task.LastStatus), cmp.Or(r.Health, "-")}
	if u := r.use; u == nil {
		cells = append(cells, "-", "-", "-", "-", "-")
	} else {
		memory := strconv.FormatFloat(u.MemoryMiB, 'f', 1, 64)
		if r.Memory != "" {
			memory += " / " + r.Memory
		}
		rx, tx := "-", "-"
		if u.Network {
			rx, tx = bytesOf(u.RxPerSec), bytesOf(u.TxPerSec)
		}
		cells = append(cells, strconv.FormatFloat(u.CPU, 'f', 1, 64), memory, rx, tx, strconv.FormatInt(u.Restarts, 10))
	}
	since := r.task.CreatedAt
	if r.task.StartedAt != nil {
		since = *r.task.StartedAt
	}
	cells = append(cells, age(now.Sub(since)))
	for i, c := range cells {
		cells[i] = plain(c)
	}
	return cells
}

// bytesOf is a number of bytes in three digits or so.
func bytesOf(n float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	i := 0
	for ; n >= 1000 && i < len(units)-1; i++ {
		n /= 1000
	}
	if i == 0 || n >= 100 {
		return fmt.Sprintf("%.0f %s", n, units[i])
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}

// age is a duration in its two largest units.
func age(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}

// plain takes out what would move the cursor.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}
