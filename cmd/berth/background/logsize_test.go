package background

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAFullLogMakesRoomAtTheNextStart(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bytes int64
		kept  bool // under its own name
	}{{"small", logBytes - 1, true}, {"full", logBytes, false}} {
		t.Run(tt.name, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "region.log")
			if err := os.WriteFile(log, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(log, tt.bytes); err != nil {
				t.Fatal(err)
			}
			child, err := Start(Command{Exe: "/bin/true", LogFile: log})
			if err != nil {
				t.Fatal(err)
			}
			<-child.done
			now, err := os.Stat(log)
			if err != nil {
				t.Fatal(err)
			}
			_, err = os.Stat(log + ".1")
			if (now.Size() == tt.bytes) != tt.kept || os.IsNotExist(err) != tt.kept {
				t.Errorf("the log has %d bytes; older: %v", now.Size(), err)
			}
		})
	}
}
