// Command burst measures how fast a burst of tasks comes to run: RunTask of 100 tasks at once in a whole region, beside `ctr run -d` on the
// same containerd and bare `runc run -d`, each called for 100 containers, so many at a time. Host network, image present.
//
// Every arm ends when the last of its containers has said, first of all, that it runs. When DescribeTasks shows the last task of the same
// burst as RUNNING, which is later, is printed too. The last arm sets ctr against itself: a smaller difference is noise.
//
//	go run ./test/bench/burst -rounds 4
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/bench/abba"
	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

// program says that it runs, and stays until it is told to end.
const program = `package main

import (
	"net"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	c, err := net.Dial("unixgram", "/report/socket")
	if err != nil {
		panic(err)
	}
	c.Write([]byte("runs"))
	<-end
}
`

const image = "bench.local/burst:1"

func main() {
	rounds := flag.Int("rounds", 4, "rounds of ABBA, at least 4: each arm runs twice in a round")
	size := flag.Int("size", 100, "tasks of a burst")
	limit := flag.Duration("limit", 0, "begin no round after so long")
	parallel := flag.Int("parallel", 8, "how many of ctr, and of runc, run at a time")
	private := flag.Bool("awsvpc", false, "tasks in awsvpc with a security group, beside ctr without network; else all in the host's")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, max(*rounds, 4), *limit, &bench{size: *size, parallel: *parallel, private: *private}); err != nil {
		fmt.Fprintln(os.Stderr, "burst:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, limit time.Duration, b *bench) (err error) {
	defer installation.Discard()
	region, err := installation.Open(ctx, installation.Options{})
	if region != nil {
		defer func() { err = errors.Join(err, region.Close(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	b.region = region
	if err := b.setUp(ctx); err != nil {
		return err
	}
	defer func() { _ = b.reports.Close() }() // everything was read
	began := &abba.Arm{Name: "RunTask -> the last first instruction", Once: b.berth}
	b.shown = &abba.Arm{Name: "the same -> the last shown as RUNNING"}
	ctr := &abba.Arm{Name: fmt.Sprintf("ctr run -d, %d at a time", b.parallel), Once: b.ctr}
	runc := &abba.Arm{Name: fmt.Sprintf("runc run -d, %d at a time", b.parallel), Once: b.runc}
	again := &abba.Arm{Name: "ctr run -d again", Once: b.ctr}
	if err := abba.Within(ctx, limit, rounds, began, ctr, runc, again); err != nil {
		return err
	}
	if began.Quantile(0.5) == 0 {
		return errors.New("no round fits into the limit")
	}
	fmt.Printf("a burst of %d tasks\n", b.size)
	abba.Report(os.Stdout, ctr, began, b.shown, ctr, runc, again)
	target := 0.9
	if b.private {
		target = 0.8
	}
	rate := float64(ctr.Quantile(0.5)) / float64(began.Quantile(0.5))
	fmt.Printf("berth's rate is %.2f times ctr's; target at least %.2f: %s; the last ratio is the noise\n", rate, target, map[bool]string{true: "met", false: "MISSED"}[rate >= target])
	return nil
}

// bench is a region with the program's image, and the socket that its containers report to.
type bench struct {
	private    bool                        // in awsvpc
	network    *types.NetworkConfiguration // of its tasks
	region     *installation.Installation
	size       int
	parallel   int
	definition string
	bundle     []byte // the OCI specification of runc's containers
	reports    *net.UnixConn
	shown      *abba.Arm
	count      int
}

func (b *bench) reportDir() string { return filepath.Join(b.region.DataDir, "report") }

func (b *bench) setUp(ctx context.Context) (err error) {
	if err := os.MkdirAll(b.reportDir(), 0o755); err != nil {
		return err
	}
	at := &net.UnixAddr{Name: filepath.Join(b.reportDir(), "socket"), Net: "unixgram"}
	if b.reports, err = net.ListenUnixgram("unixgram", at); err != nil {
		return err
	}
	binary, err := images.Compile(ctx, b.region.DataDir, "burst", program, "")
	if err != nil {
		return err
	}
	spec, err := images.Program(binary, v1.Config{Entrypoint: []string{"/burst"}})
	if err != nil {
		return err
	}
	if err := b.region.Import(ctx, image, spec); err != nil {
		return err
	}
	if err := b.makeBundle(ctx, binary); err != nil {
		return err
	}
	return b.define(ctx)
}

// arrived waits until so many containers have reported.
func (b *bench) arrived(n int) error {
	if err := b.reports.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		return err
	}
	buf := make([]byte, 16)
	for i := range n {
		if _, err := b.reports.Read(buf); err != nil {
			return fmt.Errorf("%d of %d containers reported: %w", i, n, err)
		}
	}
	return nil
}
