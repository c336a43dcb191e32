package hub

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/session/telemetry"
	"github.com/berth-ecs/berth/store"
)

// Top is the answer of ServeTop: what runs, and what it uses.
type Top struct {
	At    time.Time `json:"at"`
	Tasks []TopTask `json:"tasks"`
}

// TopTask is one task that has not stopped.
type TopTask struct {
	TaskARN    string         `json:"taskArn"`
	Cluster    string         `json:"cluster"`
	Family     string         `json:"family"`
	Revision   int32          `json:"revision"`
	Service    string         `json:"service,omitempty"`
	Instance   string         `json:"containerInstance,omitempty"` // id
	LastStatus string         `json:"lastStatus"`
	Health     string         `json:"healthStatus,omitempty"`
	CreatedAt  time.Time      `json:"createdAt"`
	StartedAt  *time.Time     `json:"startedAt,omitempty"`
	Containers []TopContainer `json:"containers"`
}

// TopContainer is one container with the samples of the last minutes, oldest first.
type TopContainer struct {
	Name       string             `json:"name"`
	LastStatus string             `json:"lastStatus"`
	Health     string             `json:"healthStatus,omitempty"` // "" without a health check
	Memory     string             `json:"memory,omitempty"`       // MiB, as defined
	Samples    []telemetry.Sample `json:"samples"`
}

// ServeTop answers what the tasks of the caller's account use, of one cluster (?cluster=NAME) or of all. Only root may ask.
func (h *Hub) ServeTop(w http.ResponseWriter, r *http.Request) {
	caller, err := h.Verify(r)
	if err != nil {
		refuse(w, refusal{"AccessDeniedException", err.Error(), http.StatusForbidden})
		return
	}
	if !caller.IsRoot() {
		refuse(w, refusal{"AccessDeniedException", "Only root may read this page.", http.StatusForbidden})
		return
	}
	out := Top{At: clock.Now().UTC(), Tasks: []TopTask{}}
	at := ecs.Home{Account: caller.Key.Account, Region: caller.Scope.Region}
	cluster := r.URL.Query().Get("cluster")
	err = h.Store.View(r.Context(), store.Any, func(tx store.Tx) error {
		for _, c := range tables.Clusters.List(tx, tables.At(at).Prefix(), "") {
			if !launch.Hidden(c.Name) && (cluster == "" || c.Name == cluster) {
				out.Tasks = append(out.Tasks, h.topTasks(tx, c, out.At)...)
			}
		}
		return nil
	})
	if err != nil {
		refuse(w, refusal{"ServerException", "The store is not available.", http.StatusServiceUnavailable})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(out); err != nil {
		h.Log.Debug("answer top", "error", err)
	}
}

func (h *Hub) topTasks(tx store.Tx, c *ecs.Cluster, now time.Time) []TopTask {
	var out []TopTask
	for key := range tables.StatusByCluster.List(tx, tables.Is(tables.ClusterKey(c.Home, c.Name), tables.Live), "") {
		if v, ok := tables.PeekTask(tx, key); ok {
			out = append(out, h.topTask(v, now))
		}
	}
	return out
}

func (h *Hub) topTask(v ecs.TaskView, now time.Time) TopTask {
	t := TopTask{
		TaskARN: v.ARN(), Cluster: v.Cluster, Family: v.Family, Revision: v.Revision, Service: v.Service, Instance: v.Instance,
		LastStatus: v.Status.LastStatus, CreatedAt: v.CreatedAt, Containers: []TopContainer{},
	}
	if !v.Status.StartedAt.IsZero() {
		t.StartedAt = &v.Status.StartedAt
	}
	instance := tables.HostKey(v.Home, v.RunsOn())
	for i, c := range v.Containers {
		d := TopContainer{Name: c.Name, Memory: c.Memory, Samples: h.use.Of(instance, t.TaskARN, c.Name, now)}
		if i < len(v.Status.Containers) {
			d.LastStatus = v.Status.Containers[i].LastStatus
			if c.HealthCheck {
				d.Health, t.Health = v.Status.Containers[i].Health, v.Status.Health
			}
		}
		if d.Samples == nil {
			d.Samples = []telemetry.Sample{}
		}
		t.Containers = append(t.Containers, d)
	}
	return t
}
