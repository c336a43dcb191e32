package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// asksSandbox gives a container the label by which its task gets a gVisor sandbox.
func asksSandbox(t testing.TB, c types.ContainerDefinition) types.ContainerDefinition {
	t.Helper()
	if _, err := os.Stat(filepath.Join(region.BinDir, "runsc")); err != nil {
		t.Skip("no gVisor: make sandbox installs it")
	}
	c.DockerLabels = map[string]string{"berth.sandbox": "gvisor"}
	return c
}

// A sandboxed task is reached at its own address, and reaches others; its containers share localhost.
func TestSandboxedTasksTalk(t *testing.T) {
	t.Parallel()
	open := group(t, "sandboxed", 80)
	a := runningVPC(t, define(t, asksSandbox(t, peer("one", "tcp:80")), peer("two", "tcp:81")), open)
	b := runningVPC(t, define(t, peer("other", "tcp:80")), open)
	toA := "http://" + a.address
	answersFrom(t, b, toA+":80", "one")
	answersFrom(t, b, inside(toA+":80", "http://127.0.0.1:81"), "two")
	answersFrom(t, b, inside(toA+":80", "http://"+b.address+":80"), "other")
	if got, err := b.fetchFrom(toA + ":81"); err == nil {
		t.Errorf("a port that the group does not open answers %q", got)
	}
}
