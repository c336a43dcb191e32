package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// footprint reports memory fresh, after o.writes writes, and after a pause; and the CPU used in that pause.
func footprint(ctx context.Context, dir string, o options) (err error) {
	a, err := viaStore(ctx, dir, "store")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	report("fresh")
	const clients = 64
	start := time.Now()
	var wg sync.WaitGroup
	errs := make(chan error, clients)
	for c := range clients {
		wg.Go(func() {
			for n := c; n < o.writes; n += clients {
				if err := a.do(ctx, c, n/clients); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	if len(errs) > 0 {
		return <-errs
	}
	fmt.Printf("%d writes in %.0f s\n", o.writes, time.Since(start).Seconds())
	report("after writes")
	cpu := cpuTime()
	idle := time.NewTimer(o.settle)
	<-idle.C
	report(fmt.Sprintf("%v later", o.settle))
	fmt.Printf("CPU in that time: %.2f %% of a core\n", 100*(cpuTime()-cpu).Seconds()/o.settle.Seconds())
	return nil
}

// report prints what the kernel says of this process.
func report(when string) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%-14s", when)
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "VmRSS", "RssAnon", "RssFile":
			fmt.Printf(" %s %s", name, strings.TrimSpace(value))
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf(" heap in use %d kB\n", m.HeapInuse/1024)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
