package hub_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/session/hub"
	"github.com/berth-ecs/berth/store"
)

func (w *world) top(query string) (hub.Top, int) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.hub.ServeTop(rec, httptest.NewRequest(http.MethodGet, "/_berth/top"+query, nil).WithContext(w.ctx))
	var out hub.Top
	if rec.Code == http.StatusOK {
		if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
			w.t.Fatal(err)
		}
	}
	return out, rec.Code
}

// telling is the use of the container web of two tasks.
func telling(cpu float64, ids ...string) *session.PublishMetricsRequest {
	m := &session.PublishMetricsRequest{Metadata: &session.MetricsMetadata{Fin: true}}
	for _, id := range ids {
		m.TaskMetrics = append(m.TaskMetrics, session.TaskMetric{TaskArn: home.TaskARN(cluster, id), ContainerMetrics: []session.ContainerMetric{
			{ContainerName: "web", CPUStatsSet: &session.StatsSet{Sum: cpu, SampleCount: 1}},
		}})
	}
	return m
}

func TestTop(t *testing.T) {
	w := newWorld(t)
	w.launch("aaaa")
	w.launch("bbbb")
	const other = "2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f"
	w.update(func(tx store.Tx) { // bbbb runs elsewhere
		old, _ := tables.Tasks.Get(tx, tables.MemberKey(home, cluster, "bbbb"))
		task := *old
		task.Instance = other
		tables.Tasks.Put(tx, &task)
		tables.Clusters.Put(tx, &ecs.Cluster{Home: home, Name: "second", Status: ecs.ClusterActive})
	})
	a := w.telemetry()
	for _, cpu := range []float64{10, 30} {
		a.send(telling(cpu, "aaaa", "bbbb"))
		next[*session.AckPublishMetric](a)
	}
	got, _ := w.top("")
	if len(got.Tasks) != 2 || got.Tasks[0].TaskARN != home.TaskARN(cluster, "aaaa") || got.Tasks[0].Cluster != cluster || got.Tasks[0].LastStatus != ecs.TaskPending {
		t.Fatalf("%+v", got)
	}
	c := got.Tasks[0].Containers[0]
	if c.Name != "web" || len(c.Samples) != 2 || c.Samples[1].CPU != 30 {
		t.Errorf("%+v", c)
	}
	if s := got.Tasks[1].Containers[0].Samples; len(s) != 0 {
		t.Errorf("an instance tells of another's task: %+v", s)
	}
	if got, _ := w.top("?cluster=second"); len(got.Tasks) != 0 {
		t.Errorf("another cluster: %+v", got)
	}
	w.setStatus("aaaa", ecs.TaskStopped)
	w.until("the stopped task to be gone from the list", func(store.Tx) bool {
		got, _ := w.top("?cluster=" + cluster)
		return len(got.Tasks) == 1
	})
	w.principal.Store("arn:aws:iam::000000000000:user/somebody")
	if _, status := w.top(""); status != http.StatusForbidden {
		t.Errorf("somebody is answered %d", status)
	}
}
