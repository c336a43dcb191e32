package proxy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/mesh/xds/server"
	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/proxy"
	"github.com/berth-ecs/berth/proxyconf"
)

func inode(info os.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }

// Envoy comes with the first part, serves in the interface's network, and what becomes of it is reported.
func TestALoadBalancer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	p, _ := w.run()
	part := web("a")
	w.tell(server.News{Parts: []server.NodePart{{Node: node, Part: part}}}) // before its interface is there
	w.eventually("the part is known", func() bool { return w.partOf(part).Part != "" })
	if p.Pid() != 0 || w.partOf(part).Serving {
		t.Errorf("Envoy %d, %+v: there is nothing to do yet", p.Pid(), w.partOf(part))
	}
	w.space("eni-a")
	p.Look()
	one, two := w.target("eni-a", "one"), w.target("eni-a", "two")
	w.balance(part, one, two)
	w.eventually("it serves", func() bool { return w.partOf(part).Serving })
	w.eventually("both are healthy", func() bool {
		return w.stateOf(part, one).State == "healthy" && w.stateOf(part, two).State == "healthy"
	})
	seen := map[string]bool{}
	w.eventually("both are asked", func() bool {
		name, err := w.ask("eni-a", "/")
		if err != nil {
			t.Fatal(err)
		}
		seen[name] = true
		return len(seen) == 2
	})
	two.ill(true)
	w.eventually("one is unhealthy", func() bool { return w.stateOf(part, two).State == "unhealthy" })
	if h := w.stateOf(part, two); h.Reason != "Target.ResponseCodeMismatch" || h.Detail != "Health checks failed with these codes: [503]" {
		t.Errorf("%+v", h)
	}
	for range 20 {
		if name, err := w.ask("eni-a", "/"); name != "one" || err != nil {
			t.Errorf("%q, %v", name, err)
		}
	}
	one.ill(true)
	w.eventually("none is healthy", func() bool { return w.stateOf(part, one).State == "unhealthy" })
	clear(seen)
	w.eventually("all are asked when none is healthy", func() bool {
		name, err := w.ask("eni-a", "/")
		if err != nil {
			t.Fatal(err)
		}
		seen[name] = true
		return len(seen) == 2
	})
	w.eventually("requests are counted", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		var n int64
		for _, c := range w.counts {
			n += c.Requests
		}
		return n > 20
	})
}

// A target that drains gets nothing new, and is drained when what was in flight has ended.
func TestDraining(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	w.space("eni-a")
	w.run()
	part := web("a")
	one, two := w.target("eni-a", "one"), w.target("eni-a", "two")
	w.balance(part, one)
	w.answers("eni-a")
	held := make(chan error, 1)
	go func() { _, err := w.ask("eni-a", "/hold"); held <- err }()
	<-one.holds
	one.draining = true
	w.balance(part, one, two)
	w.eventually("the other one is asked", func() bool { name, _ := w.ask("eni-a", "/"); return name == "two" })
	for range 10 {
		if name, err := w.ask("eni-a", "/"); name != "two" || err != nil {
			t.Errorf("%q, %v", name, err)
		}
	}
	for range 3 * 2 { // as often as is looked, and more: what is in flight keeps it
		if s := w.stateOf(part, one).State; s == "drained" {
			t.Error("it is drained while something is in flight")
		}
		<-time.After(200 * time.Millisecond)
	}
	close(one.hold)
	if err := <-held; err != nil {
		t.Error(err)
	}
	w.eventually("it is drained", func() bool { return w.stateOf(part, one).State == "drained" })
}

// Everything that is killed comes back, with what it was told, while no server is there.
func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone := w.serve()
	w.space("eni-a")
	p, end := w.run()
	part := web("a")
	one, two := w.target("eni-a", "one"), w.target("eni-a", "two")
	w.balance(part, one, two)
	w.eventually("both are healthy", func() bool {
		return w.stateOf(part, one).State == "healthy" && w.stateOf(part, two).State == "healthy"
	})
	gone()
	pid := p.Pid()
	began := time.Now()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.eventually("there is another Envoy", func() bool { return p.Pid() != 0 && p.Pid() != pid })
	w.answers("eni-a")
	t.Logf("kill -9 of Envoy to the first answer: %v", time.Since(began))

	// A target that dies is not asked any more.
	_ = two.server.Close()
	w.eventually("the dead one is not asked", func() bool {
		for range 10 {
			if name, err := w.ask("eni-a", "/"); name != "one" || err != nil {
				return false
			}
		}
		return true
	})

	// The node's process is replaced: Envoy goes on, nothing fails meanwhile.
	pid = p.Pid()
	end()
	for range 10 {
		if _, err := w.ask("eni-a", "/"); err != nil {
			t.Error(err)
		}
	}
	p, end = w.run()
	w.eventually("Envoy is adopted", func() bool { return p.Pid() == pid })
	for range 50 {
		if _, err := w.ask("eni-a", "/"); err != nil {
			t.Error(err)
		}
	}

	// Both at once.
	end()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p, _ = w.run()
	w.tell(server.News{})
	p.Look()
	w.eventually("there is another Envoy", func() bool { return p.Pid() != 0 && p.Pid() != pid })
	w.answers("eni-a")

	// A server is back: it tells what changed.
	w.serve()
	three := w.target("eni-a", "three")
	w.balance(part, three)
	w.eventually("the new one is asked", func() bool { name, _ := w.ask("eni-a", "/"); return name == "three" })
}

