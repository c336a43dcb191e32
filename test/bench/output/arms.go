package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/test/images"
)

// bench is an installation of its own, and what its containers print.
type bench struct {
	rt    *runtime.Runtime
	hold  *hold.Client
	image runtime.Image
	dirs  []string
	bytes int
}

func setUp(ctx context.Context, o options) (*bench, error) {
	b, name := &bench{}, "o"+randomHex(3)
	for _, parent := range []string{"/run", "/var/tmp"} {
		dir, err := os.MkdirTemp(parent, name)
		if err != nil {
			return b, err
		}
		b.dirs = append(b.dirs, dir)
	}
	line := append(bytes.Repeat([]byte("x"), o.line-1), '\n')
	text := bytes.Repeat(line, o.mib<<20/o.line)
	b.bytes = len(text)
	if err := os.WriteFile(filepath.Join(b.dirs[0], "lines"), text, 0o600); err != nil {
		return b, err
	}
	exe, err := os.Executable()
	if err != nil {
		return b, err
	}
	// A file of a gigabyte: rotation is not what is compared.
	b.hold, err = hold.Start(ctx, hold.Config{Exe: exe, RunDir: b.dirs[0], DataDir: b.dirs[1], MaxBytes: 1 << 30})
	if err != nil {
		return b, err
	}
	if b.rt, err = runtime.Open(ctx, runtime.Config{Name: name, BinDir: o.bin, RunDir: b.dirs[0], DataDir: b.dirs[1]}); err != nil {
		return b, err
	}
	const ref = "bench.local/output:test"
	spec, err := images.Busybox(v1.Config{})
	if err == nil {
		err = images.Store{Ctr: filepath.Join(o.bin, "ctr"), Address: filepath.Join(b.dirs[0], "containerd.sock"), Namespace: name}.Import(ctx, ref, spec)
	}
	if err == nil {
		b.image, err = b.rt.Pull(ctx, ref, runtime.Pull{Behaviour: runtime.PullPreferCached})
	}
	return b, err
}

func (b *bench) tearDown(ctx context.Context) error {
	var errs []error
	if b.rt != nil {
		errs = append(errs, b.rt.Sweep(ctx, func(string) bool { return false }), b.rt.Shutdown(ctx))
	}
	if b.hold != nil {
		errs = append(errs, b.hold.Shutdown(ctx))
	}
	for _, dir := range b.dirs {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}

func (b *bench) held(ctx context.Context) (sample, error) {
	task := randomHex(16)
	f, err := b.hold.Open(ctx, task+"-1", "main")
	if err != nil {
		return sample{}, err
	}
	log := filepath.Join(b.dirs[1], "logs", task, "main.log")
	s, err := b.print(ctx, task, f.Stdout, log)
	return s, errors.Join(err, b.hold.Close(ctx, task+"-1"), b.hold.Remove(ctx, task))
}

func (b *bench) filed(ctx context.Context) (sample, error) {
	task := randomHex(16)
	log := filepath.Join(b.dirs[1], task+".log")
	s, err := b.print(ctx, task, "file://"+log, log)
	return s, errors.Join(err, os.Remove(log))
}

// print runs a container that prints all there is, and answers what that cost until it is in the log.
func (b *bench) print(ctx context.Context, task, stdout, log string) (s sample, err error) {
	if err := b.rt.Prepare(ctx, runtime.Task{ID: task}); err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, b.rt.Release(ctx, task)) }()
	c := runtime.Container{
		ID: task + "-1", TaskID: task, Name: "main", Image: b.image, Stdout: stdout, Stderr: "",
		EntryPoint: []string{"sh", "-c", "usleep 300000; cat /lines; exec sleep 1000"},
		Mounts:     []runtime.Mount{{Source: filepath.Join(b.dirs[0], "lines"), Target: "/lines", ReadOnly: true}},
	}
	if err := b.rt.Create(ctx, c); err != nil {
		return s, err
	}
	pid, _, err := b.rt.Start(ctx, c.ID)
	if err != nil {
		return s, err
	}
	shim, err := parent(pid)
	if err != nil {
		return s, err
	}
	before := sample{processor(shim), processor(b.hold.Pid())}
	if err := b.full(ctx, log); err != nil {
		return s, err
	}
	return sample{processor(shim) - before.shim, processor(b.hold.Pid()) - before.hold}, nil
}

// full waits until a log has everything: as many bytes as were printed, and it does not grow any more.
func (b *bench) full(ctx context.Context, log string) error {
	const quiet = 3
	var last int64
	for same := 0; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		info, err := os.Stat(log)
		switch {
		case err != nil:
			continue
		case info.Size() >= int64(b.bytes) && info.Size() == last:
			if same++; same == quiet {
				return nil
			}
		default:
			same = 0
		}
		last = info.Size()
	}
}

func parent(pid int) (int, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(fields[1])
}

// stat are the fields of a process after its name.
func stat(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])), nil
}

// processor is a process's time in seconds, by the scheduler's count of each of its threads.
func processor(pid int) (seconds float64) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, t := range threads {
		text, err := os.ReadFile(t)
		if err != nil {
			continue // it has ended
		}
		ns, _ := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
		seconds += ns / 1e9
	}
	return seconds
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
