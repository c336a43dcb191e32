package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Everything that a container printed is there when its task is STOPPED, in order, standard error too.
func TestLogsAreCompleteAndOrdered(t *testing.T) {
	t.Parallel()
	const lines = 20000
	task := finished(t, define(t, script("main", fmt.Sprintf(`seq 1 %d; echo on the error >&2; printf 'no newline'`, lines))))
	got := strings.Split(output(t, *task.TaskArn, "main"), "\n")
	n, onError := 0, false
	for _, line := range got {
		switch line {
		case "on the error":
			onError = true
		case "no newline", "":
		default:
			if n++; line != text(n) {
				t.Fatalf("line %d is %q", n, line)
			}
		}
	}
	equal(t, "lines", n, lines)
	equal(t, "standard error is there", onError, true)
	if !strings.Contains(strings.Join(got[max(0, len(got)-4):], "\n"), "no newline") {
		t.Errorf("the last line without a newline is lost: %q", got[max(0, len(got)-4):])
	}
}

func TestLogsOfAllContainersNameThem(t *testing.T) {
	t.Parallel()
	task := finished(t, define(t, script("a", "echo from a", optional), script("b", "echo from b", depends("a", types.ContainerConditionComplete))))
	out, err := region.Command(t.Context(), "logs", *task.TaskArn).Output()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "output", string(out), "a | from a\nb | from b\n")
	bad, err := region.Command(t.Context(), "logs", *task.TaskArn, "c").CombinedOutput()
	if err == nil || !strings.Contains(string(bad), "there are logs of: a, b") {
		t.Errorf("of a container that is not: %v, %s", err, bad)
	}
}

func TestLogsFollow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := define(t, script("main", `echo first; while [ ! -e /go/on ]; do usleep 20000; done; echo second; `+idle, mount("go", "/go", true)))
	d.Volumes = []types.Volume{{Name: aws.String("go"), Host: &types.HostVolumeProperties{SourcePath: &dir}}}
	task := running(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := region.Command(ctx, "logs", id(*task.TaskArn), "main", "--follow")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(pipe)
	equal(t, "what was there", line(t, r), "first\n")
	writeFile(t, dir+"/on")
	equal(t, "what came", line(t, r), "second\n")
	cancel()
	_ = cmd.Wait()
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	s, err := r.ReadString('\n')
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return s
}

func TestLogDrivers(t *testing.T) {
	t.Parallel()
	for driver, options := range map[types.LogDriver]map[string]string{
		types.LogDriverAwslogs:  {"awslogs-group": "g", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p"},
		types.LogDriverJsonFile: nil,
	} {
		t.Run(string(driver), func(t *testing.T) {
			t.Parallel()
			c := script("main", "echo kept")
			c.LogConfiguration = &types.LogConfiguration{LogDriver: driver, Options: options}
			equal(t, "output", printed(t, c), "kept")
		})
	}
}

// A container that prints faster than anybody reads does not fill the disk, and its newest lines are kept.
func TestLogsAreBounded(t *testing.T) {
	t.Parallel()
	task := finished(t, define(t, script("main", "yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -n 1000000; echo the end")))
	out := output(t, *task.TaskArn, "main")
	if !strings.HasSuffix(out, "9\nthe end\n") {
		t.Errorf("the newest lines are lost: %q", out[max(0, len(out)-100):])
	}
	files, err := filepath.Glob(filepath.Join(region.DataDir, "logs", id(*task.TaskArn), "main.log*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("log files %v: %v", files, err)
	}
	var size int64
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > 52<<20 {
		t.Errorf("%d bytes are kept of one container", size)
	}
}