// What Envoy refuses of one part leaves the others, and that one with what it had.
func TestARefusedPart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	w.space("eni-a")
	w.space("eni-b")
	p, _ := w.run()
	a, b := web("a"), web("b")
	w.balance(a, w.target("eni-a", "one"))
	w.balance(b, w.target("eni-b", "two"))
	w.answers("eni-a")
	w.answers("eni-b")
	bad := web("a")
	again := bad.Listeners[0]
	again.Name = "80 again"
	bad.Listeners = append(bad.Listeners, again)
	w.balance(bad, w.target("eni-a", "three"))
	w.eventually("it is refused", func() bool { return w.partOf(a).Error != "" })
	t.Log(w.partOf(a).Error)
	if w.partOf(b).Error != "" || w.partOf(a).Serving {
		t.Errorf("%+v, %+v", w.partOf(a), w.partOf(b))
	}
	w.answers("eni-a")
	w.answers("eni-b")
	pid := p.Pid()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.eventually("there is another Envoy", func() bool { return p.Pid() != 0 && p.Pid() != pid })
	w.answers("eni-a")
	w.answers("eni-b")
	w.balance(a, w.target("eni-a", "four"))
	w.eventually("it is right again", func() bool { return w.partOf(a).Error == "" && w.partOf(a).Serving })

	// A part that is taken away leaves the other.
	w.tell(server.News{PartsGone: []server.PartKey{{Node: node, Part: a.Name}}})
	w.eventually("nobody listens", func() bool { _, err := w.ask("eni-a", "/"); return err != nil })
	w.answers("eni-b")
}

// While clients ask without a pause, the node's process is replaced and servers come and go: nothing fails.
func TestTrafficDoesNotNotice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone := w.serve()
	w.space("eni-a")
	p, end := w.run()
	part := web("a")
	one, two := w.target("eni-a", "one"), w.target("eni-a", "two")
	w.balance(part, one, two)
	w.answers("eni-a")
	w.eventually("both are healthy", func() bool {
		return w.stateOf(part, one).State == "healthy" && w.stateOf(part, two).State == "healthy"
	})
	confined(t, p.Pid())
	stop, done := make(chan struct{}), make(chan struct{})
	asked, failed := 0, 0
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if asked++; w.fails("eni-a") {
				failed++
			}
		}
	}()
	pid := p.Pid()
	for range 3 {
		gone()
		end()
		p, end = w.run()
		w.eventually("Envoy is adopted", func() bool { return p.Pid() == pid })
		gone = w.serve()
		three := w.target("eni-a", "three")
		w.balance(part, three)
		w.eventually("the new one is asked", func() bool { name, _ := w.ask("eni-a", "/"); return name == "three" })
		w.balance(part, one, two)
		w.eventually("the new one is not asked", func() bool { name, _ := w.ask("eni-a", "/"); return name != "three" })
	}
	close(stop)
	<-done
	t.Logf("%d requests, %d failed", asked, failed)
	if failed > 0 || asked == 0 {
		t.Errorf("%d of %d requests failed", failed, asked)
	}
}

func (w *world) fails(id string) bool {
	_, err := w.ask(id, "/")
	if err != nil {
		w.t.Log(err)
	}
	return err != nil
}

// confined looks at what the kernel says of Envoy's rights.
func confined(t *testing.T, pid int) {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	const two = 1<<21 | 1<<10 // SYS_ADMIN, NET_BIND_SERVICE
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		switch name {
		case "CapBnd", "CapEff", "CapPrm":
			if n, err := strconv.ParseUint(value, 16, 64); err != nil || n&^two != 0 {
				t.Errorf("%s %s: more than it needs (%v)", name, value, err)
			}
		case "NoNewPrivs":
			if value != "1" {
				t.Error("it may get more rights")
			}
		}
	}
	var core unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_CORE, nil, &core); err != nil || core.Cur != 1 || core.Max != 1 {
		t.Errorf("its core dumps may be of %+v bytes (%v)", core, err)
	}
}

// An interface that goes takes its listener along; one that is made anew is listened in anew, though it has the same name.
func TestAnInterfaceIsMadeAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	w.space("eni-a")
	p, _ := w.run()
	part := web("a")
	w.balance(part, w.target("eni-a", "one"))
	w.answers("eni-a")
	if err := netspace.Unmount(w.Path("eni-a")); err != nil {
		t.Fatal(err)
	}
	p.Look()
	w.eventually("it does not serve", func() bool { return !w.partOf(part).Serving })
	for range 2 { // with and without the look in between
		w.space("eni-a")
		p.Look()
		w.balance(part, w.target("eni-a", "two"))
		w.eventually("it serves in the new one", func() bool { name, _ := w.ask("eni-a", "/"); return name == "two" })
		if err := netspace.Unmount(w.Path("eni-a")); err != nil {
			t.Fatal(err)
		}
	}
}

