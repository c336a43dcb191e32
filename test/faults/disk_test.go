package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/hold/logfile"
	"github.com/berth-ecs/berth/test/installation"
)

// disk is a small one: it is full when the test says so.
type disk struct {
	t   *testing.T
	dir string
}

func newDisk(t *testing.T, mib int) disk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	d := disk{t, t.TempDir()}
	if err := unix.Mount("tmpfs", d.dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mib)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(d.dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d disk) data() string { return filepath.Join(d.dir, "data") }

// free is how many bytes there are.
func (d disk) free() uint64 {
	var s unix.Statfs_t
	if err := unix.Statfs(d.dir, &s); err != nil {
		d.t.Fatal(err)
	}
	return s.Bavail * uint64(s.Bsize)
}

// count prints numbers, ten a second.
const count = `trap 'exit 0' TERM; i=0; while :; do i=$((i+1)); echo $i; usleep 100000; done`

// TestDiskFull has a container fill its writable layer, and with it the disk that everything of the region is on.
func TestDiskFull(t *testing.T) {
	d := newDisk(t, 360)
	if err := os.Mkdir(d.data(), 0o711); err != nil {
		t.Fatal(err)
	}
	w := begin(t, installation.Options{DataDir: d.data()})
	bystander, printer := w.running(define("bystander", idle)), w.running(define("printer", count))
	processes := []int{w.first(bystander), w.first(printer)}
	fill := define("filler", `trap 'exit 0' TERM; while ! dd if=/dev/zero of=/f bs=1M count=1000 2>/dev/null; do break; done; while :; do cat /dev/zero >> /g; sleep 1; done`)
	fill.ContainerDefinitions[0].Memory = aws.Int32(1024) // a disk in memory is the memory of who writes to it
	filler := w.running(fill)
	w.eventually("the disk is full", func() error {
		if n := d.free(); n > 0 {
			return fmt.Errorf("%d bytes are free", n)
		}
		return nil
	})
	// What is answered while nothing can be written is an answer, or an error of the server's; never a lost write.
	var accepted []string
	var refused int
	w.while(5*time.Second, func() {
		out, err := w.ECS.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("bystander")})
		switch {
		case err != nil:
			refused++
		default:
			for _, task := range out.Tasks {
				accepted = append(accepted, aws.ToString(task.TaskArn))
			}
		}
	})
	t.Logf("while the disk was full: %d tasks accepted, %d calls refused", len(accepted), refused)
	for i, arn := range []string{bystander, printer} {
		if now := w.first(arn); now != processes[i] {
			t.Errorf("process %d became %d", processes[i], now)
		}
	}
	w.alive()
	w.stop(filler)
	for _, arn := range accepted {
		w.eventually("an accepted task has an outcome", func() error {
			if s := w.status(arn); s != "RUNNING" && s != "STOPPED" {
				return fmt.Errorf("%s is %s", arn, s)
			}
			return nil
		})
	}
	w.stop(w.running(define("after", idle)))
	for i, arn := range []string{bystander, printer} {
		if now := w.first(arn); now != processes[i] {
			t.Errorf("process %d became %d", processes[i], now)
		}
	}
	w.stop(printer)
	w.inOrder(printer)
}

// alive: neither the server nor the node has ended for want of room.
func (w *world) alive() {
	w.t.Helper()
	for _, r := range []installation.Role{installation.Server, installation.Node} {
		select {
		case <-w.Ended(r):
			w.t.Fatalf("the %s has ended:\n%s", r, w.LastLog(8))
		default:
		}
	}
}

// inOrder: the numbers a task printed are all there.
func (w *world) inOrder(arn string) {
	w.t.Helper()
	n := 0
	for line, err := range logfile.Read(w.t.Context(), filepath.Join(w.DataDir, "logs"), arn[strings.LastIndexByte(arn, '/')+1:], "main") {
		if n++; err != nil || string(line.Text) != strconv.Itoa(n) {
			w.t.Fatalf("line %d of the output is %q (%v)", n, line.Text, err)
		}
	}
	if n < 30 {
		w.t.Errorf("the output has %d lines", n)
	}
}
