package region

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/ready"
)

// A server with records of its own would keep them, and be a region of its own beside the one that it has joined.
func TestAServerWithRecordsJoinsNobody(t *testing.T) {
	s := config.Settings{DataDir: t.TempDir(), Join: "berth-x", PeerListen: "127.0.0.1:1", AgentListen: "127.0.0.1:2", ServerName: "b"}
	if err := os.MkdirAll(filepath.Join(etcdDir(s), "member"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := belong(t.Context(), Config{Settings: s, Ready: &ready.State{}, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "records of its own") {
		t.Error(err)
	}
}