// An Envoy that is killed while clients ask fails those that come while none runs, and none after.
func TestEnvoyIsKilledUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	w.space("eni-a")
	p, _ := w.run()
	part := web("a")
	one := w.target("eni-a", "one")
	w.balance(part, one)
	w.answers("eni-a")
	w.eventually("it is healthy", func() bool { return w.stateOf(part, one).State == "healthy" })
	pid := p.Pid()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	began, failed := time.Now(), 0
	w.eventually("it answers again", func() bool {
		_, err := w.ask("eni-a", "/")
		if err != nil {
			failed++
		}
		return err == nil && p.Pid() != pid
	})
	t.Logf("%d requests, one each 5 ms, failed in %v", failed, time.Since(began))
	for range 50 {
		if _, err := w.ask("eni-a", "/"); err != nil {
			t.Errorf("after it was back: %v", err)
		}
	}
}

// An Envoy without a part ends after a while, and one is there again for the next part.
func TestNothingToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.c.Leisure = time.Millisecond
	w.serve()
	w.space("eni-a")
	p, end := w.run()
	part, one := web("a"), w.target("eni-a", "one")
	w.balance(part, one)
	w.answers("eni-a")
	pid := p.Pid()
	gone := server.News{PartsGone: []server.PartKey{{Node: node, Part: part.Name}}, EndpointsGone: []string{part.Clusters[0].Endpoints}}
	w.tell(gone)
	w.eventually("it ends", func() bool { return p.Pid() == 0 && syscall.Kill(pid, 0) == syscall.ESRCH })
	w.balance(part, one)
	w.answers("eni-a")
	pid = p.Pid()
	end()
	w.tell(gone)
	p, _ = w.run() // with an Envoy that has nothing to do any more
	w.eventually("it ends, too", func() bool { return p.Pid() == 0 && syscall.Kill(pid, 0) == syscall.ESRCH })
}

// A listener in place of another one that had the port is listened for, also when both are heard of at once.
func TestAListenerTakesAPortOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	end := w.serve()
	w.space("eni-a")
	w.run()
	part, one := web("a"), w.target("eni-a", "one")
	w.balance(part, one)
	w.answers("eni-a")
	for i := range 4 {
		part.Listeners = slices.Clone(part.Listeners)
		part.Listeners[0].Name = fmt.Sprint("new", i)
		part.Listeners[0].HTTP = &proxyconf.HTTP{Desync: "defensive", Routes: []proxyconf.Route{{Name: "all", Fixed: &proxyconf.Fixed{Status: 200, Body: part.Listeners[0].Name}}}}
		if i%2 == 1 { // while no server was there
			end()
		}
		w.balance(part, one)
		if i%2 == 1 {
			end = w.serve()
		}
		w.eventually("the new one answers", func() bool { name, _ := w.ask("eni-a", "/"); return name == part.Listeners[0].Name })
		w.eventually("nothing is wrong", func() bool { s := w.partOf(part); return s.Serving && s.Error == "" })
	}
	moved, next := part.Listeners[0], part.Listeners[0]
	moved.Port, next.Name = 81, "before it in every order"
	next.HTTP = &proxyconf.HTTP{Desync: "defensive", Routes: []proxyconf.Route{{Name: "all", Fixed: &proxyconf.Fixed{Status: 200, Body: "next"}}}}
	part.Listeners = []proxyconf.Listener{next, moved}
	w.balance(part, one)
	w.eventually("the next one answers", func() bool { name, _ := w.ask("eni-a", "/"); return name == "next" })
	w.eventually("nothing is wrong in the end", func() bool { s := w.partOf(part); return s.Serving && s.Error == "" })
}

// An Envoy that does not come back serves nothing, and its node says so; one whose directory was wiped is found and ended.
func TestEnvoyDoesNotComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	program := w.c.Program
	w.c.Program = filepath.Join(w.net, "envoy")
	if err := os.Symlink(program, w.c.Program); err != nil {
		t.Fatal(err)
	}
	w.serve()
	w.space("eni-a")
	p, end := w.run()
	part := web("a")
	w.balance(part, w.target("eni-a", "one"))
	w.eventually("it serves", func() bool { return w.partOf(part).Serving })
	if err := os.Remove(w.c.Program); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.eventually("it does not serve", func() bool { return !w.partOf(part).Serving })
	if err := os.Symlink(program, w.c.Program); err != nil {
		t.Fatal(err)
	}
	w.eventually("it serves again", func() bool { return w.partOf(part).Serving })
	pid := p.Pid()
	end()
	if err := os.RemoveAll(w.c.RunDir); err != nil {
		t.Fatal(err)
	}
	if err := proxy.Stop(t.Context(), w.c); err != nil {
		t.Fatal(err)
	}
	w.eventually("it ended", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
}
