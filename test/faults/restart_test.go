package faults

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// TestRestartsWithoutServer: the node keeps to a restart policy while there is no server, and tells of it afterwards. It waits for more
// than a minute, the shortest period a policy may have, and needs BERTH_TEST_LONG.
func TestRestartsWithoutServer(t *testing.T) {
	if os.Getenv("BERTH_TEST_LONG") == "" {
		t.Skip("BERTH_TEST_LONG is not set: make nightly does")
	}
	w := begin(t, installation.Options{})
	d := define("revives", `sleep 62; exit 3`)
	d.ContainerDefinitions[0].RestartPolicy = &types.ContainerRestartPolicy{Enabled: aws.Bool(true), RestartAttemptPeriod: aws.Int32(60)}
	arn := w.running(d)
	before := w.first(arn)
	if err := w.Stop(t.Context(), installation.Server); err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(90 * time.Second)
	for now := before; now == 0 || now == before; now = w.first(arn) {
		if time.Now().After(end) {
			t.Fatal("it was not started again")
		}
		<-time.After(200 * time.Millisecond)
	}
	revived := w.first(arn)
	if err := w.Begin(installation.Server); err != nil {
		t.Fatal(err)
	}
	if err := w.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.eventually("the restart is told", func() error {
		task, err := w.Task(t.Context(), arn)
		if err != nil {
			return err
		}
		if c := task.Containers[0]; aws.ToString(task.LastStatus) != "RUNNING" || !strings.Contains(aws.ToString(c.Reason), "Restarted 1 time") {
			return fmt.Errorf("%s, %s, %q", aws.ToString(task.LastStatus), aws.ToString(c.LastStatus), aws.ToString(c.Reason))
		}
		return nil
	})
	if now := w.first(arn); now != revived {
		t.Errorf("process %d became %d when the server was back", revived, now)
	}
	w.stop(arn)
}
