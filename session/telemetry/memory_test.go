package telemetry

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/session"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// told is a message as the stock agent sends it.
func told(t *testing.T, task, container string, cpu float64) *session.PublishMetricsRequest {
	t.Helper()
	var m session.PublishMetricsRequest
	text := fmt.Sprintf(`{"taskMetrics":[{"taskArn":%q,"containerMetrics":[{"containerName":%q,
		"cpuStatsSet":{"min":0,"max":9,"sampleCount":4,"sum":%g},"memoryStatsSet":{"min":10,"max":30,"sampleCount":2,"sum":40},
		"networkStatsSet":{"rxBytes":{"max":5,"min":1,"sampleCount":2,"sum":6,"overflowSum":0},"rxBytesPerSecond":{"max":100,"min":50,"sampleCount":2,"sum":150},"txBytesPerSecond":{"max":2,"min":2,"sampleCount":1,"sum":2}},
		"storageStatsSet":{"readSizeBytes":{"max":7,"min":7,"sampleCount":1,"sum":7}},"restartStatsSet":{"restartCount":3}}]}]}`, task, container, 4*cpu)
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return &m
}

func TestSample(t *testing.T) {
	var m Memory
	m.Take("i", told(t, "T", "web", 50), noon)
	want := []Sample{{At: noon, CPU: 50, MemoryMiB: 20, RxPerSec: 75, TxPerSec: 2, Network: true, ReadBytes: 7, Restarts: 3}}
	if diff := cmp.Diff(want, m.Of("i", "T", "web", noon)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := m.Of("j", "T", "web", noon); got != nil {
		t.Errorf("another instance has %v", got)
	}
	m.Take("i", &session.PublishMetricsRequest{TaskMetrics: []session.TaskMetric{{TaskArn: "T", ContainerMetrics: []session.ContainerMetric{{ContainerName: "bare"}}}}}, noon)
	if diff := cmp.Diff([]Sample{{At: noon}}, m.Of("i", "T", "bare", noon)); diff != "" {
		t.Errorf("without sets (-want +got):\n%s", diff)
	}
}

func TestOnlyTheLastMinutesAreKept(t *testing.T) {
	var m Memory
	for i := range 40 {
		m.Take("i", told(t, "T", "web", float64(i)), noon.Add(time.Duration(i)*20*time.Second))
	}
	got := m.Of("i", "T", "web", noon.Add(39*20*time.Second))
	if len(got) != depth || got[0].CPU != 25 || got[depth-1].CPU != 39 {
		t.Errorf("%d samples: %v", len(got), got)
	}
	if got := m.Of("i", "T", "web", noon.Add(39*20*time.Second+Keep-time.Second)); len(got) != 1 {
		t.Errorf("of the last minutes: %v", got)
	}
	m.Take("j", told(t, "U", "web", 1), noon.Add(time.Hour))
	if len(m.instances) != 1 {
		t.Errorf("instances that were not told of stay: %v", m.instances)
	}
}

func TestTheContainersOfAnInstanceAreBounded(t *testing.T) {
	var m Memory
	for i := range perInstance + 10 {
		m.Take("i", told(t, strconv.Itoa(i), "web", 1), noon)
	}
	if n := len(m.instances["i"]); n != perInstance {
		t.Errorf("%d containers", n)
	}
	m.Take("i", told(t, "0", "web", 2), noon) // a known one goes on
	if got := m.Of("i", "0", "web", noon); len(got) != 2 {
		t.Errorf("%v", got)
	}
}
