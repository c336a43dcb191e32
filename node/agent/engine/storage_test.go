package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/session"
)

// What is written of a task with storage of a size of its own is written when that is mounted, not below; it goes with the task.
func TestStorageComesFirst(t *testing.T) {
	in(t, func(r *rig) {
		dir, asked := plan.Dir(r.dir, taskID), 0
		r.w.storing = func() error {
			asked++
			<-time.After(time.Second)
			if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
				return errors.New("something was written before")
			}
			return nil
		}
		p := payload(nil, "app")
		p.EphemeralStorage, p.Volumes = 20, []session.Volume{{Name: "v", Type: "host", Host: &session.HostVolume{}}}
		r.run().accept(p)
		r.pass(2 * time.Second)
		r.want("RUNNING app=RUNNING")
		for _, path := range []string{"0/hosts", "volumes/v"} {
			if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
				t.Error(err)
			}
		}
		if text := r.w.String(); asked != 1 || !strings.Contains(text, "storage "+taskID+" 20 GiB\n") {
			t.Errorf("asked %d times: %s", asked, text)
		}
		r.accept(stopPayload())
		r.pass(time.Minute)
		r.empty()
	})
}

// A task whose storage cannot be made does not run without.
func TestStorageThatCannotBeMade(t *testing.T) {
	in(t, func(r *rig) {
		r.w.storing = func() error { return errors.New("no loop devices") }
		p := payload(nil, "app")
		p.EphemeralStorage = 20
		r.run().accept(p)
		r.pass(time.Hour)
		if len(r.w.starts) != 0 {
			t.Error("it runs")
		}
		if last := r.reports[len(r.reports)-1]; !strings.HasPrefix(last, "STOPPED") || !strings.Contains(last, "no loop devices") {
			t.Error(last)
		}
		r.empty()
	})
}
