// Command attempt is what somebody does who is root in a container and wants out. Each attempt says whether it got what it wanted; none
// does harm where it does: it opens and does not write, or writes what stood there, or asks for what does not exist.
//
//	attempt names             prints the attempts' names
//	attempt all [NAME...]     makes attempts, each in a process of its own, and prints a line of JSON for each
//	attempt victim TOKEN      waits, with what a neighbour would like to have: the token on its command line, in a file and on sockets
//	attempt moment, true      waits for a moment, not at all
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/escape/aim"
)

// errAbsent says that the kernel does not have what was attempted.
var errAbsent = errors.New("this kernel does not have it")

func main() {
	if len(os.Args) < 2 {
		os.Exit(2)
	}
	switch rest := os.Args[2:]; os.Args[1] {
	case "all":
		all(rest)
	case "names":
		fmt.Println(strings.Join(slices.Sorted(maps.Keys(attempts)), "\n"))
	case "one":
		report(one(rest[0]))
	case "victim":
		victim(rest[0])
	case "moment": // what comes in and ends
		<-time.After(20 * time.Millisecond)
	case "true":
	case "who": // am I root?
		report(rootAgain())
	}
}

// patience with one attempt.
const patience = 25 * time.Second

// inheritance is the attempt that only the first process can make.
const inheritance = "files: inherited descriptors"

// all makes attempts, several at once. What the first process inherited is looked at before anything is opened.
func all(names []string) {
	t := aim.Read()
	inherited := descriptors(t)
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(attempts))
	}
	out := json.NewEncoder(os.Stdout)
	var mu sync.Mutex
	var wg sync.WaitGroup
	lanes := make(chan struct{}, 2)
	for _, n := range names {
		wg.Go(func() {
			lanes <- struct{}{}
			defer func() { <-lanes }()
			o := outcome(inherited)
			if n != inheritance {
				o = child(n)
			}
			o.Name = n
			mu.Lock()
			defer mu.Unlock()
			_ = out.Encode(o)
		})
	}
	wg.Wait()
}

// child makes one attempt in a process of its own, which may lose its root, its namespaces or its life.
func child(name string) (o aim.Outcome) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "one", name)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	last := text.String()
	if i := strings.LastIndex(strings.TrimSpace(last), "\n"); i >= 0 {
		last = last[i+1:]
	}
	if json.Unmarshal([]byte(last), &o) != nil {
		return aim.Outcome{Result: aim.Blocked, How: fmt.Sprintf("%v: %.300s", err, text.String())}
	}
	return o
}

func one(name string) error {
	f, ok := attempts[name]
	if !ok {
		return fmt.Errorf("no attempt is called %q", name)
	}
	runtime.LockOSThread() // namespaces are a thread's
	return f(aim.Read())
}

func report(err error) { _ = json.NewEncoder(os.Stdout).Encode(outcome(err)) }

func outcome(err error) aim.Outcome {
	switch {
	case err == nil:
		return aim.Outcome{Result: aim.Succeeded, How: aim.Kernel()}
	case errors.Is(err, errAbsent), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV), errors.Is(err, unix.EAFNOSUPPORT):
		return aim.Outcome{Result: aim.Absent, How: err.Error()}
	}
	return aim.Outcome{Result: aim.Blocked, How: err.Error()}
}

// reached is for calls of which the kernel refuses the arguments after it has let the caller in.
func reached(err error, also ...unix.Errno) error {
	for _, e := range also {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}

// call makes a system call.
func call(number uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, e := unix.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); e != 0 {
		return e
	}
	return nil
}
