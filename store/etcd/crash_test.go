package etcd_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
)

const (
	crashDirVar  = "BERTH_STORE_CRASH_DIR"
	crashClients = 8
	crashRounds  = 5
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirVar); dir != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dir, os.Stdout))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func crashKey(client int, twin string) string { return fmt.Sprintf("client%d%s", client, twin) }

// writeUntilKilled counts up two records a client, and says so on out after each Update returned.
func writeUntilKilled(dir string, out io.Writer) error {
	s, err := etcd.Open(context.Background(), etcd.Config{Schema: store.Schema{notes}, DataDir: dir})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for c := range crashClients {
		go func() {
			for {
				n := 0
				err := s.Update(context.Background(), func(tx store.Tx) error {
					n = noteN(tx, crashKey(c, "")) + 1
					notes.Put(tx, &note{Name: crashKey(c, ""), N: n})
					notes.Put(tx, &note{Name: crashKey(c, "twin"), N: n})
					return nil
				})
				if err != nil {
					failed <- err
					return
				}
				fmt.Fprintf(out, "%d %d\n", c, n) // one write call: lines do not mix
			}
		}()
	}
	return <-failed
}

func noteN(tx store.Tx, name string) int {
	if n, ok := notes.Get(tx, store.Installation().Key(name)); ok {
		return n.N
	}
	return 0
}

// acknowledged runs the writer on dir, kills it after a number of acknowledgements, and merges what it said into acks.
func acknowledged(t *testing.T, dir string, after int, acks *[crashClients]int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDirVar+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		var c, v int
		if _, err := fmt.Sscanf(lines.Text(), "%d %d", &c, &v); err == nil {
			acks[c] = max(acks[c], v)
		}
		if n == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
}

func TestKilledWritersLoseNothingAcknowledged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var acks [crashClients]int
	r := rand.New(rand.NewPCG(5, 6))
	for round := range crashRounds {
		acknowledged(t, dir, 1+r.IntN(1500), &acks)
		s := open(t, etcd.Config{Schema: store.Schema{notes}, DataDir: dir})
		err := s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
			for c, acked := range acks {
				n, twin := noteN(tx, crashKey(c, "")), noteN(tx, crashKey(c, "twin"))
				if n < acked || n > acked+1 {
					t.Errorf("round %d: client %d was told %d, %d is stored", round, c, acked, n)
				}
				if n != twin {
					t.Errorf("round %d: client %d: half a transaction: %d and %d", round, c, n, twin)
				}
				acks[c] = n
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("acknowledged: %v", acks)
}

func TestOneDataDirOneProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, etcd.Config{Schema: store.Schema{notes}, DataDir: dir})
	defer s.Close()
	if _, err := etcd.Open(t.Context(), etcd.Config{Schema: store.Schema{notes}, DataDir: dir}); err == nil {
		t.Error("opened twice")
	}
}
